//! Rows of Zango's tables to the importer. An input is a table of accesses and a table of audit entries as CSV, with a line
//! `%%` between them.

use std::{collections::BTreeMap, fs, path::Path};

use logbook::import::zango;
use logbook_engine::{
    append::AppendRequest,
    event::{Event, masking::Masker},
};
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use tempfile::TempDir;

use super::Target;
use crate::{
    mutate::{mutated, one_in, pick},
    nasty, values,
};

const ACCESS: &str = "accesslogs_appaccesslog";
const AUDIT: &str = "auditlogs_logentry";
/// What the rows refer to.
const NAMES: &[&str] = &[
    "appauth_appusermodel",
    "appauth_userrolemodel",
    "django_content_type",
    "platformauth_platformusermodel",
    "tenancy_tenantmodel",
];
const BETWEEN: &[u8] = b"\n%%\n";
const WORDS: &[&str] = &[
    "login",
    "switch_role",
    "t",
    "f",
    "m2m",
    "add",
    "delete",
    "type",
    "operation",
    "objects",
    "None",
    "null",
    "0",
    "3",
];

pub(crate) struct Mapping {
    folder: TempDir,
    tables: BTreeMap<&'static str, Table>,
    masker: Masker,
}

struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    values: Vec<Value>,
}

impl Mapping {
    pub(crate) fn new() -> Self {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zango");
        // In memory where the system has such a folder: each input writes two files.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.expect("a folder");
        for name in NAMES {
            let file = format!("{name}.csv");
            fs::copy(fixture.join(&file), folder.path().join(&file)).expect("a copy");
        }
        let table = |name: &str| {
            let mut reader = csv::Reader::from_path(fixture.join(format!("{name}.csv"))).expect("a table");
            let header = reader.headers().expect("a header").iter().map(str::to_owned).collect();
            let row = |row: Result<csv::StringRecord, csv::Error>| {
                row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>()
            };
            let rows: Vec<Vec<String>> = reader.records().map(row).collect();
            let cells = rows.iter().flatten().filter(|cell| cell.starts_with('{'));
            let mut values: Vec<Value> = cells.filter_map(|cell| serde_json::from_str(cell).ok()).collect();
            values.push(Value::Null);
            Table { header, rows, values }
        };
        let tables = [ACCESS, AUDIT].into_iter().map(|name| (name, table(name))).collect();
        Self { folder, tables, masker: Masker::with_key(vec![7; 32]) }
    }

    fn rows(&self, rng: &mut Pcg64Mcg, name: &str) -> Vec<u8> {
        let table = &self.tables[name];
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        writer.write_record(&table.header).expect("memory");
        for _ in 0..rng.random_range(0..4_u32) {
            let mut row = pick(rng, &table.rows).clone();
            for _ in 0..rng.random_range(0..3_u32) {
                let at = rng.random_range(0..row.len());
                row[at] = self.cell(rng, table, &row[at]);
            }
            writer.write_record(&row).expect("memory");
        }
        writer.into_inner().expect("memory")
    }

    fn cell(&self, rng: &mut Pcg64Mcg, table: &Table, cell: &str) -> String {
        if let Ok(mut value) = serde_json::from_str::<Value>(cell)
            && (value.is_object() || value.is_array())
            && !one_in(rng, 4)
        {
            values::mutate(rng, &mut value, &table.values, WORDS);
            return value.to_string();
        }
        match rng.random_range(0..6_u32) {
            0 => (*pick(rng, nasty::TEXTS)).to_owned(),
            1 => (*pick(rng, nasty::NUMBERS)).to_owned(),
            2 => (*pick(rng, nasty::TIMES)).to_owned(),
            3 => {
                let row = pick(rng, &table.rows);
                pick(rng, row).clone()
            }
            _ => {
                let others = [pick(rng, WORDS).as_bytes().to_vec()];
                String::from_utf8_lossy(&mutated(rng, cell.as_bytes(), &others, WORDS)).into_owned()
            }
        }
    }
}

impl Target for Mapping {
    fn name(&self) -> &'static str {
        "mapping"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let text = |name: &str, from: usize, count: usize| {
            let table = &self.tables[name];
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&table.header).expect("memory");
            for row in table.rows.iter().skip(from).take(count) {
                writer.write_record(row).expect("memory");
            }
            writer.into_inner().expect("memory")
        };
        let longest = self.tables.values().map(|table| table.rows.len()).max().unwrap_or_default();
        let seeds = (0..longest)
            .step_by(2)
            .map(|from| [&text(ACCESS, from, 2), BETWEEN, &text(AUDIT, from, 2)].concat());
        seeds.collect()
    }

    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8> {
        if one_in(rng, 4) {
            let seed = pick(rng, seeds);
            return mutated(rng, seed, seeds, WORDS);
        }
        [&self.rows(rng, ACCESS), BETWEEN, &self.rows(rng, AUDIT)].concat()
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let between = input.windows(BETWEEN.len()).position(|window| window == BETWEEN);
        let (access, audit) = match between {
            Some(at) => (&input[..at], &input[at + BETWEEN.len()..]),
            None => (input, &b""[..]),
        };
        let folder = self.folder.path();
        for (name, text) in [(ACCESS, access), (AUDIT, audit)] {
            fs::write(folder.join(format!("{name}.csv")), text).expect("a file");
        }
        let (mut events, mut rejected) = (Vec::new(), 0_usize);
        let from = folder.to_str().expect("UTF-8");
        let mapped = zango::map(from, "peerapp", &folder.join("rejects"), |step| match step {
            Ok(event) => events.push(event),
            Err(reject) => {
                rejected += 1;
                assert!(!reject.reason.is_empty() && reject.reason.len() < 2000, "{}", reject.reason);
            }
        });
        // A table that is broken as a whole is refused as a whole.
        if mapped.is_err() {
            return false;
        }
        // A row becomes one event, or two when its session ended.
        let lines = input.iter().filter(|byte| **byte == b'\n' || **byte == b'\r').count();
        assert!(events.len() + rejected <= 2 * lines + 2, "{} and {rejected} of {lines} lines", events.len());
        let is_some = !events.is_empty();
        let source = "zango import".try_into().expect("within the limits");
        for prepared in AppendRequest::masked(1, &source, &self.masker, events).events {
            let row = prepared.row;
            for json in [&row.changes, &row.metadata, &row.targets, &row.masked].into_iter().flatten() {
                let value: Value = serde_json::from_str(json).expect("what is stored is JSON");
                assert_eq!(&serde_json_canonicalizer::to_string(&value).expect("JSON"), json);
            }
            Event::try_from(row).expect("what is stored can be read");
        }
        is_some
    }

    fn grown(&self, input: &[u8], length: usize) -> Option<Vec<u8>> {
        // More audit entries: the last line again and again.
        let last = input.iter().rposition(|byte| *byte == b'\n').filter(|at| at + 1 < input.len());
        let line = [&input[last.map_or(0, |at| at + 1)..], b"\n"].concat();
        Some([input, b"\n", line.repeat(length / line.len()).as_slice()].concat())
    }
}
