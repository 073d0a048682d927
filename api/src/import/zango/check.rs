//! What every event must keep to, whichever way it comes in: the limits of the API's own bodies.

use logbook_engine::event::{Actor, NewEvent, Target};

use super::row::Reason;
use crate::http::{
    limits::{self, ACTION},
    validation,
};

/// Longest names; what is longer is cut by the importer and kept whole in the metadata.
pub const MAX_NAME: usize = 500;
const MAX_ACTION: usize = 64;
const MAX_ID: usize = 255;
const MAX_USER_AGENT: usize = 2000;

/// # Errors
/// The first thing that is wrong with the event.
pub fn check(event: &NewEvent) -> Result<(), Reason> {
    let NewEvent {
        log: _,
        occurred_at,
        dedupe_key: _,
        actor,
        role,
        action,
        outcome: _,
        outcome_reason: _,
        target: Target { kind, id, name },
        ip_address: _,
        user_agent,
        session_id,
        correlation_id,
        changes,
        metadata,
    } = event;
    let said =
        |what: &str, error: validator::ValidationError| format!("{what} {}", validation::detail(&error));

    limits::occurred_at(occurred_at).map_err(|error| said("occurred_at", error))?;
    if !ACTION.is_match(action) || action.len() > MAX_ACTION {
        return Err(format!("the action {action} is not up to {MAX_ACTION} characters of lower snake case"));
    }
    let (actor_id, actor_name) = match actor {
        Some(Actor { kind: _, id, name }) => (id.as_deref(), name.as_deref()),
        None => (None, None),
    };
    for (what, text, max) in [
        ("actor id", actor_id, MAX_ID),
        ("actor name", actor_name, MAX_NAME),
        ("role", role.as_deref(), MAX_ID),
        ("content type", kind.as_deref(), MAX_ID),
        ("id", id.as_deref(), MAX_ID),
        ("name", name.as_deref(), MAX_NAME),
        ("user_agent", user_agent.as_deref(), MAX_USER_AGENT),
        ("session id", session_id.as_deref(), MAX_ID),
        ("correlation id", correlation_id.as_deref(), MAX_ID),
    ] {
        let Some(text) = text else { continue };
        validation::no_nul(text).map_err(|error| said(what, error))?;
        if text.len() > max && text.chars().count() > max {
            return Err(format!("{what} has more than {max} characters"));
        }
    }
    limits::changes(changes).map_err(|error| {
        let place = error.params.get("pointer").and_then(|place| place.as_str()).unwrap_or_default();
        format!("changes{place} {}", validation::detail(&error))
    })?;
    limits::metadata(metadata).map_err(|error| said("metadata", error))
}
