//! Rows of `accesslogs_appaccesslog` as events of the access log.
//!
//! ```text
//! row 12: login, successful, session_expired_at set  ->  login            session zango-12
//!                                                        session_expired  session zango-12, later
//! row 17: login, not successful, session_expired_at  ->  login_failed     (an anonymous logout stamped it: no meaning)
//! row 30: switch_role, successful                    ->  role_switched
//! row 41: login, successful, role_id set later       ->  login            session zango-41, without a role
//!                                                        role_selected    session zango-41
//! ```
//!
//! Zango 1.2 saves a login first and its role a moment later. Whoever follows reads such a row in the next round, so the third
//! case is for what happened between two imports.

use logbook_engine::event::{
    ActorType, Log, NewEvent, Outcome,
    limits::{Action, Id, Text},
};
use serde_json::{Map, Value, json};

use super::{names::Names, tables::ACCESS};
use crate::import::row::{Reason, Row, limited, person, quoted};

/// The end of a session and its role, which are stamped on the row of the login.
pub(super) const ENDED_AT: &str = "session_expired_at";
pub(super) const ROLE: &str = "role_id";

/// The row says that its session ended, but not how.
const ENDED_BY: &str = "logout_or_expiry";

/// The attempt that the row records.
pub(super) fn attempt(row: &Row, names: &Names) -> Result<NewEvent, Reason> {
    let successful = row.boolean("is_login_successful")?;
    let occurred_at = limited("occurred_at", row.instant("attempt_time")?)?;
    let mut event = NewEvent::new(Log::Access, event_type(row, successful)?, occurred_at);
    if !successful {
        event.common.outcome = Outcome::Failure;
    }
    who(&mut event, row, names)?;
    event.common.ip_address = row.address("ip_address")?;
    event.common.user_agent = row.limited("user_agent")?;
    event.common.session_id = successful.then(|| session_id(row));
    let mut metadata = origin(row);
    for column in ["path_info", "http_accept"] {
        if let Some(text) = row.text(column) {
            metadata.insert(column.into(), text.into());
        }
    }
    event.metadata = limited("metadata", metadata)?;
    Ok(event)
}

/// The end of the session that the row began. None if there is none, or if [`attempt`] already refuses
/// the row.
pub(super) fn session_end(row: &Row, names: &Names) -> Result<Option<NewEvent>, Reason> {
    if row.boolean("is_login_successful") != Ok(true) || row.text(ENDED_AT).is_none() {
        return Ok(None);
    }
    let occurred_at = limited("occurred_at", row.instant(ENDED_AT)?)?;
    let mut event = NewEvent::new(Log::Access, Action::literal("session_expired"), occurred_at);
    if who(&mut event, row, names).is_err() {
        return Ok(None);
    }
    event.common.session_id = Some(session_id(row));
    let mut metadata = origin(row);
    metadata.insert("ended_by".into(), ENDED_BY.into());
    event.metadata = limited("metadata", metadata)?;
    Ok(Some(event))
}

/// The role that was added to the row of a login after [`attempt`] told of it. None if there is none, or as in
/// [`session_end`].
pub(super) fn role_selected(row: &Row, names: &Names) -> Result<Option<NewEvent>, Reason> {
    if row.boolean("is_login_successful") != Ok(true) || row.text(ROLE).is_none() {
        return Ok(None);
    }
    let Ok(attempt) = attempt(row, names) else { return Ok(None) };
    let mut event = NewEvent::new(Log::Access, Action::literal("role_selected"), attempt.occurred_at);
    who(&mut event, row, names)?;
    event.common.session_id = Some(session_id(row));
    event.metadata = limited("metadata", origin(row))?;
    Ok(Some(event))
}

/// Whether the role may be about to be added.
pub(super) fn waits_for_role(row: &Row) -> bool {
    row.boolean("is_login_successful") == Ok(true) && row.text(ROLE).is_none() && row.text(ENDED_AT).is_none()
}

fn event_type(row: &Row, successful: bool) -> Result<Action, Reason> {
    let attempt_type = row.required("attempt_type")?;
    Ok(match attempt_type {
        "login" if successful => Action::literal("login"),
        "login" => Action::literal("login_failed"),
        "switch_role" => Action::literal("role_switched"),
        // Zango 1.0 has no others; a later one may.
        other => {
            Action::try_from(other).map_err(|_| format!("attempt_type is unknown: {}", quoted(other)))?
        }
    })
}

fn who(event: &mut NewEvent, row: &Row, names: &Names) -> Result<(), Reason> {
    if let Some(id) = row.integer("user_id")? {
        event.common.actor = Some(person(ActorType::User, id, names.user(id))?);
    }
    event.common.target.name = row.limited("username")?;
    // Mostly null: the source does not say which role somebody had then.
    let role = row.integer(ROLE)?.and_then(|id| names.role(id));
    event.common.role = role.map(|role| limited("role", role)).transpose()?;
    Ok(())
}

fn session_id(row: &Row) -> Id {
    Text::truncated(&format!("zango-{}", row.id))
}

fn origin(row: &Row) -> Map<String, Value> {
    let mut origin = json!({"table": ACCESS.name, "id": row.id});
    if let Some(role_id) = row.text(ROLE) {
        origin["role_id"] = role_id.into();
    }
    Map::from_iter([("zango".into(), origin)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::row::instant;
    use logbook_engine::db::timestamp::Timestamp;

    fn row(changed: &[(&str, &str)]) -> Row {
        let mut columns = vec![
            ("user_agent", "Firefox"),
            ("ip_address", "203.0.113.9"),
            ("username", "asha@clinic.test"),
            ("http_accept", "*/*"),
            ("path_info", "/login/"),
            ("attempt_time", "2026-11-22 20:50:14+00"),
            ("attempt_type", "login"),
            ("is_login_successful", "t"),
            ("session_expired_at", ""),
            ("role_id", ""),
            ("user_id", "1"),
        ];
        for (name, value) in changed {
            columns.iter_mut().find(|(column, _)| column == name).expect("a column").1 = value;
        }
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        Row::new(12, None, names.into(), columns.iter().map(|(_, value)| Some((*value).to_owned())).collect())
    }

    fn map(changed: &[(&str, &str)]) -> NewEvent {
        attempt(&row(changed), &Names::for_tests()).expect("an event")
    }

    #[test]
    fn a_login() {
        let event = map(&[]);
        assert_eq!((event.common.action.as_str(), event.common.outcome), ("login", Outcome::Success));
        let actor = event.common.actor.expect("a user");
        assert_eq!((actor.kind, actor.id.as_deref()), (ActorType::User, Some("1")));
        assert_eq!(actor.name.as_deref(), Some("Asha R Nurse"));
        assert_eq!(event.common.target.name.as_deref(), Some("asha@clinic.test"));
        assert_eq!(event.occurred_at.timestamp(), instant("2026-11-22T20:50:14Z").expect("a time"));
        assert_eq!(event.common.session_id.as_deref(), Some("zango-12"));
        assert_eq!(
            (event.common.ip_address.as_deref(), event.common.user_agent.as_deref()),
            (Some("203.0.113.9"), Some("Firefox"))
        );
        assert_eq!(event.common.role, None);
        let expected = json!({
            "zango": {"table": "accesslogs_appaccesslog", "id": 12}, "path_info": "/login/", "http_accept": "*/*",
        });
        assert_eq!(json!(event.metadata), expected);
    }

    #[test]
    fn a_failed_login_has_no_session() {
        let failed = [
            ("is_login_successful", "f"),
            ("user_id", ""),
            ("username", ""),
            ("session_expired_at", "2026-11-22 20:51:00+00"),
        ];
        let event = map(&failed);
        assert_eq!((event.common.action.as_str(), event.common.outcome), ("login_failed", Outcome::Failure));
        assert_eq!(
            (event.common.actor, event.common.target.name, event.common.session_id),
            (None, None, None)
        );
        assert_eq!(session_end(&row(&failed), &Names::for_tests()), Ok(None));
    }

    #[test]
    fn a_switched_role() {
        let event = map(&[("attempt_type", "switch_role"), ("role_id", "3")]);
        assert_eq!(
            (event.common.action.as_str(), event.common.role.as_deref()),
            ("role_switched", Some("Nurse"))
        );
        let event = map(&[("attempt_type", "switch_role"), ("is_login_successful", "f"), ("role_id", "99")]);
        assert_eq!(
            (event.common.action.as_str(), event.common.outcome, event.common.role),
            ("role_switched", Outcome::Failure, None)
        );
        assert_eq!(event.metadata["zango"]["role_id"], "99");
    }

    #[test]
    fn the_end_of_a_session() {
        let ended = row(&[("session_expired_at", "2026-11-22 20:50:15.5+00"), ("role_id", "3")]);
        let event = session_end(&ended, &Names::for_tests()).expect("readable").expect("an end");
        assert_eq!(
            (event.common.action.as_str(), event.common.outcome),
            ("session_expired", Outcome::Success)
        );
        assert_eq!(event.common.session_id.as_deref(), Some("zango-12"));
        assert_eq!(
            event.occurred_at.timestamp(),
            Timestamp(instant("2026-11-22T20:50:15Z").expect("a time").0 + 500_000)
        );
        assert_eq!(event.common.actor.and_then(|actor| actor.name).as_deref(), Some("Asha R Nurse"));
        assert_eq!(
            (event.common.role.as_deref(), event.metadata["ended_by"].as_str()),
            (Some("Nurse"), Some(ENDED_BY))
        );
        assert_eq!((event.common.ip_address, event.common.user_agent), (None, None));
        assert_eq!(session_end(&row(&[]), &Names::for_tests()), Ok(None));
    }

    #[test]
    fn a_role_that_came_later() {
        let late =
            role_selected(&row(&[("role_id", "3")]), &Names::for_tests()).expect("readable").expect("a role");
        assert_eq!(
            (late.common.action.as_str(), late.common.role.as_deref()),
            ("role_selected", Some("Nurse"))
        );
        assert_eq!(late.common.session_id.as_deref(), Some("zango-12"));
        assert_eq!(late.occurred_at.timestamp(), instant("2026-11-22T20:50:14Z").expect("a time"));
        for without in [[("role_id", ""), ("user_id", "1")], [("role_id", "3"), ("is_login_successful", "f")]]
        {
            assert_eq!(role_selected(&row(&without), &Names::for_tests()), Ok(None));
        }
        assert!(waits_for_role(&row(&[])) && !waits_for_role(&row(&[("role_id", "3")])));
        assert!(!waits_for_role(&row(&[("is_login_successful", "f")])));
        assert!(!waits_for_role(&row(&[("session_expired_at", "2026-11-22 20:50:15+00")])));
    }

    #[test]
    fn an_unknown_user_keeps_the_id() {
        let actor = map(&[("user_id", "99")]).common.actor.expect("a user");
        assert_eq!((actor.id.as_deref(), actor.name), (Some("99"), None));
    }

    #[test]
    fn rows_that_cannot_be_read() {
        for (column, value, reason) in [
            ("attempt_time", "", "attempt_time is missing"),
            ("attempt_time", "soon", "attempt_time is not a time"),
            ("attempt_time", "1969-12-31 23:59:59+00", "occurred_at must lie between 1970"),
            ("attempt_time", "2999-01-01 00:00:00+00", "occurred_at must lie between 1970"),
            ("attempt_type", "", "attempt_type is missing"),
            ("attempt_type", "Log in", "attempt_type is unknown"),
            ("is_login_successful", "maybe", "is_login_successful is neither"),
            ("user_id", "x", "user_id is not a whole number"),
            ("ip_address", "nowhere", "ip_address is not an address"),
            ("user_agent", "a\0b", "user_agent must not contain the character U+0000"),
        ] {
            let error = attempt(&row(&[(column, value)]), &Names::for_tests()).expect_err(reason);
            assert!(error.contains(reason), "{error}");
        }
        let end = session_end(&row(&[("session_expired_at", "soon")]), &Names::for_tests());
        assert!(end.expect_err("a bad stamp").contains("session_expired_at is not a time"));
    }
}
