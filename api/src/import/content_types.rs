//! Django's content types: which model a row is about.

use super::{register::Register, row::Row, source::TableSpec};

pub(super) static CONTENT_TYPES: TableSpec =
    TableSpec::new("django_content_type", &["app_label", "model"], &[]);

/// `appauth.appusermodel`, in its two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ContentType {
    pub app_label: String,
    pub model: String,
}

impl std::fmt::Display for ContentType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { app_label, model } = self;
        write!(f, "{app_label}.{model}")
    }
}

pub(super) fn register() -> Register<ContentType> {
    Register::new(&CONTENT_TYPES, |row| {
        Some(ContentType { app_label: row.owned("app_label")?, model: row.owned("model")? })
    })
}

/// The content type of an entry.
pub(super) fn of<'a>(row: &Row, types: &'a Register<ContentType>) -> Result<&'a ContentType, String> {
    let id = row.integer("content_type_id")?.ok_or("content_type_id is missing")?;
    types.get(id).ok_or_else(|| format!("content type {id} is not in {}", CONTENT_TYPES.name))
}
