//! The usual way to answer the same questions: `OFFSET`, `count(*)`, and `LIKE '%…%'` over the values as text. In SQL
//! on the same table, with the same indexes, and without the cost of HTTP and JSON.

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Log, Outcome},
    order::Position,
};

use super::{At, NOT, Question, What};
use crate::database::{Direct, Kind};

/// Every column that a search covers.
const SEARCHED: &str = "concat_ws(' ', actor_id, actor_name, target_type, target_id, target_name, action, role, outcome_reason, ip_address, user_agent, session_id, correlation_id, changes, metadata, targets, on_behalf_of_name, purpose)";

const SCREEN: &str = "ORDER BY occurred_at DESC, seq DESC";

/// The statements that answer the question, in this order.
pub(crate) fn statements(question: &Question, direct: &mut Direct, workspace_id: i64) -> Vec<String> {
    let kind = match direct {
        Direct::Sqlite(_) => Kind::Sqlite,
        Direct::Postgres(_) => Kind::Postgres,
    };
    let own = format!("workspace_id = {workspace_id} AND log = {}", question.log.number());
    let condition = condition(question, kind, own.clone());
    let count_by = |column: &str| {
        format!("SELECT {column}, count(*) FROM events WHERE {condition} GROUP BY 1 ORDER BY 2 DESC")
    };
    match &question.what {
        What::Page { limit, at } => {
            let offset = match at {
                At::First => 0,
                At::After(position) => direct.number(&before(*position, kind, &condition)),
                At::Cursor(_, before) => *before as i64,
            };
            vec![format!("SELECT * FROM events WHERE {condition} {SCREEN} LIMIT {limit} OFFSET {offset}")]
        }
        What::Metrics => vec![
            format!("SELECT count(*) FROM events WHERE {condition}"),
            count_by("action"),
            count_by("outcome"),
        ],
        What::Facets => match question.log {
            Log::Access => vec![count_by("outcome"), count_by("action"), count_by("role")],
            Log::Application => vec![count_by("action"), count_by("target_type")],
            Log::Framework | Log::Activity => {
                vec![count_by("outcome"), count_by("action"), count_by("target_type")]
            }
        },
        What::Histogram { interval, zone, by } => {
            let by = match *by {
                "status" => "outcome",
                "action" => "action",
                _ => "target_type",
            };
            let bucket = bucket(interval, zone, kind);
            vec![format!("SELECT {bucket}, {by}, count(*) FROM events WHERE {condition} GROUP BY 1, 2")]
        }
        What::Get { seq, .. } => vec![format!("SELECT * FROM events WHERE {own} AND seq = {seq}")],
        What::Feed { after, limit } => vec![format!(
            "SELECT * FROM events WHERE workspace_id = {workspace_id} ORDER BY seq LIMIT {limit} OFFSET {after}"
        )],
        What::Top { field } => vec![format!("{} LIMIT 10", count_by(column(field)))],
        What::Groups { fields: [one, other] } => vec![format!(
            "SELECT {}, {}, count(*) FROM events WHERE {condition} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 20",
            column(one),
            column(other)
        )],
        What::Sessions => {
            let logins = format!(
                "SELECT session_id FROM events WHERE {condition} AND action = 'login' AND outcome = {} {SCREEN} LIMIT 20",
                Outcome::Success.number()
            );
            vec![format!(
                "SELECT session_id, max(occurred_at), count(*) FROM events WHERE workspace_id = {workspace_id} \
                 AND session_id IN ({logins}) GROUP BY 1"
            )]
        }
        What::Timeline { about, value } => {
            let condition = match *about {
                "actor" => {
                    let id = text(value.split_once(':').map_or(value, |(_, id)| id));
                    format!("(actor_id = {id} OR on_behalf_of_id = {id})")
                }
                "record" => filter("target", value, kind),
                other => filter(other, value, kind),
            };
            let own = format!("workspace_id = {workspace_id} AND {condition}");
            vec![format!("SELECT * FROM events WHERE {own} {SCREEN} LIMIT 50")]
        }
        What::Suggest { .. } => vec![format!(
            "SELECT DISTINCT actor_type, actor_id, actor_name FROM events WHERE {condition} LIMIT 10"
        )],
        // The folding would be the app's.
        What::Record(_) => {
            vec![format!("SELECT * FROM events WHERE {condition} ORDER BY occurred_at, seq")]
        }
    }
}

/// The column of a field that is counted.
fn column(field: &str) -> &str {
    match field {
        "actor_id" | "user_id" => "actor_id",
        "record" => "concat_ws(':', target_type, target_id)",
        "event_type" | "action" => "action",
        "status" => "outcome",
        "model" => "target_type",
        other => other,
    }
}

fn condition(question: &Question, kind: Kind, own: String) -> String {
    let mut parts = vec![own];
    parts.extend(question.since.map(|at| format!("occurred_at >= {}", instant(at, kind))));
    parts.extend(question.until.map(|at| format!("occurred_at < {}", instant(at, kind))));
    if let Some(q) = &question.q {
        parts.push(like(SEARCHED, q, kind));
    }
    let mut filters = question.filters.clone();
    filters.sort();
    for same in filters.chunk_by(|a, b| a.0 == b.0) {
        let any: Vec<_> = same.iter().map(|(name, value)| filter(name, value, kind)).collect();
        let excludes = if same[0].0.starts_with(NOT) { " IS NOT TRUE" } else { "" };
        parts.push(format!("({}){excludes}", any.join(" OR ")));
    }
    parts.join(" AND ")
}

fn filter(name: &str, value: &str, kind: Kind) -> String {
    let name = name.strip_prefix(NOT).unwrap_or(name);
    if let Some(path) = name.strip_prefix("metadata.") {
        return metadata(path, value, kind);
    }
    let column = match name {
        "field" => return like("changes", &format!("\"field\":\"{value}\""), kind),
        "status" => {
            let outcome = Outcome::ALL.iter().find(|outcome| outcome.as_str() == value);
            return format!("outcome = {}", outcome.expect("a status").number());
        }
        "ip_address" if value.contains('/') => return network(value, kind),
        "target" => {
            let (kind_of, id) = value.split_once(':').expect("a type and an id");
            let further = format!("%\"id\":\"{id}\",%\"type\":\"{kind_of}\"%");
            let (kind_of, id) = (text(kind_of), text(id));
            let further = text(&further);
            return format!("(target_type = {kind_of} AND target_id = {id} OR targets LIKE {further})");
        }
        "on_behalf_of" => "on_behalf_of_id",
        "component" => match value.split_once(':') {
            Some((kind, id)) => return format!("target_type = {} AND target_id = {}", text(kind), text(id)),
            None => "target_type",
        },
        "event_type" => "action",
        "user_id" => "actor_id",
        "model" => "target_type",
        "record_id" => "target_id",
        other => other,
    };
    format!("{column} = {}", text(value))
}

fn metadata(path: &str, value: &str, kind: Kind) -> String {
    let found = match kind {
        Kind::Sqlite => format!("CAST(json_extract(metadata, {}) AS TEXT)", text(&format!("$.{path}"))),
        Kind::Postgres | Kind::Citus => {
            format!("metadata::jsonb #>> {}", text(&format!("{{{}}}", path.replace('.', ","))))
        }
    };
    format!("{found} = {}", text(value))
}

/// SQLite has no type for addresses; the text before the network's zeros has to do.
fn network(value: &str, kind: Kind) -> String {
    match kind {
        Kind::Sqlite => {
            let (address, _) = value.split_once('/').expect("a network");
            let before = address.trim_end_matches(|sign: char| "0.:".contains(sign));
            let sign = if address.contains(':') { ':' } else { '.' };
            format!("ip_address LIKE {}", text(&format!("{before}{sign}%")))
        }
        Kind::Postgres | Kind::Citus => format!("ip_address::inet <<= {}", text(value)),
    }
}

/// Case-insensitive. SQLite's LIKE is so for ASCII letters only.
fn like(expression: &str, part: &str, kind: Kind) -> String {
    let escaped = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let operator = match kind {
        Kind::Sqlite => "LIKE",
        Kind::Postgres | Kind::Citus => "ILIKE",
    };
    format!("{expression} {operator} {} ESCAPE '\\'", text(&format!("%{escaped}%")))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn instant(micros: i64, kind: Kind) -> String {
    match kind {
        Kind::Sqlite => micros.to_string(),
        Kind::Postgres | Kind::Citus => format!("'{}'::timestamptz", Timestamp(micros)),
    }
}

/// How many events come before a page that begins after this position.
fn before(position: Position, kind: Kind, condition: &str) -> String {
    let at = instant(position.occurred_at.0, kind);
    format!(
        "SELECT count(*) AS n FROM events WHERE {condition} AND (occurred_at > {at} OR occurred_at = {at} AND seq >= {})",
        position.seq
    )
}

fn bucket(interval: &str, zone: &str, kind: Kind) -> String {
    let (unit, seconds) = match interval {
        "15m" => ("minute", 900),
        "1h" => ("hour", 3600),
        _ => ("day", 86_400),
    };
    match kind {
        // SQLite has no time zones; the offset in winter has to do.
        Kind::Sqlite => {
            let offset = match zone {
                "Asia/Kolkata" => 19_800,
                "America/New_York" => -18_000,
                _ => 0,
            };
            format!("(occurred_at / 1000000 + {offset}) / {seconds}")
        }
        Kind::Postgres | Kind::Citus if unit == "minute" => {
            format!("date_bin('15 minutes', occurred_at AT TIME ZONE '{zone}', '2000-01-01')")
        }
        Kind::Postgres | Kind::Citus => format!("date_trunc('{unit}', occurred_at AT TIME ZONE '{zone}')"),
    }
}
