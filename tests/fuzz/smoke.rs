//! A few thousand inputs of each target, always the same ones, and every input that failed once.

use std::{fs, path::Path};

use crate::{driver, settings::Settings, targets};

fn few(name: &str, inputs: u64) {
    let mut target = targets::by_name(name).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/failed").join(name);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        target.run(&fs::read(entry.path()).expect("a file"));
    }
    let settings = Settings {
        inputs,
        first: 0,
        seed: 1,
        targets: Vec::new(),
        folder: std::env::temp_dir().join("fuzz"),
    };
    let report = driver::run(target.as_mut(), &settings, false);
    println!("{report}");
    let failures: Vec<_> = report.failures.iter().map(|failure| failure.describe(&settings)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn cursors() {
    few("cursor", 20_000);
}

#[test]
fn filters() {
    few("filter", 2000);
}

#[test]
fn bodies() {
    few("body", 2000);
}

#[test]
fn masking() {
    few("mask", 3000);
}

#[test]
fn rows_to_import() {
    few("mapping", 500);
}

#[test]
fn doors() {
    few("door", 1000);
}
