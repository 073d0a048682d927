//! A table of another system: its name, and the columns that are used of it.

use std::borrow::Cow;

use super::ImportError;

/// Columns with password hashes and the like are not named, so they are not read.
#[derive(Clone, Debug)]
pub(in crate::import) struct TableSpec {
    pub name: Cow<'static, str>,
    /// In the schema `public` instead of the source's.
    pub public: bool,
    /// Besides `id`.
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
    /// Whether `id` is a positive whole number.
    pub numbered: bool,
}

impl TableSpec {
    pub(in crate::import) const fn new(
        name: &'static str,
        required: &'static [&'static str],
        optional: &'static [&'static str],
    ) -> Self {
        Self { name: Cow::Borrowed(name), public: false, required, optional, numbered: true }
    }

    pub(in crate::import) const fn in_public(mut self) -> Self {
        self.public = true;
        self
    }

    /// The columns that exist and are used.
    pub(super) fn used(&self, found: &[String], location: &str) -> Result<Vec<String>, ImportError> {
        let missing = |column: &&&str| !found.iter().any(|name| name == **column);
        if let Some(column) = ["id"].iter().chain(self.required).find(missing) {
            return Err(ImportError::Source {
                location: location.to_owned(),
                reason: format!("there is no column {column}"),
            });
        }
        let used = |name: &&String| {
            *name == "id" || self.required.contains(&name.as_str()) || self.optional.contains(&name.as_str())
        };
        Ok(found.iter().filter(used).cloned().collect())
    }
}

/// Columns of another table that belong to a row: those of its one row whose column `by` has the row's value of `key`. Null
/// where there is no such row, or more than one.
#[derive(Clone, Debug)]
pub(in crate::import) struct Lookup {
    pub table: TableSpec,
    pub key: &'static str,
    pub by: &'static str,
    /// Each column of the other table, and what it is called in the row.
    pub columns: &'static [(&'static str, &'static str)],
}
