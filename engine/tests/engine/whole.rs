//! The engine from end to end: what was appended is listed, searched, counted and fed, before and after background jobs.

use diesel::{Connection as _, RunQueryDsl as _, prelude::*};
use logbook_engine::{
    Error,
    append::{AppendRequest, Idempotency, store},
    caches::Caches,
    counts::{self, Effort, check::Checked, compact},
    db::{
        Db, migrations,
        schema::{workspace_sequences, workspaces},
        timestamp::Timestamp,
    },
    event::{
        Actor, ActorType, Change, Event, Log, NewEvent, Outcome, Target,
        limits::{Action, Changes, Checks, OccurredAt, SourceName, Text},
    },
    filter::{Accepted, Filter, MetadataFilter, Network, search::Search},
    index::{self, build},
    order::{Order, Position},
    query,
};

const WORKSPACE: i32 = 1;
const EVENTS: i64 = 3000;
/// 2026-10-01T00:00:00Z
const START: i64 = 1_790_812_800_000_000;

/// A database of its own with one workspace; the folder is removed when it is dropped.
fn database() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db =
        Db::open(&format!("sqlite://{}", folder.path().join("logbook.db").display()), 2).expect("a database");
    let conn = &mut *db.conn().expect("a connection");
    migrations::run(conn).expect("migrations");
    diesel::insert_into(workspaces::table)
        .values((
            workspaces::id.eq(WORKSPACE),
            workspaces::slug.eq("clinic"),
            workspaces::name.eq("Clinic"),
            workspaces::timezone.eq("UTC"),
            workspaces::date_format.eq("dd/mm/yyyy"),
            workspaces::created_at.eq(Timestamp::now()),
        ))
        .execute(conn)
        .expect("a workspace");
    diesel::insert_into(workspace_sequences::table)
        .values((workspace_sequences::workspace_id.eq(WORKSPACE), workspace_sequences::last_seq.eq(0)))
        .execute(conn)
        .expect("its sequence");
    (folder, db)
}

fn text<const MIN: usize, const MAX: usize>(text: String) -> Option<Text<MIN, MAX>> {
    Some(text.try_into().expect("within the limits"))
}

/// Event number `n`: every seventh failed, times go back and forth, and a few words are shared by few events.
fn event(n: i64) -> NewEvent {
    let log = Log::ALL[n as usize % Log::ALL.len()];
    let at = Timestamp(START + n * 7919 % EVENTS * 60_000_000);
    let action = Action::try_from(format!("action_{}", n % 5)).expect("an action");
    let mut event = NewEvent::new(log, action, OccurredAt::try_from(at).expect("a time"));
    event.common.outcome = match n % 7 {
        0 => Outcome::Failure,
        1 => Outcome::Denied,
        _ => Outcome::Success,
    };
    if n % 3 == 0 {
        event.common.on_behalf_of =
            Some(Actor { kind: ActorType::User, id: text(format!("p{}", n % 4)), name: None });
        event.common.ip_address = format!("10.{}.3.{}", n % 5, n % 200).try_into().ok();
    }
    event.common.correlation_id = text(format!("c{}", n / 10));
    let also = |kind: &str, id: i64| Target { kind: text(kind.into()), id: text(id.to_string()), name: None };
    event.common.targets = vec![also("ward", n % 6), also("bed", n % 300)].try_into().expect("two targets");
    event.metadata.insert("request", serde_json::json!({"region": format!("r{}", n % 4)})).expect("metadata");
    event.common.actor = Some(Actor {
        kind: ActorType::User,
        id: text(format!("{}", n % 40)),
        name: text(format!("Asha Rao {}", n % 40)),
    });
    event.common.target = Target {
        kind: text("patient".into()),
        id: text(format!("{}", n % 90)),
        name: text(format!("李雷 {n}")),
    };
    event.changes =
        Changes::try_from(vec![Change::value("status", "open".into(), format!("closed {n}").into())])
            .expect("within the limits");
    event
}

fn source() -> SourceName {
    SourceName::truncated("clinic")
}

fn append(db: &Db, numbers: impl IntoIterator<Item = i64>) {
    let conn = &mut *db.conn().expect("a connection");
    let events: Vec<_> = numbers.into_iter().map(event).collect();
    let count = events.len();
    let appended = store(conn, AppendRequest::new(WORKSPACE, &source(), events)).expect("stored");
    assert_eq!((appended.accepted, appended.duplicates), (count, 0));
}

/// All events, by the feed.
fn feed(db: &Db) -> Vec<Event> {
    let conn = &mut *db.conn().expect("a connection");
    let mut all: Vec<Event> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.seq);
        let fed = query::feed(conn, WORKSPACE, Log::ALL, after, 500).expect("a page");
        all.extend(fed.events);
        if !fed.has_more {
            return all;
        }
    }
}

fn filters() -> Vec<Filter> {
    let all = |log| Filter::all(WORKSPACE, log);
    let search = |text: &str| Some(Search::new(text, WORKSPACE));
    let patient = || ("patient".to_owned(), Some("17".to_owned()));
    let network = |text: &str| Network::parse(text).expect("a network");
    let region = |values| vec![MetadataFilter { path: "request.region".into(), values }];
    vec![
        all(Log::Access),
        Filter { outcomes: Accepted::only([Outcome::Failure]), ..all(Log::Application) },
        Filter { outcomes: Accepted::not([Outcome::Success]), ..all(Log::Application) },
        Filter { actor_ids: Accepted::only(["7", "8"]), ..all(Log::Access) },
        Filter {
            actor_ids: Accepted::not(["7", "8"]),
            actions: Accepted::not(["action_1"]),
            ..all(Log::Access)
        },
        Filter { targets: Accepted::only([patient()]), ..all(Log::Framework) },
        Filter { targets: Accepted::not([patient()]), ..all(Log::Framework) },
        Filter { any_targets: Accepted::only(["bed:17", "ward:3"]), ..all(Log::Framework) },
        Filter { any_targets: Accepted::not(["ward:3", "bed:17", "patient:5"]), ..all(Log::Activity) },
        Filter { on_behalf_of: Accepted::only(["p2"]), ..all(Log::Application) },
        Filter { on_behalf_of: Accepted::not(["p2"]), ..all(Log::Application) },
        Filter { ip_addresses: Accepted::only([network("10.2.0.0/16")]), ..all(Log::Access) },
        Filter { ip_addresses: Accepted::not([network("10.2.0.0/15")]), ..all(Log::Access) },
        Filter { metadata: region(Accepted::only(["r1"])), ..all(Log::Application) },
        Filter { metadata: region(Accepted::not(["r1", "r3"])), ..all(Log::Application) },
        Filter { sources: Accepted::not(["clinic"]), ..all(Log::Access) },
        Filter { correlation_ids: Accepted::only(["c12"]), ..all(Log::Access) },
        Filter { search: search("closed 1234"), ..all(Log::Application) },
        Filter { search: search("雷 29"), ..all(Log::Access) },
        Filter { search: search("region"), outcomes: Accepted::only([Outcome::Denied]), ..all(Log::Access) },
        Filter { search: search("asha RAO 3"), fields: Accepted::only(["status"]), ..all(Log::Framework) },
        Filter { fields: Accepted::not(["status"]), ..all(Log::Framework) },
        Filter { search: search("nobody wrote this"), ..all(Log::Access) },
        Filter {
            since: Some(Timestamp(START + 500 * 60_000_000)),
            until: Some(Timestamp(START + 900 * 60_000_000)),
            ..all(Log::Application)
        },
    ]
}

/// Lists and counts equal a scan of all events, in both orders and page by page.
fn assert_equals_a_scan(db: &Db, caches: &Caches) {
    let all = feed(db);
    assert!(all.iter().zip(1..).all(|(event, seq)| event.seq == seq), "seq has no gaps");
    for filter in filters() {
        let mut expected: Vec<&Event> = all.iter().filter(|event| filter.matches(event)).collect();
        expected.sort_by_key(|event| (event.occurred_at, event.seq));
        let positions: Vec<Position> = expected.iter().map(|event| event.position()).collect();
        for order in [Order::Asc, Order::Desc] {
            let mut found = Vec::new();
            let mut after = None;
            loop {
                let conn = &mut *db.conn().expect("a connection");
                let page = query::list(conn, &caches.index, &filter, (order, after), 97).expect("a page");
                found.extend(page.events.iter().map(Event::position));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            if order == Order::Desc {
                found.reverse();
            }
            assert_eq!(found, positions, "{order:?} {filter:?}");
        }
        let conn = &mut *db.conn().expect("a connection");
        let cells = conn
            .transaction(|conn| counts::cells(conn, &caches.counts, &caches.index, &filter, Effort::Scan));
        let cells = cells.expect("counts");
        if cells.exact {
            assert_eq!(cells.total(), expected.len() as u64, "{filter:?}");
        }
    }
}

#[test]
fn everything_equals_a_scan_before_and_after_the_jobs() {
    let (_folder, db) = database();
    let caches = Caches::new(1 << 20, 1 << 20);
    append(&db, 0..EVENTS / 2);
    assert_equals_a_scan(&db, &caches);
    {
        let conn = &mut *db.conn().expect("a connection");
        build::rebuild(conn, WORKSPACE, |_, _| {}).expect("an index");
        compact::compact_all(conn, WORKSPACE).expect("rollups");
    }
    assert_equals_a_scan(&db, &caches);
    // What comes afterwards is not indexed and not compacted yet.
    append(&db, EVENTS / 2..EVENTS);
    assert_equals_a_scan(&db, &caches);
    let conn = &mut *db.conn().expect("a connection");
    assert!(index::check::check(conn, WORKSPACE, |_, _| {}).expect("a check").is_empty());
    let checked = counts::check::check(conn, WORKSPACE, false, |_, _| {}).expect("a check");
    assert_eq!(checked, Checked::Compared(Vec::new()));
}

#[test]
fn errors_are_the_engines_own() {
    let (_folder, db) = database();
    let conn = &mut *db.conn().expect("a connection");
    let unknown = store(conn, AppendRequest::new(WORKSPACE + 1, &source(), [event(1)]));
    assert!(matches!(unknown, Err(Error::UnknownWorkspace)), "{unknown:?}");
    let request = |body: &[u8]| AppendRequest {
        idempotency: Some(Idempotency::new("once".into(), "/path", body)),
        ..AppendRequest::new(WORKSPACE, &source(), [event(1)])
    };
    let first = store(conn, request(b"a")).expect("stored");
    assert_eq!(store(conn, request(b"a")).expect("the first answer"), first);
    let reused = store(conn, request(b"b"));
    assert!(matches!(reused, Err(Error::IdempotencyKeyReused)), "{reused:?}");
}

#[test]
fn an_event_over_a_limit_cannot_be_built_and_each_place_is_named() {
    let mut checks = Checks::default();
    let action: Action = checks.required("/action", "Not Snake".to_owned());
    let _: Option<Text<0, 5>> = checks.optional("/role", Some("too long".to_owned()));
    let _: Text<1, 5> = checks.required("/model", "a\0b".to_owned());
    let _: OccurredAt = checks.required("/occurred_at", Timestamp(-1));
    assert_eq!(action, Action::default());
    let invalid = checks.finish().expect_err("four things are wrong");
    let found: Vec<_> = invalid.iter().map(|invalid| (invalid.pointer.as_str(), invalid.code)).collect();
    assert_eq!(
        found,
        [
            ("/action", "regex"),
            ("/model", "nul_character"),
            ("/occurred_at", "out_of_range"),
            ("/role", "length")
        ]
    );
}
