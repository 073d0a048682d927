//! The project's users. Their model may be any: these are the columns that most have.

use std::{borrow::Cow, collections::HashMap};

use logbook_engine::event::{Actor, ActorType};

use crate::import::{
    ImportError,
    register::each,
    rejects::Rejects,
    row::{Reason, Row, limited},
    source::{Lookup, Source, TableSpec},
};

/// Each column, and what it is called where it is looked up for another row.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "user.id"),
    ("first_name", "user.first_name"),
    ("last_name", "user.last_name"),
    ("name", "user.name"),
    ("full_name", "user.full_name"),
    ("username", "user.username"),
    ("email", "user.email"),
];
const OPTIONAL: &[&str] = &["first_name", "last_name", "name", "full_name", "username", "email"];

/// A database looks users up itself, one by one; of a folder all of them are kept.
pub(super) struct People {
    table: TableSpec,
    by_id: HashMap<String, Option<String>>,
    /// None where two have the same name.
    by_username: HashMap<String, Option<String>>,
}

impl People {
    /// The id of a user may be anything, such as a UUID.
    pub(super) fn new(table: &str) -> Self {
        let spec = TableSpec::new("", &[], OPTIONAL);
        let table = TableSpec { name: Cow::Owned(table.to_owned()), numbered: false, ..spec };
        Self { table, by_id: HashMap::new(), by_username: HashMap::new() }
    }

    /// The user whose id is in the column.
    pub(super) fn of_id(&self, key: &'static str) -> Lookup {
        Lookup { table: self.table.clone(), key, by: "id", columns: COLUMNS }
    }

    /// The user who signs in with the name in the column: by their user name, or by address where they have none.
    pub(super) fn of_username(&self, source: &Source, key: &'static str) -> Result<Lookup, ImportError> {
        let by = if source.has_column(&self.table, "username")? { "username" } else { "email" };
        Ok(Lookup { table: self.table.clone(), key, by, columns: COLUMNS })
    }

    /// Reads the users of a folder.
    pub(super) fn load(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.by_id.clear();
        self.by_username.clear();
        if !source.is_folder() {
            return Ok(());
        }
        each(source, &self.table, rejects, |row| {
            let Some(id) = row.owned("id") else { return };
            if let Some(username) = row.owned("username").or_else(|| row.owned("email")) {
                let first = Some(id.clone());
                self.by_username.entry(username).and_modify(|other| *other = None).or_insert(first);
            }
            self.by_id.insert(id, display(|column| row.text(column)));
        })
    }

    /// The user with this id, with their current name.
    pub(super) fn user(&self, row: &Row, id: &str) -> Result<Actor, Reason> {
        let name = looked_up(row).or_else(|| self.by_id.get(id).cloned().flatten());
        let name = name.map(|name| limited("actor name", name)).transpose()?;
        Ok(Actor { kind: ActorType::User, id: Some(limited("actor id", id)?), name })
    }

    /// The user who signed in with this name. One who is not there any more has no id.
    pub(super) fn signed_in(&self, row: &Row, username: &str) -> Result<Actor, Reason> {
        let id = row.owned("user.id").or_else(|| self.by_username.get(username).cloned().flatten());
        match id {
            Some(id) => self.user(row, &id),
            None => {
                let name = Some(limited("actor name", username)?);
                Ok(Actor { kind: ActorType::User, id: None, name })
            }
        }
    }
}

fn looked_up(row: &Row) -> Option<String> {
    display(|column| row.text(COLUMNS.iter().find(|(own, _)| *own == column)?.1))
}

/// What somebody is called.
fn display<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let names: Vec<&str> = ["first_name", "last_name"].into_iter().filter_map(&text).collect();
    if !names.is_empty() {
        return Some(names.join(" "));
    }
    ["full_name", "name", "username", "email"].into_iter().find_map(text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_are_called() {
        let name = |fields: &[(&str, &'static str)]| {
            display(|column| fields.iter().find(|(name, _)| *name == column).map(|(_, value)| *value))
        };
        assert_eq!(name(&[("first_name", "Asha"), ("last_name", "Rao")]).as_deref(), Some("Asha Rao"));
        assert_eq!(name(&[("last_name", "Rao"), ("username", "asha")]).as_deref(), Some("Rao"));
        assert_eq!(name(&[("email", "a@b.test"), ("full_name", "李雷")]).as_deref(), Some("李雷"));
        assert_eq!(name(&[("email", "a@b.test"), ("username", "asha")]).as_deref(), Some("asha"));
        assert_eq!(name(&[]), None);
    }
}
