//! Processor time of the server by stage, and of the database, from /proc.
//!
//! | stage | threads |
//! |---|---|
//! | parse | HTTP workers and those to which they give bodies: reading, checking, masking |
//! | append | the appender's, one per shard, and that of SQLite's checkpoints |
//! | index, counts | the background jobs' |
//! | database | PostgreSQL's processes. SQLite works inside the threads above |

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

/// Units of the kernel's counters per second: `getconf CLK_TCK` is 100 on every Linux that there is.
const TICKS_PER_S: f64 = 100.0;

/// Seconds of processor time; per event, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stages {
    pub total: f64,
    pub parse: f64,
    pub append: f64,
    pub index: f64,
    pub counts: f64,
    pub database: f64,
    /// Other threads, and those that have ended.
    pub other: f64,
}

impl Stages {
    /// What a server has used so far, and PostgreSQL, whose folder is `cluster`.
    pub(crate) fn of(server: u32, cluster: Option<&Path>) -> Self {
        let mut stages = Self { database: cluster.map_or(0.0, database), ..Self::default() };
        let mut known = 0.0;
        for task in fs::read_dir(format!("/proc/{server}/task")).into_iter().flatten().flatten() {
            let Some(Stat { name, own, .. }) = Stat::read(&task.path()) else { continue };
            // The kernel keeps 15 bytes of a name.
            let stage = match name.as_str() {
                "build_index" => &mut stages.index,
                "compact_counts" => &mut stages.counts,
                name if ["append", "checkpoint"].iter().any(|stage| name.starts_with(stage)) => {
                    &mut stages.append
                }
                name if ["actix", "tokio", "parse"].iter().any(|stage| name.starts_with(stage)) => {
                    &mut stages.parse
                }
                _ => continue,
            };
            *stage += own;
            known += own;
        }
        let all = Stat::read(Path::new(&format!("/proc/{server}"))).map_or(0.0, |stat| stat.own);
        stages.other = (all - known).max(0.0);
        stages.total = all.max(known) + stages.database;
        stages
    }

    /// Microseconds per event since an earlier moment.
    pub(crate) fn since(self, earlier: Self, events: u64) -> Self {
        let per_event = |now: f64, then: f64| (now - then).max(0.0) * 1e6 / events as f64;
        Self {
            total: per_event(self.total, earlier.total),
            parse: per_event(self.parse, earlier.parse),
            append: per_event(self.append, earlier.append),
            index: per_event(self.index, earlier.index),
            counts: per_event(self.counts, earlier.counts),
            database: per_event(self.database, earlier.database),
            other: per_event(self.other, earlier.other),
        }
    }
}

/// The postmaster and its children. Those that have ended count with the postmaster.
fn database(cluster: &Path) -> f64 {
    let file = fs::read_to_string(cluster.join("data/postmaster.pid")).unwrap_or_default();
    let Some(postmaster) = file.lines().next().and_then(|pid| pid.trim().parse::<u32>().ok()) else {
        return 0.0;
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = processes.filter_map(|process| Stat::read(&process.path()));
    let own = stats.map(|stat| match stat {
        Stat { pid, own, ended, .. } if pid == postmaster => own + ended,
        Stat { parent, own, .. } if parent == postmaster => own,
        _ => 0.0,
    });
    own.sum()
}

/// What the kernel says of a process or a thread.
#[derive(Debug, PartialEq)]
struct Stat {
    pid: u32,
    name: String,
    parent: u32,
    /// Seconds of its own.
    own: f64,
    /// Seconds of its children that have ended.
    ended: f64,
}

impl Stat {
    /// None for what is no process, or has just ended.
    fn read(folder: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(folder.join("stat")).ok()?)
    }

    /// `man 5 proc_pid_stat`: the name is in brackets and may contain any character.
    fn parse(text: &str) -> Option<Self> {
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let seconds = |place: usize| Some(fields.get(place)?.parse::<f64>().ok()? / TICKS_PER_S);
        Some(Self {
            pid: pid.parse().ok()?,
            name: name.to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            own: seconds(11)? + seconds(12)?,
            ended: seconds(13)? + seconds(14)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let text = "71 (a) b (c) S 7 71 71 0 -1 4194560 5 0 0 0 150 50 30 10 20 0 1 0 99 0 0\n";
        let expected = Stat { pid: 71, name: "a) b (c".into(), parent: 7, own: 2.0, ended: 0.4 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("not a process"), None);
    }

    #[test]
    fn this_process_has_used_some() {
        let before = Stages::of(std::process::id(), None);
        let start = std::time::Instant::now();
        while start.elapsed().as_millis() < 60 {
            std::hint::spin_loop();
        }
        let used = Stages::of(std::process::id(), None).since(before, 1_000_000);
        assert!(used.total > 0.0 && (used.total - used.other).abs() < 1e-9, "{used:?}");
    }
}
