//! What HTTP costs on top of the database: list requests per second, against pgbench with as many clients, which runs
//! exactly the statements that the server sent for them.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::{
    cases::{At, LOGS, PAGE, Question, Samples, What},
    database::{Database, program},
    http::{Connection, Target},
    measure::percentile,
    report::HttpFigures,
};

const CLIENTS: usize = 8;
/// Pages that are requested: first ones, and others from all over the logs.
const PAGES: usize = 24;
/// How often each side runs, and for how long.
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(5);

/// Where PostgreSQL writes its log as JSON: its settings are those of [`SETTINGS`].
const LOG: &str = "data/log/server.json";
/// Settings that log the statements of a request.
pub(crate) const SETTINGS: [&str; 4] =
    ["logging_collector=on", "log_destination=jsonlog", "log_filename=server.log", "log_rotation_size=0"];

/// `cluster` is PostgreSQL's folder.
pub(crate) fn run(
    samples: &mut Samples,
    database: &Database,
    cluster: &Path,
    workspace_id: i64,
) -> HttpFigures {
    let target = samples.connection.target().clone();
    let paths: Vec<String> = (0..PAGES)
        .filter_map(|n| {
            let log = LOGS[n % 3];
            let at = if n < 6 { At::First } else { At::After(samples.position(log, 0.0, 1.0)?) };
            Some(Question::new(log, What::Page { limit: PAGE, at }).path(&target, workspace_id))
        })
        .collect();
    let scripts = record(&mut samples.connection, &paths, database, cluster);
    let (mut list, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        list.push(requests_per_s(&target, &paths));
        bare.push(pgbench(&scripts, database, cluster));
    }
    list.sort_by(f64::total_cmp);
    bare.sort_by(f64::total_cmp);
    let (list_per_s, pgbench_per_s) = (percentile(&list, 0.5), percentile(&bare, 0.5));
    let first = scripts.first().map(|Script(sent)| sent.iter().map(|(statement, _)| statement.clone()));
    let statements = first.into_iter().flatten().collect();
    HttpFigures { list_per_s, pgbench_per_s, ratio: list_per_s / pgbench_per_s, statements }
}

fn requests_per_s(target: &Target, paths: &[String]) -> f64 {
    let end = Instant::now() + ROUND;
    let count: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut rng = Pcg64Mcg::seed_from_u64(client as u64);
                    let mut connection = target.connect();
                    let mut count = 0;
                    while Instant::now() < end {
                        connection.get(&paths[rng.random_range(0..paths.len())]).expect(200);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("a client")).sum()
    });
    count as f64 / ROUND.as_secs_f64()
}

/// The statements of one request, for pgbench: as the server sent them, with `$1`, and the values of their parameters.
struct Script(Vec<(String, Vec<Option<String>>)>);

/// Requests each page while PostgreSQL logs its statements.
fn record(connection: &mut Connection, paths: &[String], database: &Database, cluster: &Path) -> Vec<Script> {
    let mut direct = database.connect();
    let log = cluster.join(LOG);
    // First fills the server's caches and prepared statements, so that the log shows usual requests.
    for path in paths.iter().cycle().take(paths.len() * 3) {
        connection.get(path).expect(200);
    }
    // The setting is in force once the reload has reached the server's connections.
    direct.execute("ALTER SYSTEM SET log_min_duration_statement = 0");
    direct.execute("SELECT pg_reload_conf()");
    let known = || fs::read_to_string(&log).unwrap_or_default();
    let start = Instant::now();
    while !known().contains("duration: ") {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "PostgreSQL writes no statements to {}",
            log.display()
        );
        connection.get(&paths[0]).expect(200);
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_millis(500));
    let scripts = paths.iter().map(|path| {
        let before = known().len();
        connection.get(path).expect(200);
        thread::sleep(Duration::from_millis(150));
        let text = known();
        Script::read(text[before..].lines())
    });
    let scripts = scripts.collect();
    direct.execute("ALTER SYSTEM RESET log_min_duration_statement");
    direct.execute("SELECT pg_reload_conf()");
    scripts
}

impl Script {
    /// Reads, from lines of the log, the statements of the connection that read the events. The pool's check whether a
    /// connection lives does not belong to the request.
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut sent = Vec::new();
        for line in lines {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let Some(statement) = line["message"].as_str().and_then(executed) else { continue };
            if line["application_name"] == "logbook" && !statement.trim().eq_ignore_ascii_case("select 1") {
                let parameters = parameters(line["detail"].as_str().unwrap_or_default());
                sent.push((line["pid"].clone(), statement.to_owned(), parameters));
            }
        }
        let reads = |statement: &str| statement.starts_with("SELECT") && statement.contains("events");
        let reader = sent.iter().find(|(_, statement, _)| reads(statement)).map(|(pid, ..)| pid.clone());
        let reader = reader.expect("a list reads events");
        let own = sent.into_iter().filter(|(pid, ..)| *pid == reader);
        Self(own.map(|(_, statement, parameters)| (statement, parameters)).collect())
    }

    /// The statements with variables of their own, and the values of these.
    fn for_pgbench(&self, number: usize) -> (String, Vec<String>) {
        let (mut text, mut variables) = (String::new(), Vec::new());
        for (n, (statement, parameters)) in self.0.iter().enumerate() {
            let mut statement = statement.replace('\n', " ");
            // The last first, since `$1` is the beginning of `$12`.
            for (p, value) in parameters.iter().enumerate().rev() {
                let name = format!("v{number}_{n}_{p}");
                let put = if value.is_some() { format!(":{name}") } else { "NULL".into() };
                statement = statement.replace(&format!("${}", p + 1), &put);
                variables.extend(value.iter().map(|value| format!("{name}={value}")));
            }
            text.push_str(&statement);
            text.push_str(";\n");
        }
        (text, variables)
    }
}

/// The statement of a line such as `duration: 0.1 ms  execute s1: SELECT …`; parsing and binding have lines of their own.
fn executed(message: &str) -> Option<&str> {
    let (_, what) = message.strip_prefix("duration: ")?.split_once(" ms  ")?;
    if let Some(statement) = what.strip_prefix("statement: ") {
        return Some(statement);
    }
    what.strip_prefix("execute ")?.split_once(": ").map(|(_, statement)| statement)
}

/// The values of `parameters: $1 = 'a', $2 = NULL`.
fn parameters(detail: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = detail;
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(quoted) = after.strip_prefix('\'') else {
            values.push(None);
            rest = after;
            continue;
        };
        let (mut value, mut from) = (String::new(), 0);
        // A quote inside is doubled.
        while let Some(at) = quoted[from..].find('\'').map(|at| from + at) {
            value.push_str(&quoted[from..at]);
            from = at + 1;
            if !quoted[from..].starts_with('\'') {
                break;
            }
            value.push('\'');
            from += 1;
        }
        values.push(Some(value));
        rest = &quoted[from..];
    }
    values
}

fn pgbench(scripts: &[Script], database: &Database, cluster: &Path) -> f64 {
    let folder = cluster.join("pgbench");
    fs::create_dir_all(&folder).expect("a folder");
    let (clients, seconds) = (CLIENTS.to_string(), ROUND.as_secs().to_string());
    let mut pgbench = program("pgbench");
    pgbench.args([
        "--no-vacuum",
        "--protocol=prepared",
        "--jobs=2",
        "--client",
        &clients,
        "--time",
        &seconds,
    ]);
    for (number, script) in scripts.iter().enumerate() {
        let (text, variables) = script.for_pgbench(number);
        let file = folder.join(format!("{number}.sql"));
        fs::write(&file, text).expect("a file");
        pgbench.arg("--file").arg(file);
        for variable in variables {
            pgbench.args(["--define", &variable]);
        }
    }
    let output = pgbench.arg(database.url()).output().expect("pgbench runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let tps =
        text.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    tps.unwrap_or_else(|| panic!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_logged_statement_becomes_a_script() {
        let line = |pid: u32, message: &str| {
            let message = format!("duration: 0.1 ms  {message}");
            let detail = "parameters: $1 = '5', $2 = NULL, $3 = 'O''Brien, $1 = x'";
            json!({"application_name": "logbook", "pid": pid, "message": message, "detail": detail})
                .to_string()
        };
        let lines = [
            line(1, "statement: SELECT 1"),
            line(2, "statement: UPDATE elsewhere"),
            line(1, "bind s1: SELECT a FROM events WHERE b = $1"),
            line(1, "execute s1: SELECT a FROM events WHERE b = $1 AND c = $2 AND d = $3"),
        ];
        let (text, mut variables) = Script::read(lines.iter().map(String::as_str)).for_pgbench(3);
        variables.sort();
        assert_eq!(text, "SELECT a FROM events WHERE b = :v3_0_0 AND c = NULL AND d = :v3_0_2;\n");
        assert_eq!(variables, ["v3_0_0=5", "v3_0_2=O'Brien, $1 = x"]);
    }
}
