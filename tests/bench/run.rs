//! Measures one database, from its first event to its figures.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use logbook_engine::db::citus::DISTRIBUTED;
use logbook_tests::{
    citus,
    postgres::{Cluster, as_superuser},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    cases::{self, Case, Samples},
    copy,
    database::{Database, Kind},
    doors, export,
    http::Target,
    load::{self, Loaded},
    measure,
    neighbour::{self, Size},
    processor::Stages,
    report::{
        CaseFigures, DoorFigures, ExportFigures, HttpFigures, IngestFigures, MemoryFigures, NeighbourFigures,
        Run,
    },
    server::{self, Memory, Server},
    settings::Settings,
    storage, throughput,
};

/// The settings of a production server of this size. All others are PostgreSQL's defaults, so every commit is on disk
/// before it is acknowledged.
const POSTGRES: [&str; 5] = [
    "shared_buffers=1GB",
    "effective_cache_size=4GB",
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "random_page_cost=1.1",
];
/// Databases of the cluster.
const DATABASE: &str = "bench";
const NEIGHBOUR: &str = "neighbour";
/// The same of ingest through doors, and its events in each round.
const DOORS: &str = "doors";
const DOOR_EVENTS: u64 = 50_000;
/// PostgreSQL's folder.
const CLUSTER: &str = "cluster";
const SEED: u64 = 7;
/// How long a server stays idle before its memory is read.
const REST: Duration = Duration::from_secs(3);

/// What was measured while a database was filled. It is stored with the data.
#[derive(Serialize, Deserialize)]
struct Filled {
    loaded: Loaded,
    peak_mb: f64,
    peak_anonymous_mb: f64,
    processor_us_per_event: Stages,
}

pub(crate) fn database(settings: &Settings, kind: Kind) -> Run {
    let folder = settings.folder(kind);
    let note = folder.join("filled.json");
    // A database of Citus is not in the folder, and a new one each time.
    let keep = settings.keep && kind != Kind::Citus;
    if !keep || !note.exists() {
        let _ = fs::remove_dir_all(&folder);
    }
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let cluster = (kind == Kind::Postgres).then(|| {
        let settings: Vec<&str> = POSTGRES.iter().chain(&throughput::SETTINGS).copied().collect();
        Cluster::start(&folder.join(CLUSTER), &settings)
    });
    let database = match &cluster {
        None if kind == Kind::Citus => new_citus_database(),
        None => Database::Sqlite(folder.join("logbook.db")),
        Some(cluster) => new_database(cluster, DATABASE),
    };
    let filled = once(&note, || fill(&database, settings.events, &folder));
    let mut run = measured(settings, &database, &folder, filled);
    if settings.plan.wants(NEIGHBOUR) {
        run.neighbour = Some(neighbour(cluster.as_ref(), kind, &folder));
    }
    if settings.plan.wants(DOORS) {
        run.doors = Some(doors(cluster.as_ref(), kind, &folder));
    }
    if let Some(cluster) = cluster {
        cluster.stop();
    }
    if !keep {
        fs::remove_dir_all(&folder).expect("the data are removed");
    }
    run
}

/// A database of the cluster, created unless it exists.
fn new_database(cluster: &Cluster, name: &str) -> Database {
    let mut direct = Database::Postgres(format!("{}/postgres", cluster.url)).connect();
    if direct.number(&format!("SELECT count(*) AS n FROM pg_database WHERE datname = '{name}'")) == 0 {
        direct.execute(&format!("CREATE DATABASE {name}"));
    }
    Database::Postgres(format!("{}/{name}", cluster.url))
}

fn new_citus_database() -> Database {
    Database::Citus(as_superuser(&citus::new_database()))
}

/// Runs `measure` with a server on a database of its own, which is removed afterwards: its events are not those that are measured.
fn apart<T>(
    cluster: Option<&Cluster>,
    kind: Kind,
    (folder, name): (&Path, &str),
    measure: impl FnOnce(&Server) -> T,
) -> T {
    let own = folder.join(name);
    fs::create_dir_all(&own).expect("a folder");
    let database = match cluster {
        None if kind == Kind::Citus => new_citus_database(),
        None => Database::Sqlite(own.join("logbook.db")),
        Some(cluster) => new_database(cluster, name),
    };
    let on_citus = (kind == Kind::Citus).then(|| citus::OwnDatabase::of(&database.url()));
    let server = Server::start(&server::binary(), &database.url(), &own);
    let figures = measure(&server);
    server.stop();
    if let Some(cluster) = cluster {
        let mut direct = Database::Postgres(format!("{}/postgres", cluster.url)).connect();
        direct.execute(&format!("DROP DATABASE {name}"));
    }
    drop(on_citus);
    fs::remove_dir_all(&own).expect("the data are removed");
    figures
}

fn neighbour(cluster: Option<&Cluster>, kind: Kind, folder: &Path) -> NeighbourFigures {
    let bar = progress(1, &format!("{}: a neighbour at full ingest", kind.name()));
    let figures =
        apart(cluster, kind, (folder, NEIGHBOUR), |server| neighbour::run(&server.target, Size::FULL));
    bar.finish();
    figures
}

fn doors(cluster: Option<&Cluster>, kind: Kind, folder: &Path) -> DoorFigures {
    let bar = progress(1, &format!("{}: ingest by HEC and OTLP", kind.name()));
    let cluster_folder = cluster.map(|_| folder.join(CLUSTER));
    let figures = apart(cluster, kind, (folder, DOORS), |server| {
        load::make_workspace(&server.target);
        doors::run(&server.target, (server.pid(), cluster_folder.as_deref()), DOOR_EVENTS)
    });
    bar.finish();
    figures
}

fn fill(database: &Database, events: u64, folder: &Path) -> Filled {
    let server = Server::start(&server::binary(), &database.url(), folder);
    load::make_workspace(&server.target);
    let bar = progress(events, &format!("{}: ingest", database.kind().name()));
    let cluster = folder.join(CLUSTER);
    let cluster = (database.kind() == Kind::Postgres).then_some(cluster.as_path());
    let before = Stages::of(server.pid(), cluster);
    let loaded = load::run(&server.target, events, &bar);
    let processor_us_per_event = Stages::of(server.pid(), cluster).since(before, events);
    bar.finish();
    let memory = server.stop();
    // What autovacuum would have done by the time of a first query. Citus does it on its workers for named tables only.
    match database.kind() {
        Kind::Sqlite => {}
        Kind::Postgres => database.connect().execute("VACUUM ANALYZE"),
        Kind::Citus => database.connect().execute(&format!("VACUUM ANALYZE {}", DISTRIBUTED.join(", "))),
    }
    let Memory { resident_mb: _, peak_mb, peak_anonymous_mb } = memory;
    Filled { loaded, peak_mb, peak_anonymous_mb, processor_us_per_event }
}

/// Events per second by a bulk load of the same rows.
fn copied(database: &Database, events: u64, folder: &Path) -> f64 {
    let bar = progress(events, &format!("{}: bulk load of the same", database.kind().name()));
    let events_per_s = copy::run(database, folder, &bar);
    bar.finish();
    events_per_s
}

/// What an earlier run of the same data noted in the file, or what `measure` returns, which is noted.
fn once<T: Serialize + DeserializeOwned>(note: &Path, measure: impl FnOnce() -> T) -> T {
    if let Ok(text) = fs::read_to_string(note) {
        return serde_json::from_str(&text).expect("what an earlier run wrote");
    }
    let measured = measure();
    fs::write(note, serde_json::to_string(&measured).expect("JSON")).expect("the note is written");
    measured
}

fn measured(settings: &Settings, database: &Database, folder: &Path, filled: Filled) -> Run {
    let Filled { loaded, peak_mb, peak_anonymous_mb, processor_us_per_event } = filled;
    let mut direct = database.connect();
    let workspace_id = direct.workspace_id();
    let last_seq = format!("SELECT max(seq) AS n FROM events WHERE workspace_id = {workspace_id}");
    let last_seq = direct.number(&last_seq);
    // Events of Logbook's own may be among them.
    assert!(last_seq >= settings.events as i64, "{last_seq} events are stored of {}", settings.events);

    let server = Server::start(&server::binary(), &database.url(), folder);
    load::wait_until_searchable(&server.target);
    thread::sleep(REST);
    let rest = server.memory().resident_mb;

    let mut samples = Samples::draw(server.target.connect(), last_seq, SEED);
    let cases = cases::all(&mut samples, &settings.plan);
    let name = database.kind().name();
    let mut figures = ask(&cases, &mut samples, workspace_id, name);
    let http = (database.kind() == Kind::Postgres && settings.plan.wants("http"))
        .then(|| http(&mut samples, database, folder, workspace_id));
    let export = settings.plan.wants("export").then(|| export(&server.target, database, workspace_id));
    let memory = server.stop();

    // Last, and without the server: it reads so much that it would push everything out of the caches.
    let bar = progress(cases.len() as u64, &format!("{name}: the usual way"));
    for (case, figures) in cases.iter().zip(&mut figures) {
        measure::usual(case, &mut direct, workspace_id, settings.usual, figures);
        bar.inc(1);
    }
    bar.finish();
    let events_per_s = loaded.events_per_s();
    // After all questions: it writes so much that it would push what they read out of memory.
    let copy_events_per_s = once(&folder.join("copied.json"), || copied(database, settings.events, folder));
    Run {
        database: name.into(),
        version: direct.version(),
        settings: match database.kind() {
            Kind::Sqlite | Kind::Citus => Vec::new(),
            Kind::Postgres => POSTGRES.map(String::from).to_vec(),
        },
        measured_at: logbook_engine::db::timestamp::Timestamp::now().to_string(),
        commit: commit(),
        cases: figures,
        ingest: IngestFigures {
            events_per_s,
            durable_events_per_s: loaded.durable_events_per_s(),
            copy_events_per_s,
            ratio: events_per_s / copy_events_per_s,
            bytes_per_event: loaded.bytes as f64 / loaded.events as f64,
        },
        processor_us_per_event: Some(processor_us_per_event),
        neighbour: None,
        doors: None,
        http,
        export: export.flatten(),
        bytes_per_event: storage::bytes_per_event(&mut direct, database.kind(), settings.events),
        memory_mb: MemoryFigures {
            rest,
            load: memory.peak_mb.max(peak_mb),
            load_anonymous: memory.peak_anonymous_mb.max(peak_anonymous_mb),
        },
    }
}

/// Asks all cases over HTTP.
pub(crate) fn ask(cases: &[Case], samples: &mut Samples, workspace_id: i64, name: &str) -> Vec<CaseFigures> {
    let bar = progress(cases.len() as u64, &format!("{name}: cases"));
    let figures = cases.iter().map(|case| {
        let figures = measure::case(case, &mut samples.connection, workspace_id);
        bar.inc(1);
        figures
    });
    let figures = figures.collect();
    bar.finish();
    figures
}

fn http(samples: &mut Samples, database: &Database, folder: &Path, workspace_id: i64) -> HttpFigures {
    let bar = progress(1, "postgres: lists/s and pgbench");
    let figures = throughput::run(samples, database, &folder.join(CLUSTER), workspace_id);
    bar.finish();
    figures
}

fn export(target: &Target, database: &Database, workspace_id: i64) -> Option<ExportFigures> {
    let bar = progress(1, "exports and COPY");
    let figures = export::run(target, database, workspace_id);
    bar.finish();
    figures
}

/// A bar on a terminal; elsewhere a line when it begins.
fn progress(length: u64, what: &str) -> ProgressBar {
    let style = "{msg:32} {bar:30} {human_pos}/{human_len} {per_sec:>14} {elapsed:>5} eta {eta}";
    let bar = ProgressBar::new(length).with_message(what.to_owned());
    bar.set_style(ProgressStyle::with_template(style).expect("a template"));
    if bar.is_hidden() {
        eprintln!("{what}");
    } else {
        bar.enable_steady_tick(Duration::from_millis(500));
    }
    bar
}

fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=10"]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
