//! Which module may use which, and other rules for the source code.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder, by its path from there.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let base = root().join(folder);
    let mut files = Vec::new();
    collect(&base, &mut files);
    files.sort();
    let name = |path: &Path| path.strip_prefix(&base).expect("inside").display().to_string();
    files.iter().map(|path| (name(path), fs::read_to_string(path).expect("a text"))).collect()
}

/// Lines of code that have one of the words, without comments.
fn lines_with(files: &[(String, String)], wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files {
        for (n, line) in text.lines().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && wanted(code) {
                found.push(format!("{name}:{}: {code}", n + 1));
            }
        }
    }
    found
}

fn within(files: &[(String, String)], folder: &str) -> Vec<(String, String)> {
    files.iter().filter(|(name, _)| name.starts_with(folder)).cloned().collect()
}

/// True where a line imports or names a module of the crate.
fn names(code: &str, module: &str) -> bool {
    let path = format!("crate::{module}");
    code.match_indices(&path)
        .any(|(at, _)| !code[at + path.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn only_db_knows_which_database_it_is() {
    let files = sources("api/src");
    let outside: Vec<_> = files.iter().filter(|(name, _)| !name.starts_with("db/")).cloned().collect();
    let words = [
        "diesel::pg",
        "diesel::sqlite",
        "PgConnection",
        "SqliteConnection",
        "Conn::Pg",
        "Conn::Sqlite",
        "sql_query",
        "libsqlite3",
    ];
    let found = lines_with(&outside, |code| words.iter().any(|word| code.contains(word)));
    assert!(found.is_empty(), "outside db/:\n{}", found.join("\n"));
}

#[test]
fn imports_point_down_the_map() {
    let files = sources("api/src");
    assert!(files.len() > 40);
    let rooms = [
        "app",
        "auth",
        "body",
        "config",
        "demo",
        "error",
        "health",
        "import",
        "logs",
        "openapi",
        "page",
        "params",
        "server",
        "workspaces",
    ];
    for (folder, forbidden) in [
        ("db/", rooms.as_slice()),
        ("logs/", &["app", "server", "config", "demo", "import", "openapi", "health"]),
        ("auth/", &["app", "server", "config", "demo", "import", "openapi", "health"]),
        ("workspaces/", &["app", "server", "config", "demo", "import", "openapi", "health"]),
        ("error.rs", &["app", "server", "auth", "logs", "workspaces", "params", "page"]),
        ("page.rs", &["app", "server", "auth", "logs", "workspaces"]),
        ("import/", &["app", "server", "openapi", "health"]),
        ("demo/", &["app", "openapi", "health"]),
    ] {
        let found =
            lines_with(&within(&files, folder), |code| forbidden.iter().any(|room| names(code, room)));
        assert!(found.is_empty(), "{folder} looks up:\n{}", found.join("\n"));
    }
    // `use crate::{ … }` over several lines hides the word `crate` from the lines below it.
    for (name, text) in within(&files, "db/") {
        let grouped = text.split("use crate::{").skip(1).any(|rest| {
            let group = rest.split("};").next().unwrap_or_default();
            rooms
                .iter()
                .any(|room| group.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == *room))
        });
        assert!(!grouped, "{name} looks up");
    }
}

#[test]
fn the_three_logs_do_not_know_each_other() {
    let files = sources("api/src");
    let logs = ["access", "application", "framework"];
    for log in logs {
        let others: Vec<_> = logs.iter().filter(|other| **other != log).collect();
        let found = lines_with(&within(&files, &format!("logs/{log}.rs")), |code| {
            others.iter().any(|other| {
                names(code, &format!("logs::{other}")) || code.contains(&format!("super::{other}"))
            })
        });
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn a_long_file_says_at_its_head_why() {
    let mut long = Vec::new();
    for folder in ["api/src", "tests/src", "tests/stories", "tests/bench"] {
        for (name, text) in sources(folder) {
            let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            if text.lines().count() > 400 && !head.to_lowercase().contains("long") {
                long.push(format!("{folder}/{name}: {} lines", text.lines().count()));
            }
            let is_room = !name.ends_with("tests.rs");
            assert!(!is_room || !head.is_empty(), "{folder}/{name} says at its head what it is");
        }
    }
    assert!(long.is_empty(), "split it, or say at its head why it is long:\n{}", long.join("\n"));
}

#[test]
fn lints_are_expected_with_a_reason_and_no_test_is_left_out() {
    let files = [sources("api/src"), sources("tests/stories")].concat();
    let found = lines_with(&files, |code| {
        ["#[allow(", "#![allow(", "#[ignore"].iter().any(|word| code.starts_with(word))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}
