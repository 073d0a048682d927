//! A killed server loses nothing that it acknowledged, and stores nothing twice.
//!
//! SIGKILL ends the real process at random moments, sometimes while it starts, under clients that append as fast as they
//! can. Clients send what was not answered again, to the next process on the same data. After every kill the feed has no
//! gap, and each batch is there whole or not at all. In the end lists, searches and counts are those of the feed's events,
//! and the index and the counts are those that a rebuild gives.
//!
//! The process dies, not the machine: the stories' PostgreSQL runs without fsync, and what SQLite has written is safe with
//! the kernel. A power failure would test their promises, not ours.
//!
//! `make test` kills only a few times. `LOGBOOK_CRASHES=100 cargo test -p logbook-tests crash -- --nocapture` kills a
//! hundred times on each database and prints figures.

mod proof;
mod reader;
mod writer;

use std::{
    ops::Range,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use self::{reader::Reader, writer::Writer};
use logbook::config::DataConfig;
use logbook_tests::{
    postgres,
    process::{Process, Starting},
    wait::wait_until,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::json;

const SLUG: &str = "clinic";
const WRITERS: usize = 4;
/// How long a process has clients, in milliseconds …
const LIFE: Range<u64> = 20..400;
/// … and one in so many of them longer, so that the background jobs have something done.
const LONGER: u32 = 5;
const LONGER_LIFE: Range<u64> = 400..2000;
/// One in so many has that time from its first request on, the others from its first answer: a debug build spends most of a
/// short life on what the first request prepares.
const FROM_BEGINNING: u32 = 4;
/// After one in so many, the next process is killed while it starts.
const AT_START: u32 = 4;

#[test]
fn sqlite() {
    story("SQLite", |folder| format!("sqlite://{}", folder.join("logbook.db").display()));
}

#[test]
fn postgres() {
    story("PostgreSQL", |_| postgres::new_database());
}

fn kills() -> u32 {
    match std::env::var("LOGBOOK_CRASHES") {
        Ok(kills) => kills.parse().expect("LOGBOOK_CRASHES is a number"),
        Err(_) => 6,
    }
}

fn story(name: &str, url: impl FnOnce(&Path) -> String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data =
        DataConfig { database_url: url(folder.path()), data_dir: folder.path().join("data"), audit: false };
    // The moments are never the same twice, so the events need not be either.
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos() as u64;
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut writers: Vec<Writer> = (0..WRITERS).map(|n| Writer::new(n, seed)).collect();
    let mut reader = Reader::default();
    let mut figures = Figures::default();

    let mut server = Process::start(&data, &[]);
    let workspace = json!({"slug": SLUG, "name": SLUG, "timezone": "UTC"});
    server.admin().post("/workspaces", workspace).expect(201);
    for _ in 0..kills() {
        let answered = &AtomicBool::new(false);
        let longer = rng.random_range(0..LONGER) == 0;
        let life = Duration::from_millis(rng.random_range(if longer { LONGER_LIFE } else { LIFE }));
        let from_beginning = rng.random_range(0..FROM_BEGINNING) == 0;
        thread::scope(|scope| {
            for writer in &mut writers {
                let client = server.admin();
                scope.spawn(move || writer.write(&client, answered));
            }
            let (client, reader) = (server.admin(), &mut reader);
            scope.spawn(move || reader.follow(&client));
            if !from_beginning {
                wait_until("a request is answered", || answered.load(Ordering::Relaxed));
            }
            thread::sleep(life);
            server.kill();
        });
        figures.kills += 1;
        if rng.random_range(0..AT_START) == 0 {
            let starting = Starting::spawn(&data, &[]);
            thread::sleep(figures.usual_start().mul_f64(rng.random_range(0.0..1.2)));
            starting.kill();
            figures.kills_at_start += 1;
        }
        let started = Instant::now();
        server = Process::start(&data, &[]);
        figures.starts.push(started.elapsed());
        reader.catch_up(&server.admin());
        for unanswered in writers.iter().filter_map(Writer::unanswered) {
            if reader.has_all_or_none(unanswered) { figures.stored += 1 } else { figures.not_stored += 1 }
        }
    }
    let admin = server.admin();
    for writer in &mut writers {
        writer.finish(&admin);
    }
    reader.catch_up(&admin);
    figures.index_lag = admin.index_lag();
    let waiting = Instant::now();
    admin.wait_for_index();
    figures.caught_up = waiting.elapsed();
    figures.large_segments = proof::large_segments(&data);
    proof::prove(&server, &data, &reader, &writers);
    figures.print(name, &reader, &writers);
}

/// What happened in a run, to see that something did.
#[derive(Default)]
struct Figures {
    kills: usize,
    kills_at_start: usize,
    /// Unanswered batches that had been stored.
    stored: usize,
    not_stored: usize,
    starts: Vec<Duration>,
    index_lag: u64,
    caught_up: Duration,
    large_segments: usize,
}

impl Figures {
    fn usual_start(&self) -> Duration {
        self.starts.last().copied().unwrap_or(Duration::from_millis(200))
    }

    fn print(&self, name: &str, reader: &Reader, writers: &[Writer]) {
        let Self { kills, kills_at_start, stored, not_stored, starts, index_lag, caught_up, large_segments } =
            self;
        let sum = |of: fn(&Writer) -> usize| writers.iter().map(of).sum::<usize>();
        println!(
            "{name}: {kills} kills under load and {kills_at_start} at a start; {} events in {} batches; \
             unanswered {}, of them stored {stored}; sent again though answered {}, refused with 503 {}; \
             longest start {:?}; index lag {index_lag} at the end, 0 after {caught_up:?}; \
             {large_segments} large segments",
            reader.events.len(),
            sum(|writer| writer.stored.len()),
            stored + not_stored,
            sum(|writer| writer.repeated),
            sum(|writer| writer.refused),
            starts.iter().max().copied().unwrap_or_default(),
        );
    }
}
