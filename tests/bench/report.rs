//! The figures: as JSON for machines and as a table for people.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::{Deserialize, Serialize};

use crate::processor::Stages;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub events: u64,
    pub generator: u32,
    pub machine: Machine,
    pub runs: Vec<Run>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub processor: String,
    pub processors: usize,
    pub memory_gb: f64,
    pub system: String,
}

/// The figures of one database.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub database: String,
    /// The database's version.
    pub version: String,
    /// Settings that are not its defaults.
    pub settings: Vec<String>,
    pub measured_at: String,
    /// The commit of Logbook's sources.
    pub commit: String,
    pub cases: Vec<CaseFigures>,
    pub ingest: IngestFigures,
    /// Microseconds of processor time per event while it is ingested. None in results of earlier versions.
    #[serde(default)]
    pub processor_us_per_event: Option<Stages>,
    /// None where it was not measured.
    #[serde(default)]
    pub neighbour: Option<NeighbourFigures>,
    /// None where it was not measured.
    #[serde(default)]
    pub doors: Option<DoorFigures>,
    /// None on SQLite, which pgbench cannot speak to.
    pub http: Option<HttpFigures>,
    /// None where there is no COPY, or in results of earlier versions.
    #[serde(default)]
    pub export: Option<ExportFigures>,
    /// `total`, and each table and index.
    pub bytes_per_event: BTreeMap<String, f64>,
    pub memory_mb: MemoryFigures,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CaseFigures {
    pub name: String,
    pub group: String,
    pub requests: usize,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub max_ms: f64,
    pub budget_p95_ms: Option<f64>,
    pub usual_p50_ms: Option<f64>,
    /// The usual way was stopped: `usual_p50_ms` is a lower bound.
    pub usual_is_longer: bool,
    /// Answers for which the server ran out of time before it had scanned everything.
    pub unfinished: usize,
    /// Why the case measured something else than it says.
    pub wrong: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IngestFigures {
    /// Until the events are durable, and in the index and the counts.
    pub events_per_s: f64,
    /// Until the events are acknowledged: durable and readable.
    pub durable_events_per_s: f64,
    pub copy_events_per_s: f64,
    /// `events_per_s` divided by `copy_events_per_s`.
    pub ratio: f64,
    /// Bytes of the requests.
    pub bytes_per_event: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HttpFigures {
    pub list_per_s: f64,
    pub pgbench_per_s: f64,
    pub ratio: f64,
    /// The statements of a first page, which the server and pgbench both run.
    pub statements: Vec<String>,
}

/// A whole log as NDJSON.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ExportFigures {
    pub events_per_s: f64,
    pub copy_events_per_s: f64,
    /// `events_per_s` divided by `copy_events_per_s`.
    pub ratio: f64,
}

/// Ingest through the doors of sources, against the typed endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DoorFigures {
    pub typed_events_per_s: f64,
    pub typed_processor_us_per_event: Stages,
    pub doors: Vec<DoorFigure>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DoorFigure {
    pub name: String,
    pub events_per_s: f64,
    /// Divided by `typed_events_per_s`.
    pub ratio: f64,
    pub processor_us_per_event: Stages,
}

/// What a quiet workspace feels of a noisy one that ingests by the typed endpoint, and by a door.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct NeighbourFigures {
    pub ingest: Noise,
    pub door: Noise,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Noise {
    pub list: Beside,
    pub append: Beside,
    /// What the noisy one ingested meanwhile.
    pub events_per_s: f64,
    /// Appends of the quiet one that had to be sent again, since the server was busy.
    pub refused: u64,
}

/// The p95 of a request alone, and beside a neighbour.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub alone_p95_ms: f64,
    pub beside_p95_ms: f64,
    pub ratio: f64,
}

impl Beside {
    pub(crate) fn new(alone_p95_ms: f64, beside_p95_ms: f64) -> Self {
        Self { alone_p95_ms, beside_p95_ms, ratio: beside_p95_ms / alone_p95_ms }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct MemoryFigures {
    /// Idle, after a start on the full database.
    pub rest: f64,
    /// The peak while loading and while all cases ran, mapped files included.
    pub load: f64,
    /// As `load`, without mapped files.
    pub load_anonymous: f64,
}

/// The budgets that do not belong to a case.
const LEAST_INGEST_RATIO: f64 = 0.35;
const LEAST_DOOR_RATIO: f64 = 0.8;
const LEAST_HTTP_RATIO: f64 = 0.6;
const MOST_US_PER_EVENT: f64 = 20.0;
const MOST_US_OF_THE_INDEX: f64 = 8.0;
const MOST_BESIDE_A_NEIGHBOUR: f64 = 3.0;
const MOST_BYTES_PER_EVENT: f64 = 600.0;
const MOST_MB_AT_REST: f64 = 60.0;
const MOST_MB_UNDER_LOAD: f64 = 250.0;

impl CaseFigures {
    /// None where there is no budget.
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.budget_p95_ms.map(|budget| self.p95_ms <= budget && self.unfinished == 0 && self.wrong.is_none())
    }

    pub(crate) fn usual(&self) -> String {
        let Some(usual) = self.usual_p50_ms else { return "-".into() };
        format!("{}{}", if self.usual_is_longer { "> " } else { "" }, milliseconds(usual))
    }

    /// How many times longer the usual way takes.
    pub(crate) fn factor(&self) -> Option<f64> {
        self.usual_p50_ms.filter(|_| self.p50_ms > 0.0).map(|usual| usual / self.p50_ms)
    }
}

impl Run {
    /// Lines of the figures without a case: name, value, and whether the budget is met.
    pub(crate) fn others(&self) -> Vec<(String, String, Option<bool>)> {
        let Self { ingest, processor_us_per_event, neighbour, doors, http, export, bytes_per_event, .. } =
            self;
        let memory_mb = &self.memory_mb;
        let bytes = bytes_per_event.get("total").copied().unwrap_or(0.0);
        let mut lines = vec![
            (
                "ingest: events/s, durable and searchable; by bulk load; ratio".into(),
                format!("{:.0}; {:.0}; {:.2}", ingest.events_per_s, ingest.copy_events_per_s, ingest.ratio),
                Some(ingest.ratio >= LEAST_INGEST_RATIO),
            ),
            ("ingest: events/s, durable".into(), format!("{:.0}", ingest.durable_events_per_s), None),
        ];
        if let Some(stages) = processor_us_per_event {
            lines.extend(processor_lines(stages));
        }
        if let Some(NeighbourFigures { ingest, door }) = neighbour {
            for (how, Noise { list, append, events_per_s, refused }) in
                [("at full ingest", ingest), ("at full ingest by HEC, with poison", door)]
            {
                for (what, Beside { alone_p95_ms, beside_p95_ms, ratio }) in
                    [("list", list), ("append", append)]
                {
                    let (alone, beside) = (milliseconds(*alone_p95_ms), milliseconds(*beside_p95_ms));
                    lines.push((
                        format!("{what}: p95 alone, ms; beside a neighbour {how}; ratio"),
                        format!("{alone}; {beside}; {ratio:.1}"),
                        Some(*ratio <= MOST_BESIDE_A_NEIGHBOUR),
                    ));
                }
                lines.push((
                    format!("the neighbour {how}: events/s; appends beside it that were sent again"),
                    format!("{events_per_s:.0}; {refused}"),
                    None,
                ));
            }
        }
        if let Some(DoorFigures { typed_events_per_s, typed_processor_us_per_event, doors }) = doors {
            let processor = |stages: &Stages| {
                let Stages { parse, append, database, .. } = stages;
                format!("{parse:.0}; {append:.0}; {database:.0}")
            };
            let of = "processor time per event, µs: parse; append; database";
            for DoorFigure { name, events_per_s, ratio, processor_us_per_event } in doors {
                lines.push((
                    format!("ingest by {name}: events/s, durable; by the typed endpoint; ratio"),
                    format!("{events_per_s:.0}; {typed_events_per_s:.0}; {ratio:.2}"),
                    Some(*ratio >= LEAST_DOOR_RATIO),
                ));
                lines.push((format!("ingest by {name}: {of}"), processor(processor_us_per_event), None));
            }
            lines.push((
                format!("ingest by the typed endpoint: {of}"),
                processor(typed_processor_us_per_event),
                None,
            ));
        }
        if let Some(http) = http {
            lines.push((
                "lists/s over HTTP; the same SQL by pgbench; ratio".into(),
                format!("{:.0}; {:.0}; {:.2}", http.list_per_s, http.pgbench_per_s, http.ratio),
                Some(http.ratio >= LEAST_HTTP_RATIO),
            ));
        }
        if let Some(ExportFigures { events_per_s, copy_events_per_s, ratio }) = export {
            lines.push((
                "export: events/s as NDJSON over HTTP; by COPY; ratio".into(),
                format!("{events_per_s:.0}; {copy_events_per_s:.0}; {ratio:.2}"),
                None,
            ));
        }
        lines.extend([
            (
                "bytes per event, indexes included".into(),
                format!("{bytes:.0}"),
                Some(bytes <= MOST_BYTES_PER_EVENT),
            ),
            (
                "memory at rest, MB".into(),
                format!("{:.0}", memory_mb.rest),
                Some(memory_mb.rest <= MOST_MB_AT_REST),
            ),
            (
                "memory under load, MB (without mapped files)".into(),
                format!("{:.0} ({:.0})", memory_mb.load, memory_mb.load_anonymous),
                Some(memory_mb.load <= MOST_MB_UNDER_LOAD),
            ),
        ]);
        lines
    }

    /// For a terminal.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "\n{}\n{:<44} {:>6} {:>9} {:>9} {:>9} {:>7}      {:>11} {:>8}\n",
            self.version, "milliseconds", "n", "p50", "p95", "max", "budget", "usual p50", "factor"
        );
        for case in &self.cases {
            let budget = case.budget_p95_ms.map_or_else(|| "-".into(), |budget| format!("{budget:.0}"));
            let factor = case.factor().map_or_else(|| "-".into(), |factor| format!("{factor:.1}"));
            let _ = writeln!(
                text,
                "{:<44} {:>6} {:>9} {:>9} {:>9} {:>7} {:<4} {:>11} {:>8}{}",
                case.name,
                case.requests,
                milliseconds(case.p50_ms),
                milliseconds(case.p95_ms),
                milliseconds(case.max_ms),
                budget,
                mark(case.is_met()),
                case.usual(),
                factor,
                remark(case),
            );
        }
        for (what, figure, met) in self.others() {
            let _ = writeln!(text, "{what:<64} {figure:>24} {}", mark(met));
        }
        text.push_str("bytes per event:");
        for (name, bytes) in &self.bytes_per_event {
            let _ = write!(text, " {name} {bytes:.1}");
        }
        text.push('\n');
        text
    }

    pub(crate) fn wrong(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cases.iter().filter_map(|case| Some((case.name.as_str(), case.wrong.as_deref()?)))
    }
}

fn processor_lines(stages: &Stages) -> [(String, String, Option<bool>); 3] {
    let Stages { total, parse, append, index, counts, database, other } = stages;
    [
        ("processor time per event, µs".into(), format!("{total:.1}"), Some(*total <= MOST_US_PER_EVENT)),
        ("… of it the search index".into(), format!("{index:.1}"), Some(*index <= MOST_US_OF_THE_INDEX)),
        (
            "… parse; append; counts; database; other".into(),
            format!("{parse:.1}; {append:.1}; {counts:.1}; {database:.1}; {other:.1}"),
            None,
        ),
    ]
}

fn mark(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "OVER",
        None => "",
    }
}

fn remark(case: &CaseFigures) -> String {
    match (&case.wrong, case.unfinished) {
        (Some(wrong), _) => format!("  WRONG: {}", wrong.chars().take(200).collect::<String>()),
        (None, 0) => String::new(),
        (None, unfinished) => format!("  {unfinished} answers unfinished"),
    }
}

/// With as many digits as are significant.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2}"),
        ms if ms < 100.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

impl Machine {
    pub(crate) fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
            line.unwrap_or("unknown").trim().to_owned()
        };
        let kb =
            value(&read("/proc/meminfo"), "MemTotal").split(' ').next().and_then(|kb| kb.parse::<f64>().ok());
        let system = read("/etc/os-release")
            .lines()
            .find_map(|line| Some(line.strip_prefix("PRETTY_NAME=")?.replace('"', "")));
        // Without the suffix of its builder.
        let kernel = read("/proc/sys/kernel/osrelease");
        let kernel = kernel.trim().split('-').next().unwrap_or_default();
        Self {
            processor: value(&read("/proc/cpuinfo"), "model name"),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gb: (kb.unwrap_or(0.0) * 1024.0 / 1e9).round(),
            system: format!("{}, Linux {kernel}", system.unwrap_or_default()),
        }
    }
}
