//! What Logbook stores on disk can be read by its own user only.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use logbook::config::DataConfig;
use logbook_tests::process::{self, Process};
use serde_json::json;

const LOG: &str = "/workspaces/clinic/logs/access";

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

fn open_up(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("other permissions");
}

#[test]
fn everything_on_disk_is_private_also_what_was_open_before() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = place.path().join("deep/data");
    let data = DataConfig {
        database_url: format!("sqlite://{}", folder.join("logbook.db").display()),
        data_dir: folder.clone(),
        audit: false,
    };
    let private = || {
        let files = [
            "logbook.db",
            "logbook.db-wal",
            "logbook.db-shm",
            "token-keys.json",
            "second-factor.key",
            "worker-id",
        ];
        for name in files {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            assert_eq!(mode(&entry.path()) & 0o077, 0, "{}", entry.path().display());
        }
    };
    process::run(&data, &["workspace", "create", "clinic"]);
    assert_eq!(mode(&folder), 0o700, "a command creates it as the server does");
    assert_eq!(mode(folder.parent().expect("a folder")), 0o700);
    let server = Process::start(&data, &[]);
    server.admin().post(LOG, json!([{"event_type": "login"}])).expect(201);
    private();

    // As an earlier version left them, beside a log that has not been written back.
    server.kill();
    open_up(&folder, 0o755);
    for entry in fs::read_dir(&folder).expect("a folder").flatten() {
        open_up(&entry.path(), 0o644);
    }
    let server = Process::start(&data, &[]);
    assert_eq!(server.admin().get(LOG).expect(200).data().len(), 1);
    private();
    assert_eq!(mode(&folder), 0o755, "the folder may be shared for a reason");
    let said = fs::read_to_string(folder.with_file_name("server.log")).expect("a log");
    for name in ["logbook.db", "logbook.db-wal", "token-keys.json", "second-factor.key", "worker-id"] {
        assert!(
            said.lines().any(|line| line.contains("now only its owner can") && line.contains(name)),
            "{said}"
        );
    }
    assert!(!said.contains("everybody can replace"));

    server.kill();
    open_up(&folder, 0o777);
    let _server = Process::start(&data, &[]);
    let said = fs::read_to_string(folder.with_file_name("server.log")).expect("a log");
    assert!(said.contains("everybody can replace the files of this folder"), "{said}");
}
