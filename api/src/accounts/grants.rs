//! What the claims of an identity provider allow here. The rule is in docs/SIGN-IN.md, for the people who set it up there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::accounts::role::Role;

/// What somebody may do, by the names of workspaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    pub platform_admin: bool,
    /// The role in every workspace.
    pub everywhere: Option<Role>,
    pub by_slug: BTreeMap<String, Role>,
}

const EVERY_WORKSPACE: &str = "*";
const PLATFORM_ADMIN: &str = "platform_admin";
/// How groups begin that mean something here: `logbook:<workspace>:<role>`.
const GROUP_PREFIX: &str = "logbook:";

impl Grants {
    /// Reads the claim with this name. Values that are not understood grant nothing.
    pub fn from_claims(claims: &Map<String, Value>, name: &str) -> Self {
        let mut grants = Self::default();
        match find(claims, name) {
            Some(Value::Object(by_workspace)) => {
                for (workspace, roles) in by_workspace {
                    for role in texts(roles) {
                        grants.add(workspace, role);
                    }
                }
            }
            Some(groups) => {
                let named =
                    texts(groups).filter_map(|group| group.strip_prefix(GROUP_PREFIX)?.split_once(':'));
                for (workspace, role) in named {
                    grants.add(workspace, role);
                }
            }
            None => {}
        }
        grants
    }

    fn add(&mut self, workspace: &str, role: &str) {
        if workspace == EVERY_WORKSPACE && role == PLATFORM_ADMIN {
            self.platform_admin = true;
            self.everywhere = Some(Role::Admin);
            return;
        }
        let Ok(role) = role.parse::<Role>() else { return };
        if workspace == EVERY_WORKSPACE {
            self.everywhere = Some(self.everywhere.map_or(role, |other| first_of(role, other)));
        } else {
            let known = self.by_slug.get(workspace).map_or(role, |other| first_of(role, *other));
            self.by_slug.insert(workspace.to_owned(), known);
        }
    }
}

/// Which of several roles for one workspace counts: the first of admin, auditor, viewer, writer.
fn first_of(one: Role, other: Role) -> Role {
    let rank = |role| match role {
        Role::Admin => 0,
        Role::Auditor => 1,
        Role::Viewer => 2,
        Role::Writer => 3,
    };
    if rank(one) <= rank(other) { one } else { other }
}

/// The claim of this whole name (some providers demand a URL for one), else the one at its end as a path
/// (`realm_access.roles`).
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    rest.split('.').try_fold(claims.get(first)?, |value, part| value.get(part))
}

/// A text, or those in a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or(std::slice::from_ref(value));
    list.iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grants(claims: Value) -> Grants {
        Grants::from_claims(claims.as_object().expect("an object"), "logbook_roles")
    }

    fn by_slug<const N: usize>(roles: [(&str, Role); N]) -> Grants {
        let by_slug = roles.map(|(slug, role)| (slug.to_owned(), role)).into();
        Grants { by_slug, ..Grants::default() }
    }

    #[test]
    fn an_object_gives_a_role_for_each_workspace() {
        assert_eq!(
            grants(
                json!({"logbook_roles": {"clinic": "viewer", "shop": ["writer", "auditor"], "*": "auditor"}})
            ),
            Grants {
                everywhere: Some(Role::Auditor),
                ..by_slug([("clinic", Role::Viewer), ("shop", Role::Auditor)])
            }
        );
    }

    #[test]
    fn groups_give_the_same() {
        assert_eq!(
            grants(
                json!({"logbook_roles": ["staff", "logbook:clinic:admin", "logbook:clinic:viewer", "logbook:shop:writer"]})
            ),
            by_slug([("clinic", Role::Admin), ("shop", Role::Writer)])
        );
        assert_eq!(
            grants(json!({"logbook_roles": "logbook:clinic:viewer"})),
            by_slug([("clinic", Role::Viewer)])
        );
    }

    #[test]
    fn only_the_platforms_admin_is_one() {
        for claim in [json!({"*": "platform_admin"}), json!(["logbook:*:platform_admin"])] {
            let grants = grants(json!({"logbook_roles": claim}));
            assert_eq!((grants.platform_admin, grants.everywhere), (true, Some(Role::Admin)));
        }
        let everywhere = grants(json!({"logbook_roles": {"*": "admin"}}));
        assert_eq!((everywhere.platform_admin, everywhere.everywhere), (false, Some(Role::Admin)));
        assert_eq!(grants(json!({"logbook_roles": {"clinic": "platform_admin"}})), Grants::default());
    }

    #[test]
    fn what_is_not_understood_grants_nothing() {
        for claim in [
            json!(null),
            json!(true),
            json!(7),
            json!("admin"),
            json!([
                "admin",
                "logbook",
                "logbook:",
                "logbook:clinic",
                "logbook:clinic:root",
                "LOGBOOK:clinic:admin"
            ]),
            json!({"clinic": "root", "shop": {"role": "admin"}, "other": null, "more": [["admin"]]}),
            json!({"clinic": "Admin", "shop": "admin "}),
        ] {
            assert_eq!(grants(json!({"logbook_roles": claim})), Grants::default(), "{claim}");
        }
        assert_eq!(grants(json!({"roles": {"clinic": "admin"}})), Grants::default());
    }

    #[test]
    fn a_claim_is_named_whole_or_by_its_path() {
        let claims = json!({
            "https://logbook.example/roles": {"clinic": "viewer"},
            "realm_access": {"roles": ["logbook:clinic:writer"]},
        });
        let claims = claims.as_object().expect("an object");
        let role = |name| Grants::from_claims(claims, name).by_slug.get("clinic").copied();
        assert_eq!(role("https://logbook.example/roles"), Some(Role::Viewer));
        assert_eq!(role("realm_access.roles"), Some(Role::Writer));
        assert_eq!((role("realm_access"), role("realm_access.groups"), role("a.b")), (None, None, None));
    }
}
