//! `logbook backup` copies the database while the server stores events, and the copy serves.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use logbook::config::DataConfig;
use logbook_tests::{
    TestServer,
    pagination::feed,
    process::{self, Process},
    server::sample,
    wait::{SetOnDrop, wait_until},
};
use serde_json::json;

const LOG: &str = "/workspaces/clinic/logs/application";

fn data(folder: &Path) -> DataConfig {
    DataConfig {
        database_url: format!("sqlite://{}", folder.join("logbook.db").display()),
        data_dir: folder.to_owned(),
        audit: false,
    }
}

fn backup(data: &DataConfig, file: &Path) -> std::process::Output {
    process::run(data, &["backup", file.to_str().expect("a path")])
}

#[test]
fn a_backup_made_under_load_has_every_event_that_was_acknowledged_before() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let before = data(&place.path().join("before"));
    process::run(&before, &["workspace", "create", "clinic"]);
    let server = Process::start(&before, &[]);
    let admin = server.admin();
    let (ends, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let file = place.path().join("backup.db");
    let (due, all) = thread::scope(|scope| {
        let _ends = SetOnDrop(&ends);
        for writer in 0..4 {
            let (admin, ends, acknowledged) = (&admin, &ends, &acknowledged);
            scope.spawn(move || {
                for n in 0.. {
                    if ends.load(Ordering::Relaxed) {
                        return;
                    }
                    let events: Vec<_> = (0..50).map(|i| sample("application", writer * n + i)).collect();
                    // Nobody waits for the backup.
                    let stored = admin.post(LOG, events.into()).expect(201);
                    let last = stored.json["results"][49]["seq"].as_u64().expect("a seq");
                    acknowledged.lock().expect("a list").push(last);
                }
            });
        }
        let count = || acknowledged.lock().expect("a list").len();
        wait_until("events arrive", || count() > 20);
        let due = acknowledged.lock().expect("a list").iter().max().copied().expect("a seq");
        let done = backup(&before, &file);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let after = count();
        wait_until("they still arrive", || count() > after);
        ends.store(true, Ordering::Relaxed);
        (due, feed(&admin, "clinic", "0".into(), 1000))
    });

    assert_eq!(fs::metadata(&file).expect("the backup").permissions().mode() & 0o777, 0o600);
    let restored = data(&place.path().join("restored"));
    fs::create_dir(&restored.data_dir).expect("a folder");
    fs::copy(&file, restored.data_dir.join("logbook.db")).expect("a copy");
    let server = Process::start(&restored, &[]);
    let admin = server.admin();
    let found = feed(&admin, "clinic", "0".into(), 1000);
    assert!(found.len() as u64 >= due, "{} of {due}", found.len());
    assert_eq!(found, all[..found.len()], "what it has is what was there, from the first event on");
    let metrics = admin.get(&format!("{LOG}/metrics")).expect(200);
    assert_eq!(metrics.json["total"], found.len());
    admin.post(LOG, json!([sample("application", 1)])).expect(201);
    admin.wait_for_index();
    assert!(process::run(&restored, &["check"]).status.success());

    // It overwrites nothing and leaves nothing half done behind.
    let bytes = fs::read(&file).expect("the backup");
    let refused = backup(&before, &file);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("exists"));
    assert_eq!(fs::read(&file).expect("the backup"), bytes);
    assert!(!backup(&before, &place.path().join("no/folder/backup.db")).status.success());
    assert!(!place.path().join("backup.db.partial").exists());
}

#[test]
fn on_postgres_it_names_the_programs_that_do() {
    let server = TestServer::postgres();
    let place = tempfile::tempdir().expect("a temporary folder");
    let told = backup(&server.data, &place.path().join("backup"));
    assert_eq!(told.status.code(), Some(2), "{told:?}");
    let text = String::from_utf8_lossy(&told.stderr);
    assert!(text.contains("pg_dump") && text.contains("pg_basebackup"), "{text}");
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 0);
}
