//! Who may import whom. What ARCHITECTURE.md draws is a table here, and every other arrow fails.

#[path = "architecture/paths.rs"]
mod paths;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use paths::{Named, paths};

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

/// A file of a crate: its path below `src`, and what it names.
struct File {
    name: String,
    module: Vec<String>,
    named: Vec<Named>,
}

fn crate_files(folder: &str) -> Vec<File> {
    let files = sources(&format!("{folder}/src"));
    assert!(files.len() > 40, "{folder} has its files elsewhere");
    let file = |(name, text): (String, String)| {
        let mut module: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
        module.pop_if(|last| ["mod", "lib", "main"].contains(last));
        let named = paths(&text, &module);
        File { module: module.into_iter().map(str::to_owned).collect(), named, name }
    };
    files.into_iter().map(file).collect()
}

/// What may import what: a folder or file directly below `src`, and the others that it may name. Everything that is named
/// stands further down, so no circle is possible.
type Arrows = &'static [(&'static str, &'static [&'static str])];

const ENGINE: Arrows = &[
    (
        "jobs",
        &[
            "append",
            "sources",
            "index",
            "counts",
            "query",
            "filter",
            "event",
            "db",
            "error",
            "priority",
            "private_files",
        ],
    ),
    ("caches", &["counts", "index"]),
    ("append", &["sources", "counts", "event", "db", "error", "priority", "varint"]),
    ("sources", &["event", "db", "error"]),
    ("counts", &["query", "index", "filter", "event", "error", "local_time", "order", "varint", "db"]),
    ("timeline", &["query", "index", "filter", "event", "error", "order", "text", "db"]),
    ("history", &["filter", "event", "error", "order", "db"]),
    ("query", &["index", "filter", "event", "error", "order", "db"]),
    ("index", &["filter", "event", "error", "order", "text", "varint", "db"]),
    ("filter", &["event", "error", "order", "text", "db"]),
    ("event", &["error", "order", "text", "db"]),
    ("error", &["db"]),
    ("local_time", &["db"]),
    ("order", &["db"]),
    ("text", &[]),
    ("varint", &[]),
    ("db", &["priority", "private_files"]),
    ("priority", &[]),
    ("private_files", &[]),
];

/// Besides these everything may name the engine.
const API: Arrows = &[
    (
        "commands",
        &["server", "openapi", "demo", "import", "auth", "audit", "accounts", "config", "limits", "http"],
    ),
    (
        "server",
        &["app", "middleware", "routes", "auth", "audit", "sources", "accounts", "config", "limits", "http"],
    ),
    ("app", &["middleware", "openapi", "routes", "auth", "audit", "limits", "sources", "accounts", "http"]),
    ("middleware", &["routes", "audit", "config", "limits", "http"]),
    ("openapi", &["routes", "http"]),
    ("routes", &["auth", "audit", "limits", "sources", "accounts", "http"]),
    ("auth", &["audit", "limits", "accounts", "http", "ttl_cache"]),
    ("audit", &["accounts", "http"]),
    ("config", &["limits", "http"]),
    ("limits", &["accounts", "http"]),
    // One of the demo's workspaces is imported.
    ("demo", &["import", "accounts", "http"]),
    ("import", &["accounts", "http"]),
    ("sources", &["accounts", "http", "ttl_cache"]),
    ("accounts", &["http", "ttl_cache"]),
    ("http", &[]),
    ("ttl_cache", &[]),
];

/// Arrows that the table does not have.
fn forbidden(folder: &str, allowed: Arrows) -> Vec<String> {
    let files = crate_files(folder);
    let nodes: BTreeSet<&str> =
        files.iter().filter_map(|file| file.module.first()).map(String::as_str).collect();
    let listed: BTreeSet<&str> = allowed.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes, listed, "the table of {folder} has every folder and file below src, and no other");
    // `crate::Error` is `crate::error::Error`, by a `pub use` in lib.rs.
    let lib = files.iter().find(|file| file.name == "lib.rs").expect("a library");
    let exported = |name: &str| {
        let from = lib
            .named
            .iter()
            .find(|named| named.segments.len() > 1 && named.segments.last().is_some_and(|last| last == name));
        from.map(|named| named.segments[0].as_str())
    };
    let mut wrong = Vec::new();
    for file in &files {
        // The roots declare everything.
        let Some(own) = file.module.first() else { continue };
        let (_, may) = allowed.iter().find(|(node, _)| node == own).expect("it is in the table");
        for Named { segments, line } in &file.named {
            let target = match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["crate", first, ..] if nodes.contains(first) => first,
                // The binary's own parts name the library by its name.
                ["crate", first, ..] if own != "commands" => exported(first).unwrap_or(first),
                ["logbook", first, ..] => first,
                ["logbook_engine", ..] => "engine",
                _ => continue,
            };
            if target != own && target != "engine" && !may.contains(&target) {
                wrong.push(format!(
                    "{folder}/src/{}:{line}: {own} → {target}: {}",
                    file.name,
                    segments.join("::")
                ));
            }
        }
    }
    wrong
}

#[test]
fn the_tables_of_arrows_have_no_circle() {
    for table in [ENGINE, API] {
        for (n, (node, targets)) in table.iter().enumerate() {
            for target in *targets {
                let below = table[n + 1..].iter().any(|(other, _)| other == target);
                assert!(below, "{node} → {target} points up");
            }
        }
    }
}

#[test]
fn the_engine_imports_along_its_arrows() {
    let wrong = forbidden("engine", ENGINE);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_api_imports_along_its_arrows() {
    let wrong = forbidden("api", API);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Where somebody names a database outside the files that may.
fn backends(folder: &str, may: &[&str]) -> Vec<String> {
    let names = ["PgConnection", "SqliteConnection", "sql_query", "libsqlite3_sys", "rusqlite"];
    let pairs =
        ["diesel::pg", "diesel::sqlite", "Conn::Pg", "Conn::Sqlite", "Kind::Postgres", "Kind::Sqlite"];
    let mut found = Vec::new();
    for file in crate_files(folder) {
        if may.iter().any(|place| file.name.starts_with(place)) {
            continue;
        }
        for Named { segments, line } in &file.named {
            let is_name = segments.iter().any(|segment| names.contains(&segment.as_str()));
            let is_pair = segments.windows(2).any(|two| pairs.contains(&two.join("::").as_str()));
            if is_name || is_pair {
                found.push(format!("{folder}/src/{}:{line}: {}", file.name, segments.join("::")));
            }
        }
    }
    found
}

#[test]
fn only_db_knows_which_database_it_is() {
    // An importer reads the database of another system.
    let found = [backends("engine", &["db/"]), backends("api", &["import/source/"])].concat();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    // The rule would hold as well if nothing were found anywhere.
    assert!(!backends("engine", &[]).is_empty() && !backends("api", &[]).is_empty());
}

#[test]
fn the_engine_depends_on_nothing_of_http() {
    let manifest = fs::read_to_string(root().join("engine/Cargo.toml")).expect("a manifest");
    let names: Vec<_> =
        manifest.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    assert!(names.contains(&"diesel"));
    let forbidden = ["actix", "clap", "jsonwebtoken", "validator"];
    let found: Vec<_> =
        names.iter().filter(|name| forbidden.iter().any(|word| name.contains(word))).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn the_three_logs_do_not_know_each_other() {
    let logs = ["access", "application", "framework"];
    let mut seen = 0;
    for file in crate_files("api") {
        let Some(own) = logs.into_iter().find(|log| file.name == format!("routes/logs/{log}.rs")) else {
            continue;
        };
        seen += 1;
        for Named { segments, line } in &file.named {
            let other = segments.iter().skip(1).find(|name| logs.contains(&name.as_str()) && *name != own);
            assert!(other.is_none(), "{}:{line}: {}", file.name, segments.join("::"));
        }
    }
    assert_eq!(seen, logs.len());
}

#[test]
fn a_long_file_says_at_its_head_why() {
    let mut long = Vec::new();
    for folder in ["engine/src", "api/src", "tests/src", "tests/stories", "tests/bench", "tests/fuzz"] {
        for (name, text) in sources(folder) {
            let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            if text.lines().count() > 400 && !head.to_lowercase().contains("long") {
                long.push(format!("{folder}/{name}: {} lines", text.lines().count()));
            }
            let is_tests = name.ends_with("tests.rs");
            assert!(is_tests || !head.is_empty(), "{folder}/{name} says at its head what it is");
        }
    }
    assert!(long.is_empty(), "split it, or say at its head why it is long:\n{}", long.join("\n"));
}

#[test]
fn lints_are_expected_with_a_reason_and_no_test_is_left_out() {
    let files = [sources("engine/src"), sources("api/src"), sources("tests/stories")].concat();
    // It is no test by itself: a story starts it, and kills it.
    let process = r#"#[ignore = "a process that another story starts"]"#;
    let found = lines_with(&files, |code| {
        code != process && ["#[allow(", "#![allow(", "#[ignore"].iter().any(|word| code.starts_with(word))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}
