//! The real program as a process: only a process can be killed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::OnceLock,
    thread,
};

use logbook::{
    accounts::{claims::Claims, role::Role, script_tokens},
    config::DataConfig,
    server::open_tokens,
};
use logbook_engine::db::Db;

use crate::Client;

/// The program that `scripts/build-api dev` made, of the same profile as the tests.
pub fn binary() -> PathBuf {
    let tests = std::env::current_exe().expect("a path");
    // target/debug/deps/stories-… and target/debug/logbook.
    let path = tests.parent().and_then(Path::parent).expect("two folders up").join("logbook");
    assert!(path.exists(), "{} is not there; make it: scripts/build-api dev", path.display());
    path
}

fn command(data: &DataConfig) -> Command {
    // The process ends with the thread that started it, however that ends.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(binary())
        .env("LOGBOOK_DATABASE_URL", &data.database_url)
        .env("LOGBOOK_DATA_DIR", &data.data_dir)
        .env("LOGBOOK_AUDIT", data.audit.to_string())
        .env("LOGBOOK_RATE_KEY", "0")
        .env("LOGBOOK_RATE_USER", "0")
        .env("LOGBOOK_RATE_ADDRESS", "0")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(data: &DataConfig, args: &[&str]) -> Output {
    command(data).args(args).output().expect("the program runs")
}

/// A command that runs until it is told to end. What it prints is in a file.
pub struct Background {
    child: Child,
    output: PathBuf,
}

impl Background {
    /// Starts it. `output` gets what it prints, after what is there.
    pub fn spawn(data: &DataConfig, output: &Path, args: &[&str]) -> Self {
        let file = || fs::OpenOptions::new().create(true).append(true).open(output).expect("a file");
        let child =
            command(data).args(args).stdout(file()).stderr(file()).spawn().expect("the program starts");
        Self { child, output: output.to_owned() }
    }

    /// What it has printed.
    pub fn printed(&self) -> String {
        fs::read_to_string(&self.output).expect("a text")
    }

    /// Sends a signal, such as TERM.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("a signal is sent").success());
    }

    /// Waits until it has ended, and says whether it was content.
    pub fn wait(mut self) -> bool {
        self.child.wait().expect("it ends").success()
    }

    /// Sends SIGKILL and waits until it is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// Runs a command to its end that can write no file beyond so many bytes: to it the disk is full.
pub fn run_with_file_limit(data: &DataConfig, bytes: u64, args: &[&str]) -> Output {
    let mut limited = Command::new("prlimit");
    // Ignored signals stay ignored: without that, the limit would end the program instead of failing the write.
    let script = r#"trap '' XFSZ; exec "$@""#;
    limited.arg(format!("--fsize={bytes}")).args(["bash", "-c", script, "bash"]);
    let plain = command(data);
    limited.arg(plain.get_program()).args(plain.get_args()).args(args).stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    limited.output().expect("the program runs")
}

/// `logbook serve` while it starts.
pub struct Starting {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

/// `logbook serve` on a port of its own. Its log is `server.log` beside its data folder.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    data: DataConfig,
    /// The token of [`Process::admin`].
    token: OnceLock<String>,
}

impl Starting {
    /// Starts it without waiting.
    pub fn spawn(data: &DataConfig, arguments: &[&str]) -> Self {
        let log = data.data_dir.with_file_name("server.log");
        let stderr = fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log file");
        let mut child = command(data)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines, log }
    }

    /// Waits until it listens.
    ///
    /// # Panics
    /// When the process ends before that.
    pub fn wait(self, data: &DataConfig) -> Process {
        let Self { child, mut lines, log } = self;
        let address = loop {
            let line = lines.next().and_then(Result::ok).unwrap_or_else(|| {
                let said = fs::read_to_string(&log).unwrap_or_default();
                panic!("the server did not start; the end of its log: {}", last_lines(&said))
            });
            if let Some((_, address)) = line.split_once("listens on http://") {
                break address.trim().parse().expect("an address");
            }
        };
        // Nobody reads the rest, and a full pipe would stop the server.
        thread::spawn(move || lines.for_each(drop));
        Process { child, address, data: data.clone(), token: OnceLock::new() }
    }

    /// Sends SIGKILL, however far it has come.
    pub fn kill(mut self) {
        kill(&mut self.child);
    }
}

impl Process {
    /// Starts the server and waits until it listens.
    pub fn start(data: &DataConfig, arguments: &[&str]) -> Self {
        Starting::spawn(data, arguments).wait(data)
    }

    /// A client that may do everything everywhere.
    pub fn admin(&self) -> Client {
        let token = self.token.get_or_init(|| {
            let mut claims = Claims::new("token:test".into(), "test".into(), 3600);
            claims.everywhere = Some(Role::Admin);
            claims.platform_admin = true;
            let db = Db::open(&self.data.database_url, 1).expect("the database");
            let mut conn = db.conn().expect("a connection");
            script_tokens::create(&mut conn, &mut claims, Role::Admin, None).expect("a known token");
            let tokens = open_tokens(&self.data.data_dir).expect("the server's keys");
            tokens.sign(&claims).expect("a token")
        });
        Client::new(self.address, Some(token.clone()))
    }

    /// The peak of its resident memory.
    pub fn peak_memory_mib(&self) -> u64 {
        status_kib(self.child.id(), "VmHWM") / 1024
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(status.expect("a signal is sent").success());
    }

    /// Whether the process is gone.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("an answer").is_some()
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// A line of /proc/PID/status in KiB; 0 where there is none.
pub fn status_kib(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
