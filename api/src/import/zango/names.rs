//! What the log tables refer to by id: users, roles, platform admins, content types, objects.
//!
//! Kept in memory while an import runs. All of it is small except the objects, of which an app has as many as it has
//! records: 24 bytes each. A database as the source looks them up itself, so none are kept.

use uuid::Uuid;

use super::tables::{ADMINS, OBJECTS, ROLES, USERS};
use crate::import::{
    ImportError,
    content_types::{self, ContentType},
    register::{Register, each},
    rejects::Rejects,
    row::Row,
    source::Source,
};

#[derive(Debug)]
pub(super) struct Names {
    users: Register<String>,
    admins: Register<String>,
    roles: Register<String>,
    pub content_types: Register<ContentType>,
    /// Sorted by id.
    objects: Vec<(i64, Uuid)>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            users: Register::new(&USERS, person),
            admins: Register::new(&ADMINS, person),
            roles: Register::new(&ROLES, |row| row.owned("name")),
            content_types: content_types::register(),
            objects: Vec::new(),
        }
    }
}

impl Names {
    /// Reads all of them. A user without a row has an id and no name.
    pub(super) fn load(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.users.load(source, rejects)?;
        self.admins.load(source, rejects)?;
        self.roles.load(source, rejects)?;
        self.content_types.load(source, rejects)?;
        if source.is_folder() {
            self.objects.clear();
            each(source, &OBJECTS, rejects, |row| {
                let uuid = row.text("object_uuid").and_then(|text| Uuid::try_parse(text).ok());
                self.objects.extend(uuid.map(|uuid| (row.id, uuid)));
            })?;
            self.objects.sort_unstable_by_key(|(id, _)| *id);
        }
        Ok(())
    }

    /// Looks up whom and what this row refers to, if it is newer than what was read.
    pub(super) fn look_up(&mut self, source: &Source, row: &Row) -> Result<(), ImportError> {
        // One that is no number is reported by the mapping.
        let id = |column| row.integer(column).ok().flatten();
        for user in ["user_id", "tenant_actor_id"].into_iter().filter_map(id) {
            self.users.look_up(source, user)?;
        }
        id("platform_actor_id").map_or(Ok(()), |id| self.admins.look_up(source, id))?;
        id("role_id").map_or(Ok(()), |id| self.roles.look_up(source, id))?;
        id("content_type_id").map_or(Ok(()), |id| self.content_types.look_up(source, id))
    }

    pub(super) fn user(&self, id: i64) -> Option<String> {
        self.users.get(id).cloned()
    }

    pub(super) fn admin(&self, id: i64) -> Option<String> {
        self.admins.get(id).cloned()
    }

    pub(super) fn role(&self, id: i64) -> Option<String> {
        self.roles.get(id).cloned()
    }

    /// The UUID of the object that a row of the object store represents.
    pub(super) fn object_uuid(&self, object_ref: i64) -> Option<String> {
        let place = self.objects.binary_search_by_key(&object_ref, |(id, _)| *id).ok()?;
        self.objects.get(place).map(|(_, uuid)| uuid.to_string())
    }
}

/// A person's name; without one, the address or the number they sign in with.
fn person(row: &Row) -> Option<String> {
    ["name", "email", "mobile"].iter().find_map(|column| row.owned(column))
}

#[cfg(test)]
impl Names {
    /// The names that the unit tests of the mapping use.
    pub(super) fn for_tests() -> Self {
        let text = |register: Register<String>, pairs: &[(i64, &str)]| {
            register.with(pairs.iter().map(|(id, name)| (*id, (*name).to_owned())))
        };
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
        let none = Self::default();
        Self {
            users: text(none.users, &[(1, "Asha R Nurse"), (2, "Bela Doctor")]),
            admins: text(none.admins, &[(1, "Default Super Admin")]),
            roles: text(none.roles, &[(3, "Nurse")]),
            content_types: none.content_types.with(types.into_iter().map(content_type)),
            objects: vec![(7, Uuid::from_u128(7))],
        }
    }
}
