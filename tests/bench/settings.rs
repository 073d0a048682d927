//! What is measured, from the environment.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{cases::Plan, database::Kind, generate, report::Report};

/// Of each case.
const QUESTIONS: usize = 200;

pub(crate) struct Settings {
    pub events: u64,
    pub databases: Vec<Kind>,
    pub plan: Plan,
    /// How long a case is measured the usual way; not at all when it is zero.
    pub usual: Duration,
    /// Keeps the data for the next run.
    pub keep: bool,
    /// Writes docs/PERFORMANCE.md.
    pub publish: bool,
    /// Only writes the page, from earlier results.
    pub only_publish: bool,
    /// Where the data and the results are: cargo's target folder.
    pub target: PathBuf,
}

impl Settings {
    /// # Errors
    /// A text for the terminal, when a variable has a value that cannot be used.
    pub(crate) fn from_environment() -> Result<Self, String> {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let is_set = |name: &str| variable(name).is_some_and(|value| value != "0");
        let only_publish = env::args().nth(1).is_some_and(|argument| argument == "--publish");
        let events = variable("EVENTS").unwrap_or_else(|| "1000000".into()).replace('_', "");
        let events = events.parse().ok().filter(|events| (1000..=1_000_000_000).contains(events));
        let databases = variable("DATABASES").unwrap_or_else(|| "sqlite postgres".into());
        let databases: Option<Vec<Kind>> = databases
            .split_whitespace()
            .map(|name| {
                [Kind::Sqlite, Kind::Postgres, Kind::Citus].into_iter().find(|kind| kind.name() == name)
            })
            .collect();
        let only = variable("CASES").unwrap_or_default();
        let only =
            only.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let usual = variable("USUAL_SECONDS").unwrap_or_else(|| "20".into()).parse().ok();
        let usual = usual.filter(|seconds| *seconds <= 3600);
        let target = variable("TARGET").map_or_else(|| "target".into(), PathBuf::from);
        Ok(Self {
            events: events.ok_or("EVENTS must be a number from 1000 to 1000000000")?,
            databases: databases
                .ok_or("DATABASES must be some of sqlite, postgres and citus, with spaces between")?,
            plan: Plan { questions: QUESTIONS, only },
            usual: Duration::from_secs(usual.ok_or("USUAL_SECONDS must be a number up to 3600")?),
            keep: is_set("KEEP"),
            publish: only_publish || is_set("PUBLISH"),
            only_publish,
            target: std::path::absolute(target).map_err(|error| error.to_string())?,
        })
    }

    /// The folder of a database, and of what was measured while it was filled.
    pub(crate) fn folder(&self, kind: Kind) -> PathBuf {
        let name = format!("{}-{}-v{}", kind.name(), self.events, generate::VERSION);
        self.target.join("bench-data").join(name)
    }

    /// Writes bench.json, and the same under a name with the number of events, for the page of all sizes.
    pub(crate) fn write(&self, report: &Report) {
        let text = serde_json::to_string_pretty(report).expect("JSON") + "\n";
        let write =
            |path: &Path| fs::write(path, &text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        write(&self.target.join("bench.json"));
        if self.plan.only.is_empty() {
            write(&self.target.join(format!("bench-{}.json", self.events)));
        }
    }
}
