//! The fixture, imported whole. The numbers were counted from the CSV files by other means.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use diesel::prelude::*;
use logbook_engine::{
    db::{Db, migrations, rows::EventRow, schema::events},
    event::{Change, Event, Log},
};

use super::*;
use crate::accounts::workspaces;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/zango");

/// A database and a copy of the fixture, gone with the value.
struct Story {
    folder: PathBuf,
    db: Db,
}

impl Story {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("logbook-import-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(folder.join("csv")).expect("a folder");
        for entry in fs::read_dir(FIXTURE).expect("the fixture") {
            let path = entry.expect("an entry").path();
            fs::copy(&path, folder.join("csv").join(path.file_name().expect("a name"))).expect("a copy");
        }
        let db = Db::open(&format!("sqlite://{}/logbook.db", folder.display()), 2).expect("a database");
        migrations::run(&mut db.conn().expect("a connection")).expect("migrations");
        Self { folder, db }
    }

    fn csv(&self, table: &str) -> PathBuf {
        self.folder.join("csv").join(format!("{table}.csv"))
    }

    fn edit(&self, table: &str, edit: impl FnOnce(String) -> String) {
        let path = self.csv(table);
        fs::write(&path, edit(fs::read_to_string(&path).expect("a table"))).expect("writable");
    }

    fn try_run(&self, schema: &str) -> Result<Summary, ImportError> {
        let from = self.folder.join("csv").display().to_string();
        let args = ZangoImport { schema: schema.into(), import: ImportArgs::new(from, "peerapp") };
        run(&self.db, &self.folder, &args, false)
    }

    fn run(&self) -> Summary {
        self.try_run("peerapp").expect("an import")
    }

    fn events(&self) -> Vec<Event> {
        let mut conn = self.db.conn().expect("a connection");
        let rows =
            events::table.order(events::seq.asc()).select(EventRow::as_select()).load::<EventRow>(&mut *conn);
        rows.expect("events").into_iter().map(|row| Event::try_from(row).expect("an event")).collect()
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn counted<'a>(
    events: impl Iterator<Item = &'a Event>,
    key: impl Fn(&'a Event) -> String,
) -> BTreeMap<String, usize> {
    events.fold(BTreeMap::new(), |mut counts, event| {
        *counts.entry(key(event)).or_default() += 1;
        counts
    })
}

fn expected(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
}

#[test]
fn the_fixtures_numbers() {
    let story = Story::new();
    let summary = story.run();
    let events = story.events();
    let of = |log: Log| events.iter().filter(move |event| event.common.log == log);
    let kind = |event: &Event| event.common.target.kind.as_deref().unwrap_or_default().to_owned();

    let numbers = (summary.access, summary.session_ends, summary.application, summary.framework);
    assert_eq!(numbers, (81, 21, 178, 121));
    assert_eq!((summary.created, summary.rejected, summary.rejects_file), (true, 0, None));
    assert_eq!(
        counted(events.iter(), |event| event.common.log.to_string()),
        expected(&[("access", 81), ("application", 178), ("framework", 121),])
    );
    assert_eq!(
        counted(of(Log::Access), |event| event.common.action.to_string()),
        expected(&[("login", 40), ("login_failed", 20), ("session_expired", 21),])
    );
    assert_eq!(
        counted(of(Log::Access), |event| event.common.outcome.to_string()),
        expected(&[("failure", 20), ("success", 61),])
    );
    assert_eq!(
        counted(of(Log::Application), |event| event.common.action.to_string()),
        expected(&[("create", 140), ("delete", 13), ("update", 25),])
    );
    assert_eq!(counted(of(Log::Application), kind), expected(&[("patient", 102), ("visit", 76)]));
    assert_eq!(
        counted(of(Log::Framework), |event| event.common.action.to_string()),
        expected(&[
            ("password_history_created", 7),
            ("password_history_updated", 7),
            ("policy_created", 2),
            ("policy_updated", 4),
            ("role_created", 2),
            ("role_updated", 14),
            ("secret_created", 1),
            ("token_created", 1),
            ("token_updated", 1),
            ("user_created", 6),
            ("user_updated", 76),
        ])
    );
    let actor =
        |event: &Event| event.common.actor.as_ref().map_or_else(String::new, |actor| actor.kind.to_string());
    assert_eq!(counted(of(Log::Framework), actor), expected(&[("admin", 51), ("system", 67), ("user", 3)]));
    assert_eq!(counted(of(Log::Application), actor), expected(&[("user", 178)]));
    for (name, count) in [("O'Brien \"Jo\"", 13), ("José Núñez", 27), ("李雷", 18)] {
        let named = events.iter().filter(|event| event.common.target.name.as_deref() == Some(name));
        assert_eq!(named.count(), count, "{name}");
    }
    let with_uuid = of(Log::Application).filter(|event| has(event.metadata.as_ref(), "\"object_uuid\":\""));
    assert_eq!(with_uuid.count(), 177);
}

fn has(text: Option<&String>, part: &str) -> bool {
    text.is_some_and(|text| text.contains(part))
}

#[test]
fn the_workspace_is_the_tenants() {
    let story = Story::new();
    story.run();
    let workspace = workspaces::find(&mut story.db.conn().expect("a connection"), "peerapp");
    let workspace = workspace.expect("a query").expect("a workspace");
    assert_eq!((workspace.name.as_str(), workspace.timezone.as_str()), ("peerapp", "Asia/Kolkata"));
    assert_eq!(workspace.date_format, "dd/mm/yyyy");
}

#[test]
fn sessions_are_two_events() {
    let story = Story::new();
    story.run();
    let events = story.events();
    let sessions = counted(events.iter().filter(|event| event.common.session_id.is_some()), |event| {
        event.common.session_id.as_deref().unwrap_or_default().to_owned()
    });
    assert_eq!((sessions.len(), sessions.values().filter(|count| **count == 2).count()), (40, 21));
    let first: Vec<_> =
        events.iter().filter(|event| event.common.session_id.as_deref() == Some("zango-12")).collect();
    assert_eq!(
        first.iter().map(|event| event.common.action.as_str()).collect::<Vec<_>>(),
        ["login", "session_expired"]
    );
    assert_eq!(first[1].occurred_at.to_string(), "2026-11-22T20:50:15.549399Z");
    assert_eq!(first[0].common.actor, first[1].common.actor);
    // Rows 1, 2 and 17 failed and are stamped all the same.
    for id in ["zango-1", "zango-2", "zango-17"] {
        assert!(!sessions.contains_key(id));
    }
}

#[test]
fn secrets_are_masked() {
    let story = Story::new();
    story.run();
    let events = story.events();
    let masked: Vec<&str> = events.iter().filter_map(|event| event.masked.as_deref()).collect();
    let places: usize = masked.iter().map(|masked| masked.matches("/changes/").count()).sum();
    assert_eq!((masked.len(), places), (27, 35));
    for event in &events {
        let everything = format!("{event:?}");
        for secret in ["pbkdf2_sha256", "6395fc265579e72e", "bdf178acb071e32"] {
            assert!(!everything.contains(secret), "{everything}");
        }
    }
    let token = events.iter().find(|event| event.common.action == "token_created").expect("a token");
    assert_eq!(token.common.target.id.as_deref(), Some("6395fc26…"));
    assert_eq!(token.common.target.name.as_deref(), Some("6395fc26… : Bela Doctor"));
}

#[test]
fn changes_are_typed() {
    let story = Story::new();
    story.run();
    let events = story.events();
    let changes: Vec<Change> = events.iter().flat_map(Event::parse_changes).collect();
    assert_eq!(changes.iter().filter(|change| matches!(change, Change::Set(_))).count(), 26);
    let nulls = changes.iter().flat_map(Change::values).filter(|(_, value)| value.is_null()).count();
    // "None" 1,765 times, "null" 10 times.
    assert_eq!(nulls, 1775);
    let attached = events.iter().find(|event| has(event.metadata.as_ref(), "\"id\":14,\"table\":\"audit"));
    let expected = [Change::set("policies", vec!["OpsAccess".into()], vec![])];
    assert_eq!(attached.expect("row 14").parse_changes(), expected);
}

#[test]
fn ids_have_names_and_tokens_concern_their_users() {
    let story = Story::new();
    story.run();
    let events = story.events();
    let changes: Vec<Change> = events.iter().flat_map(Event::parse_changes).collect();
    let named = |field: &str| {
        let of = changes.iter().filter(|change| change.field() == field);
        of.filter(|change| change.labels().new_label.is_some()).count()
    };
    assert_eq!((named("created_by"), named("modified_by"), named("user")), (140, 25, 8));
    let kinds =
        events.iter().flat_map(|event| event.common.targets.iter().map(|target| target.kind.as_deref()));
    let of_kind = |wanted: &str| kinds.clone().filter(|kind| *kind == Some(wanted)).count();
    assert_eq!((of_kind("user"), of_kind("role")), (8, 1));
}

#[test]
fn events_are_stored_in_order_of_time() {
    let story = Story::new();
    story.run();
    let times: Vec<_> = story.events().iter().map(|event| event.occurred_at).collect();
    assert!(times.is_sorted());
}

#[test]
fn again_adds_nothing() {
    let story = Story::new();
    story.run();
    let again = story.run();
    assert_eq!((again.events(), again.rejected, again.created), (0, 0, false));
    assert_eq!(story.events().len(), 380);
}

#[test]
fn a_new_row_and_a_late_stamp_add_two() {
    let story = Story::new();
    story.run();
    story.edit("accesslogs_appaccesslog", |text| {
        // Row 13's session ended long ago, before the last that was known.
        let text = text
            .replace("20:50:16.12824+00,login,t,,,2", "20:50:16.12824+00,login,t,2026-11-22 20:51:00+00,,2");
        text + "61,Firefox,::1,,*/*,/login/,2026-11-22 20:56:00+00,login,f,,,\n"
    });
    let second = story.run();
    assert_eq!((second.access, second.session_ends, second.events()), (2, 1, 2));
    let added = &story.events()[380..];
    assert_eq!(
        added.iter().map(|event| event.common.action.as_str()).collect::<Vec<_>>(),
        ["session_expired", "login_failed"]
    );
    assert_eq!(added[0].common.session_id.as_deref(), Some("zango-13"));
    assert_eq!(story.run().events(), 0);
}

#[test]
fn a_row_that_was_committed_late_is_found() {
    let story = Story::new();
    let whole = fs::read_to_string(story.csv("auditlogs_logentry")).expect("a table");
    story.edit("auditlogs_logentry", |text| {
        text.lines().filter(|line| !line.starts_with("297,")).map(|line| format!("{line}\n")).collect()
    });
    assert_eq!(story.run().events(), 379);
    fs::write(story.csv("auditlogs_logentry"), whole).expect("writable");
    assert_eq!(story.run().events(), 1);
    assert_eq!(story.run().events(), 0);
}

#[test]
fn rows_out_of_order_are_put_in_order() {
    let (sorted, shuffled) = (Story::new(), Story::new());
    for table in ["accesslogs_appaccesslog", "auditlogs_logentry"] {
        shuffled.edit(table, |text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines[1..].reverse();
            lines.join("\n")
        });
    }
    assert_eq!(sorted.run(), shuffled.run());
    // Each workspace has a key of its own for what is masked.
    let part = |(n, part): (usize, &str)| part[if n == 0 { 0 } else { 24 }..].to_owned();
    let plain = |text: String| text.split("[masked:").enumerate().map(part).collect::<String>();
    let same = |event: Event| {
        let (common, changes) = (event.common, event.changes.map(plain));
        (event.seq, event.occurred_at, common.action, common.target, changes, event.metadata)
    };
    let (sorted, shuffled) = (sorted.events(), shuffled.events());
    assert_eq!(
        sorted.into_iter().map(same).collect::<Vec<_>>(),
        shuffled.into_iter().map(same).collect::<Vec<_>>()
    );
}

#[test]
fn rows_that_cannot_be_read_are_named_and_kept() {
    let story = Story::new();
    story.edit("auditlogs_logentry", |text| {
        let bad = "400,9,9,Bad,,1,,{broken,,,2026-11-22 20:57:00+00,,45,,,1\n\
                   401,9,9,Bad,,1,,\"{\"\"password\"\": [\"\"hunter2\"\", \"\"x\"\"]}\",,,2026-11-22 20:57:01+00,,999,,,1\n\
                   402,9,9,Bad,,1,,{},,,,,45,,,1\n\
                   403,too,short\n\
                   x,9,9,Bad,,1,,{},,,2026-11-22 20:57:02+00,,45,,,1\n\
                   404,9,9,Good,,1,,{},,,2026-11-22 20:57:03+00,,45,,,1\n\
                   404,9,9,Twin,,1,,{},,,2026-11-22 20:57:03+00,,45,,,1\n";
        text + bad
    });
    let summary = story.run();
    assert_eq!((summary.application, summary.rejected), (179, 6));
    let reasons: Vec<_> = summary
        .first_rejects
        .iter()
        .map(|reject| (reject.table.as_str(), reject.id.as_deref(), reject.reason.as_str()))
        .collect();
    let table = "auditlogs_logentry";
    assert_eq!(reasons[0].1, Some("400"));
    assert!(reasons[0].2.starts_with("changes is not JSON"), "{}", reasons[0].2);
    assert_eq!(reasons[1], (table, Some("401"), "content type 999 is not in django_content_type"));
    assert_eq!(reasons[2], (table, Some("402"), "timestamp is missing"));
    assert_eq!(reasons[3], (table, Some("403"), "the line has 3 fields, the header 16"));
    assert_eq!(reasons[4], (table, None, "id is not a positive whole number: \"x\""));
    assert_eq!(reasons[5], (table, Some("404"), "there is another row with the id 404"));

    let file = summary.rejects_file.clone().expect("a file");
    let lines = fs::read_to_string(&file).expect("readable");
    assert_eq!(lines.lines().count(), 6);
    assert!(lines.contains("\"record\":300") && !lines.contains("hunter2"), "{lines}");
    let said = summary.to_string();
    assert!(said.contains(&format!("6 rows rejected, see {}", file.display())), "{said}");
    assert!(said.contains("auditlogs_logentry id 402 (record 302): timestamp is missing"), "{said}");

    // They were named once; the line without an id is nowhere remembered.
    let again = story.run();
    assert_eq!((again.events(), again.rejected), (0, 1));
}

#[test]
fn what_is_wrong_with_the_source_is_said() {
    let story = Story::new();
    let error = |story: &Story, schema: &str| story.try_run(schema).expect_err("an error").to_string();
    assert!(
        error(&story, "nobody").contains("no tenant with the schema nobody"),
        "{}",
        error(&story, "nobody")
    );
    fs::write(story.csv("accesslogs_appaccesslog"), "id,when\n").expect("writable");
    assert!(
        error(&story, "peerapp").contains("accesslogs_appaccesslog.csv: there is no column attempt_time")
    );
    fs::remove_file(story.csv("accesslogs_appaccesslog")).expect("removable");
    assert!(error(&story, "peerapp").contains("there is no file accesslogs_appaccesslog.csv"));
    fs::remove_dir_all(story.folder.join("csv")).expect("removable");
    assert!(error(&story, "peerapp").contains("the folder cannot be read"));
    assert!(
        workspaces::find(&mut story.db.conn().expect("a connection"), "peerapp").expect("a query").is_none()
    );
}

#[test]
fn optional_tables_may_be_missing() {
    let story = Story::new();
    for table in [
        "appauth_appusermodel",
        "appauth_userrolemodel",
        "object_store_objectstore",
        "platformauth_platformusermodel",
        "tenancy_tenantmodel",
    ] {
        fs::remove_file(story.csv(table)).expect("removable");
    }
    assert_eq!(story.run().events(), 380);
    let login = story.events().into_iter().find(|event| event.common.action == "login").expect("a login");
    let actor = login.common.actor.expect("an actor");
    assert_eq!((actor.id.as_deref(), actor.name), (Some("1"), None));
    let workspace = workspaces::find(&mut story.db.conn().expect("a connection"), "peerapp");
    assert_eq!(workspace.expect("a query").map(|workspace| workspace.timezone), Some("UTC".into()));
}

#[test]
fn the_fixture_is_committed() {
    assert!(Path::new(FIXTURE).join("schema.sql").is_file());
}
