//! The real `logbook serve`, in its own process.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use logbook_tests::process::status_kib;

use crate::http::Target;

/// The workspace that is filled and queried.
pub(crate) const WORKSPACE: &str = "bench";

pub(crate) struct Server {
    child: Child,
    pub target: Target,
    watch: Watch,
}

impl Server {
    /// Starts the server on its database, with its keys and its log file in the folder.
    pub(crate) fn start(binary: &Path, database_url: &str, folder: &Path) -> Self {
        let data = folder.join("keys");
        let token = token(binary, database_url, &data);
        let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("server.log"));
        // The server ends with this process, however that ends.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(binary)
            .arg("serve")
            .env("LOGBOOK_LISTEN", "127.0.0.1:0")
            // Without audit events, which would be measured too.
            .env("LOGBOOK_AUDIT", "false")
            .env("LOGBOOK_RATE_KEY", "0")
            .env("LOGBOOK_DATABASE_URL", database_url)
            .env("LOGBOOK_DATA_DIR", &data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.expect("a log file"))
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let address = loop {
            let line = lines.next().and_then(Result::ok).unwrap_or_else(|| {
                panic!("the server did not start; see {}", folder.join("server.log").display())
            });
            if let Some((_, address)) = line.split_once("listens on http://") {
                break address.trim().parse().expect("an address");
            }
        };
        thread::spawn(move || lines.for_each(drop));
        let watch = Watch::start(child.id());
        Self { child, target: Target { address, token, workspace: WORKSPACE }, watch }
    }

    /// The server's memory now.
    pub(crate) fn memory(&self) -> Memory {
        Memory { peak_anonymous_mb: self.watch.peak_mb(), ..Memory::of(self.child.id()) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server and waits for it. Returns its peak memory.
    pub(crate) fn stop(mut self) -> Memory {
        let memory = self.memory();
        self.end();
        memory
    }

    fn end(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// The server's binary: beside this one.
pub(crate) fn binary() -> PathBuf {
    let path = std::env::current_exe().expect("a path").with_file_name("logbook");
    assert!(path.exists(), "{} is not there; scripts/bench builds it", path.display());
    path
}

fn token(binary: &Path, database_url: &str, data: &Path) -> String {
    let output = Command::new(binary)
        .args(["token", "--role", "admin", "--hours", "240"])
        .env("LOGBOOK_DATABASE_URL", database_url)
        .env("LOGBOOK_DATA_DIR", data)
        .output()
        .expect("the server's binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

/// A process's memory in MB (10^6 bytes).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub resident_mb: f64,
    /// The peak of resident memory, pages of mapped files included.
    pub peak_mb: f64,
    /// The peak of resident memory without pages of files, which the kernel can take back at any time.
    pub peak_anonymous_mb: f64,
}

impl Memory {
    fn of(pid: u32) -> Self {
        let mb = |name| status_kib(pid, name) as f64 * 1024.0 / 1e6;
        Self { resident_mb: mb("VmRSS"), peak_mb: mb("VmHWM"), peak_anonymous_mb: mb("RssAnon") }
    }
}

/// Samples a process's anonymous memory now and then, since the kernel records the peak only of all resident memory.
struct Watch {
    peak_kb: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
}

impl Watch {
    fn start(pid: u32) -> Self {
        let (peak_kb, ends) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let watch = Self { peak_kb: peak_kb.clone(), ends: ends.clone() };
        thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                peak_kb.fetch_max(status_kib(pid, "RssAnon"), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(50));
            }
        });
        watch
    }

    fn peak_mb(&self) -> f64 {
        self.peak_kb.load(Ordering::Relaxed) as f64 * 1024.0 / 1e6
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}
