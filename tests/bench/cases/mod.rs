//! The cases, each with many questions that differ in their words, values, ranges and depths.

mod counts;
mod exclusions;
mod explorer;
mod fields;
mod reads;
mod samples;
mod search;
pub(crate) mod usual;

use logbook::http::page::Cursor;
use logbook_engine::{
    db::timestamp::Timestamp,
    event::Log,
    filter::{Filter, search::Search},
    order::{Order, Position},
};

use crate::http::{Target, query};

pub(crate) use samples::Samples;

/// Budgets of docs/PERFORMANCE.md in milliseconds.
const QUICK: Option<f64> = Some(10.0);
/// For words that only the rows themselves can rule out.
const HARD: Option<f64> = Some(100.0);

/// Questions of one kind, measured together.
pub(crate) struct Case {
    pub name: String,
    pub group: Group,
    pub budget_ms: Option<f64>,
    pub expect: Expect,
    pub questions: Vec<Question>,
}

/// Cases that are plotted as one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Pages,
    Filters,
    Hits,
    NoHits,
    Counts,
    History,
    /// In the table only.
    Other,
}

impl Group {
    pub(crate) const DRAWN: [Self; 6] =
        [Self::Pages, Self::Filters, Self::Hits, Self::NoHits, Self::Counts, Self::History];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Filters => "filters",
            Self::Hits => "search with hits",
            Self::NoHits => "search without hits",
            Self::Counts => "counts",
            Self::History => "history of a record",
            Self::Other => "other",
        }
    }
}

/// What every answer of a case must be. Otherwise the case measured something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A page that is not empty.
    Hits,
    /// An empty page. A word that happens to occur is left out of the measurement.
    NoHits,
    Any,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub log: Log,
    pub what: What,
    pub since: Option<i64>,
    pub until: Option<i64>,
    pub q: Option<String>,
    /// The log's own filters.
    pub filters: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Page {
        limit: usize,
        at: At,
    },
    Metrics,
    Facets,
    Histogram {
        interval: &'static str,
        zone: &'static str,
        by: &'static str,
    },
    Get {
        id: String,
        seq: i64,
    },
    Feed {
        after: i64,
        limit: usize,
    },
    Top {
        field: &'static str,
    },
    /// Two fields.
    Groups {
        fields: [&'static str; 2],
    },
    /// The first page of sessions.
    Sessions,
    /// A condition of the timeline, and its value.
    Timeline {
        about: &'static str,
        value: String,
    },
    Suggest {
        field: &'static str,
    },
    /// What is folded from all versions of the record of the question's filters: `state?at=…`.
    Record(String),
}

/// Where a page begins.
#[derive(Clone, Debug)]
pub(crate) enum At {
    First,
    /// After an event of the same log, whether it matches the filters or not.
    After(Position),
    /// A cursor from the server, and the number of events before it.
    Cursor(String, usize),
}

/// Before the name of a filter that excludes.
const NOT: &str = "not_";
pub(crate) const LOGS: [Log; 3] = [Log::Application, Log::Access, Log::Framework];
/// Rows of a page, unless a question says otherwise.
pub(crate) const PAGE: usize = 50;

impl Question {
    pub(crate) fn page(log: Log) -> Self {
        Self::new(log, What::Page { limit: PAGE, at: At::First })
    }

    pub(crate) fn new(log: Log, what: What) -> Self {
        Self { log, what, since: None, until: None, q: None, filters: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.filters.push((name, value.into()));
        self
    }

    pub(crate) fn search(mut self, q: impl Into<String>) -> Self {
        self.q = Some(q.into());
        self
    }

    pub(crate) fn between(mut self, (since, until): (i64, i64)) -> Self {
        (self.since, self.until) = (Some(since), Some(until));
        self
    }

    /// The path of the request. `workspace_id` is needed for cursors that the benchmark makes itself.
    pub(crate) fn path(&self, target: &Target, workspace_id: i64) -> String {
        let log = self.log.as_str();
        let mut parameters: Vec<(&str, String)> = Vec::new();
        parameters.extend(self.since.map(|at| ("since", Timestamp(at).to_string())));
        parameters.extend(self.until.map(|at| ("until", Timestamp(at).to_string())));
        parameters.extend(self.q.clone().map(|q| ("q", q)));
        parameters.extend(self.filters.iter().cloned());
        let path = match &self.what {
            What::Page { limit, at } => {
                parameters.push(("limit", limit.to_string()));
                match at {
                    At::First => {}
                    At::After(position) => {
                        parameters.push(("cursor", self.cursor(workspace_id, *position)));
                    }
                    At::Cursor(cursor, _) => parameters.push(("cursor", cursor.clone())),
                }
                log.to_owned()
            }
            What::Metrics => format!("{log}/metrics"),
            What::Facets => format!("{log}/facets"),
            What::Histogram { interval, zone, by } => {
                parameters.extend(
                    [("interval", *interval), ("tz", *zone), ("by", *by)].map(|(n, v)| (n, v.into())),
                );
                format!("{log}/histogram")
            }
            What::Get { id, .. } => format!("{log}/{id}"),
            What::Feed { after, limit } => {
                parameters.extend([("after", after.to_string()), ("limit", limit.to_string())]);
                "feed".to_owned()
            }
            What::Top { field } => {
                parameters.push(("field", (*field).to_owned()));
                format!("{log}/top")
            }
            What::Groups { fields } => {
                parameters.extend(fields.iter().map(|field| ("field", (*field).to_owned())));
                format!("{log}/groups")
            }
            What::Sessions => "sessions".to_owned(),
            What::Timeline { about, value } => {
                parameters.push((about, value.clone()));
                "timeline".to_owned()
            }
            What::Suggest { field } => {
                parameters.push(("field", (*field).to_owned()));
                "suggest".to_owned()
            }
            What::Record(what) => {
                let value = |name: &str| self.filters.iter().find(|filter| filter.0 == name);
                let (Some((_, model)), Some((_, id))) = (value("model"), value("record_id")) else {
                    panic!("a record has a model and an id");
                };
                return target.record(model, id, what);
            }
        };
        let parameters = query(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        let mark = if parameters.is_empty() { "" } else { "?" };
        let path = format!("{path}{mark}{parameters}");
        match self.what {
            What::Timeline { .. } | What::Suggest { .. } | What::Sessions => target.below(&path),
            _ => target.logs(&path),
        }
    }

    /// The cursor of the page after a position, newest first. Reading page by page up to there would take longer than
    /// all measurements.
    fn cursor(&self, workspace_id: i64, position: Position) -> String {
        let workspace_id = i32::try_from(workspace_id).expect("a workspace's number");
        let mut filter = Filter::all(workspace_id, self.log);
        filter.search = self.q.as_deref().map(|q| Search::new(q, workspace_id));
        for (name, value) in &self.filters {
            let (name, excludes) = match name.strip_prefix(NOT) {
                Some(name) => (name, true),
                None => (*name, false),
            };
            let values = match name {
                "action" | "event_type" => &mut filter.actions,
                "role" => &mut filter.roles,
                "actor_id" | "user_id" => &mut filter.actor_ids,
                "field" => &mut filter.fields,
                other => panic!("no cursor of our own with the filter {other}"),
            };
            let values = if excludes { &mut values.not } else { &mut values.only };
            values.push(value.clone());
        }
        Cursor { order: Order::Desc, position, filter_hash: filter.hash() }.encode()
    }
}

/// How many questions are asked, and of which cases.
pub(crate) struct Plan {
    /// For each case.
    pub questions: usize,
    /// Only cases whose name contains one of these; all when it is empty.
    pub only: Vec<String>,
}

impl Plan {
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()))
    }
}

/// Every case of the plan.
pub(crate) fn all(samples: &mut Samples, plan: &Plan) -> Vec<Case> {
    let mut cases = reads::cases(samples, plan);
    cases.extend(exclusions::cases(samples, plan));
    cases.extend(fields::cases(samples, plan));
    cases.extend(search::cases(samples, plan));
    cases.extend(counts::cases(samples, plan));
    cases.extend(explorer::cases(samples, plan));
    cases.retain(|case| plan.wants(&case.name));
    cases
}

/// A case of questions that are generated one by one. None is tried again.
fn case(
    name: &str,
    group: Group,
    (budget_ms, expect): (Option<f64>, Expect),
    plan: &Plan,
    mut make: impl FnMut(usize) -> Option<Question>,
) -> Case {
    // Some questions need a request to the server first.
    let count = if plan.wants(name) { plan.questions } else { 0 };
    let questions = (0..count * 20).filter_map(&mut make).take(count).collect();
    Case { name: name.to_owned(), group, budget_ms, expect, questions }
}
