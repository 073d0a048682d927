//! The file of rows that could not be imported: one JSON object per line.
//!
//! ```json
//! {"table":"auditlogs_logentry","id":"17","record":18,"reason":"changes is not JSON: …","row":{"object_pk":"3",…}}
//! ```

use std::{
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use logbook_engine::{
    event::masking::{self, Masker},
    private_files,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    log_entry::SecretId,
    row::{Reason, Row},
};

/// How many rejects are kept for the summary; the file contains all of them.
const NAMED: usize = 20;

/// A row that could not be imported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reject {
    pub table: String,
    /// The row's id, if it has a readable one.
    pub id: Option<String>,
    /// The row's place in a CSV file: 1 is the first after the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    pub reason: String,
    /// The row's columns, with secrets masked.
    pub row: Map<String, Value>,
}

impl Reject {
    pub(super) fn new(table: &str, row: &Row, reason: Reason) -> Self {
        let id = (row.id != 0).then(|| row.id.to_string());
        Self { table: table.to_owned(), id, record: row.record, reason, row: row.to_json() }
    }

    /// Shortens an id that is a secret, wherever the row or the reason has it. The state of the record goes, as in an event.
    pub(super) fn hide_secret_id(&mut self) {
        let text = |column| self.row.get(column).and_then(Value::as_str);
        // The name is often the id.
        let secret = text("object_pk").or_else(|| text("object_repr")).and_then(SecretId::new);
        let Some(secret) = secret else { return };
        self.row.values_mut().for_each(|value| secret.hide(value));
        self.reason = secret.hidden(&self.reason);
        if let Some(state) = self.row.get_mut("serialized_data").filter(|state| !state.is_null()) {
            *state = "…".into();
        }
    }
}

/// Collects rejects. The file is created with the first of them, readable only by its owner.
#[derive(Debug)]
pub struct Rejects {
    path: PathBuf,
    /// Without a key: the file lies outside the database.
    masker: Masker,
    file: Option<File>,
    /// Rows rejected so far.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Reject>,
}

impl Rejects {
    pub fn new(path: PathBuf, masker: Masker) -> Self {
        Self { path, masker, file: None, count: 0, first: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Masks later rejects by other lists.
    pub(super) fn set_masker(&mut self, masker: Masker) {
        self.masker = masker;
    }

    /// Writes one reject. It is on disk only after [`Rejects::sync`].
    pub fn add(&mut self, mut reject: Reject) -> io::Result<()> {
        reject.row = masked(&self.masker, reject.row);
        let mut line = serde_json::to_vec(&reject)?;
        line.push(b'\n');
        self.file()?.write_all(&line)?;
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(reject);
        }
        Ok(())
    }

    /// Makes the rejects so far durable. Called before the stored position passes them.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.sync_data())
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                private_files::create_folder(folder)?;
            }
            let options = &mut private_files::options();
            self.file = Some(options.append(true).create(true).open(&self.path)?);
        }
        self.file.as_mut().ok_or_else(|| io::Error::other("no file"))
    }
}

/// Masks the row's secrets. Columns that hold JSON are parsed, so that the field names inside them count.
fn masked(masker: &Masker, row: Map<String, Value>) -> Map<String, Value> {
    let opened = |value: Value| match &value {
        Value::String(text) if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    };
    let mut row = row.into_iter().map(|(column, value)| (column, opened(value))).collect();
    masking::mask_object_with(masker, &mut row, "");
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_out_of_the_file() {
        let hash = "pbkdf2_sha256$600000$0a031ae315d5ffff4f5212$597deccddd883fc20c46c4c9985f8e21585f31f6f50=";
        let row = serde_json::json!({
            "object_pk": "3",
            "changes": r#"{"token_key": ["None", "bdf178acb071e32"], "name": ["a", "b"]}"#,
            "changes_text": format!("broken {hash}"),
        });
        let Value::Object(row) = row else { panic!("an object") };
        let masked = Value::from(masked(&Masker::default(), row)).to_string();
        assert!(!masked.contains("bdf178acb071e32") && !masked.contains("597decc"), "{masked}");
        assert!(masked.contains(r#""name":["a","b"]"#));
    }

    #[test]
    fn secret_ids_are_shortened() {
        let key = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b";
        let changes = format!(r#"{{"key": ["None", "{key}"#);
        let state = format!(r#"{{"pk": "{key}"}}"#);
        let columns = ["object_pk", "object_repr", "changes", "serialized_data"].map(str::to_owned);
        let reject = |pk: &str| {
            let values = [pk, key, &changes, &state].map(|text| Some(text.to_owned()));
            let row = Row::new(17, None, columns.to_vec().into(), values.to_vec());
            // As it is quoted: cut off.
            let mut reject = Reject::new("auditlog_logentry", &row, format!("not JSON: {}…", &changes[..40]));
            reject.hide_secret_id();
            serde_json::to_string(&reject).expect("JSON")
        };
        for reject in [reject(key), reject("")] {
            assert!(!reject.contains("9944b09199"), "{reject}");
            assert_eq!(
                reject.matches("9944b091…").count(),
                3 + usize::from(!reject.contains("null")),
                "{reject}"
            );
        }
        assert!(reject("a serial number").contains(key));
    }
}
