//! What the log tables refer to by id: users, roles, platform admins, content types, objects.
//!
//! Kept in memory while an import runs. All of it is small except the objects, of which an app has as many as it has
//! records: 24 bytes each. A database as the source joins them in, so none are kept.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    ImportError,
    row::Row,
    source::{Read, Source},
    tables::{ADMINS, CONTENT_TYPES, OBJECTS, ROLES, TableSpec, USERS},
};
use crate::import::rejects::{Reject, Rejects};

/// `appauth.appusermodel`, in its two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    pub app_label: String,
    pub model: String,
}

#[derive(Debug, Default)]
pub struct Names {
    users: HashMap<i64, String>,
    admins: HashMap<i64, String>,
    roles: HashMap<i64, String>,
    content_types: HashMap<i64, ContentType>,
    /// Sorted by id.
    objects: Vec<(i64, Uuid)>,
}

impl Names {
    /// Reads all of them. Only the content types must exist; a user without a row has an id and no name.
    pub fn load(source: &Source, rejects: &mut Rejects) -> Result<Self, ImportError> {
        let mut names = Self::default();
        each(source, &USERS, rejects, |row| insert_some(&mut names.users, row.id, person(row)))?;
        each(source, &ADMINS, rejects, |row| insert_some(&mut names.admins, row.id, person(row)))?;
        each(source, &ROLES, rejects, |row| insert_some(&mut names.roles, row.id, row.owned("name")))?;
        // Checked here, so that a source without it is refused before anything is stored.
        source.require(&CONTENT_TYPES)?;
        each(source, &CONTENT_TYPES, rejects, |row| {
            let content_type =
                || Some(ContentType { app_label: row.owned("app_label")?, model: row.owned("model")? });
            insert_some(&mut names.content_types, row.id, content_type());
        })?;
        if !source.joins_uuids() {
            each(source, &OBJECTS, rejects, |row| {
                let uuid = row.text("object_uuid").and_then(|text| Uuid::try_parse(text).ok());
                names.objects.extend(uuid.map(|uuid| (row.id, uuid)));
            })?;
            names.objects.sort_unstable_by_key(|(id, _)| *id);
        }
        Ok(names)
    }

    pub fn user(&self, id: i64) -> Option<String> {
        self.users.get(&id).cloned()
    }

    pub fn admin(&self, id: i64) -> Option<String> {
        self.admins.get(&id).cloned()
    }

    pub fn role(&self, id: i64) -> Option<String> {
        self.roles.get(&id).cloned()
    }

    pub fn content_type(&self, id: i64) -> Option<&ContentType> {
        self.content_types.get(&id)
    }

    /// The UUID of the object that a row of the object store represents.
    pub fn object_uuid(&self, object_ref: i64) -> Option<String> {
        let place = self.objects.binary_search_by_key(&object_ref, |(id, _)| *id).ok()?;
        self.objects.get(place).map(|(_, uuid)| uuid.to_string())
    }
}

#[cfg(test)]
impl Names {
    /// The names that the unit tests of the mapping use.
    pub fn for_tests() -> Self {
        let text = |pairs: &[(i64, &str)]| pairs.iter().map(|(id, name)| (*id, (*name).to_owned())).collect();
        let types = [
            (19, "knox", "authtoken"),
            (24, "appauth", "userrolemodel"),
            (25, "appauth", "appusermodel"),
            (27, "appauth", "appuserauthtoken"),
            (32, "permissions", "policymodel"),
            (45, "dynamic_models", "patient"),
            (90, "plugin", "thing"),
        ];
        let content_type = |(id, app_label, model): (i64, &str, &str)| {
            (id, ContentType { app_label: app_label.into(), model: model.into() })
        };
        Self {
            users: text(&[(1, "Asha R Nurse"), (2, "Bela Doctor")]),
            admins: text(&[(1, "Default Super Admin")]),
            roles: text(&[(3, "Nurse")]),
            content_types: types.into_iter().map(content_type).collect(),
            objects: vec![(7, Uuid::from_u128(7))],
        }
    }
}

fn insert_some<T>(map: &mut HashMap<i64, T>, id: i64, value: Option<T>) {
    if let Some(value) = value {
        map.insert(id, value);
    }
}

/// A person's name; without one, the address or the number they sign in with.
fn person(row: &Row) -> Option<String> {
    ["name", "email", "mobile"].iter().find_map(|column| row.owned(column))
}

/// Every row of a table, if the source has it.
fn each(
    source: &Source,
    table: &TableSpec,
    rejects: &mut Rejects,
    mut take: impl FnMut(&Row),
) -> Result<(), ImportError> {
    let Some(stream) = source.find(table, 0)? else { return Ok(()) };
    for read in stream {
        match read? {
            Read::Row(row) => take(&row),
            Read::Bad { row, reason } => {
                let reject = reject(table.name, &row, reason);
                rejects.add(reject).map_err(|error| ImportError::rejects(rejects.path(), &error))?;
            }
        }
    }
    Ok(())
}

/// What is written about a row that cannot be imported.
pub fn reject(table: &str, row: &Row, reason: String) -> Reject {
    let id = (row.id != 0).then(|| row.id.to_string());
    Reject { table: table.to_owned(), id, record: row.record, reason, row: row.to_json() }
}
