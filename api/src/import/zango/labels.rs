//! Names beside the ids in changes, where it is certain whose ids they are.

use logbook_engine::event::Change;
use serde_json::Value;

use super::{audit::APPLICATION, names::Names};
use crate::import::{content_types::ContentType, log_entry::Named};

/// What an id refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refers {
    User,
    Role,
}

/// Fields whose values are ids of users or roles, by the model. Fields of that name in other models may be anything; so
/// may the app's own fields, except the two that Zango adds to each of its records.
fn refers(content_type: &ContentType, field: &str) -> Option<Refers> {
    let ContentType { app_label, model } = content_type;
    match (app_label.as_str(), model.as_str(), field) {
        (APPLICATION, _, "created_by" | "modified_by") => Some(Refers::User),
        ("appauth", "oldpasswords" | "appuserauthtoken", "user") => Some(Refers::User),
        ("appauth", "appuserauthtoken", "role") => Some(Refers::Role),
        _ => None,
    }
}

/// Adds the current names. Returns whom the event concerns beside its target: the owner of a token or of a password, and
/// the token's role. Who created or changed a record is its actor.
pub(super) fn add(changes: &mut [Change], content_type: &ContentType, names: &Names) -> Vec<Named> {
    let mut concerned: Vec<Named> = Vec::new();
    for change in changes {
        let Some(refers) = refers(content_type, change.field()) else { continue };
        let Change::Value(value) = change else { continue };
        let named = |value: &Value| {
            let id: i64 = value.as_str()?.parse().ok()?;
            let name = match refers {
                Refers::User => names.user(id),
                Refers::Role => names.role(id),
            };
            Some((id, name))
        };
        let (old, new) = (named(&value.old), named(&value.new));
        if content_type.app_label != APPLICATION {
            let kind = match refers {
                Refers::User => "user",
                Refers::Role => "role",
            };
            let known = old.iter().chain(&new);
            let known =
                known.map(|(id, name)| Named { kind: kind.into(), id: id.to_string(), name: name.clone() });
            for named in known {
                if !concerned.iter().any(|other| other.kind == named.kind && other.id == named.id) {
                    concerned.push(named);
                }
            }
        }
        let name = |known: Option<(i64, Option<String>)>| known.and_then(|(_, name)| name);
        (value.labels.old_label, value.labels.new_label) = (name(old), name(new));
    }
    concerned
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labelled(
        app_label: &str,
        model: &str,
        mut changes: Vec<Change>,
    ) -> (Vec<[Option<String>; 2]>, Vec<String>) {
        let content_type = ContentType { app_label: app_label.into(), model: model.into() };
        let concerned = add(&mut changes, &content_type, &Names::for_tests());
        let labels = changes.iter().map(|change| {
            let labels = change.labels().clone();
            [labels.old_label, labels.new_label]
        });
        let concerned = concerned.into_iter().map(|Named { kind, id, .. }| format!("{kind}:{id}"));
        (labels.collect(), concerned.collect())
    }

    fn some(name: &str) -> Option<String> {
        Some(name.into())
    }

    #[test]
    fn who_changed_a_record_has_a_name() {
        let changes = vec![
            Change::value("modified_by", json!("1"), json!("2")),
            Change::value("created_by", Value::Null, json!("99")),
            // The app's own field: it may be a number of anything.
            Change::value("user", json!("1"), json!("2")),
        ];
        let (labels, concerned) = labelled(APPLICATION, "patient", changes);
        let expected = [[some("Asha R Nurse"), some("Bela Doctor")], [None, None], [None, None]];
        assert_eq!((labels.as_slice(), concerned.len()), (&expected[..], 0));
    }

    #[test]
    fn a_token_concerns_its_user_and_role() {
        let changes = vec![
            Change::value("user", Value::Null, json!("2")),
            Change::value("role", Value::Null, json!("3")),
            Change::value("created_by", Value::Null, json!("1")),
        ];
        let (labels, concerned) = labelled("appauth", "appuserauthtoken", changes);
        assert_eq!(labels, [[None, some("Bela Doctor")], [None, some("Nurse")], [None, None]]);
        assert_eq!(concerned, ["user:2", "role:3"]);
        let unchanged = vec![Change::value("user", json!("2"), json!("2"))];
        assert_eq!(labelled("appauth", "oldpasswords", unchanged).1, ["user:2"]);
    }

    #[test]
    fn what_is_no_id_is_left_alone() {
        let changes =
            vec![Change::value("user", json!("somebody"), json!("")), Change::set("user", vec![], vec![])];
        assert_eq!(labelled("appauth", "oldpasswords", changes), (vec![[None, None], [None, None]], vec![]));
    }
}
