//! Refusals: of tokens, of what a role does not allow, and by rate limits. Each is recorded within bounds ([`super::bounds`]).

use std::time::Instant;

use logbook_engine::event::{NewEvent, Outcome};

use super::{
    AuditLog, Destination, Record,
    bounds::Place,
    events::{By, actor, event, note, text},
};
use crate::{
    accounts::claims::Claims,
    http::{
        client::ClientInfo,
        error::{Code, Problem},
    },
};

impl AuditLog {
    /// Records a refusal, or counts it. `workspace_id`: of an existing workspace.
    fn refused(&self, workspace_id: Option<i32>, who: &str, problem: &str, event: NewEvent) {
        if !self.is_on() {
            return;
        }
        let (place, destination) = match workspace_id {
            Some(id) => (Place::Workspace(id), Destination::Workspace(id)),
            None => (Place::Platform, Destination::Platform),
        };
        let record = Record::new(destination, event);
        let admitted = self.bounds().admit(place, who, problem, record, Instant::now());
        if let Some(Record { destination, event }) = admitted {
            self.record(destination, event);
        }
    }

    /// A sign-in of nobody in particular that was refused: by a link that was used, expired or unknown, or by the identity
    /// provider.
    pub fn sign_in_refused(&self, method: &'static str, reason: &'static str, client_info: &ClientInfo) {
        let mut event = event("login_failed", client_info);
        event.common.outcome = Outcome::Failure;
        event.common.outcome_reason = text(reason);
        note(&mut event, "method", method);
        self.refused(None, &network(client_info), &format!("{method} {reason}"), event);
    }

    /// Whether the refusal of a token or key is recorded. That a person's token has expired is routine, four times an hour.
    pub fn records_token_refusal(&self, is_key: bool, problem: &Problem) -> bool {
        self.is_on()
            && match problem.code {
                Code::Unauthenticated => true,
                Code::TokenExpired => is_key,
                _ => false,
            }
    }

    /// A token or key that was refused at the address of the workspace `slug`, which has this id if it exists.
    pub fn token_refused(
        &self,
        (slug, workspace_id): (&str, Option<i32>),
        is_key: bool,
        problem: &Problem,
        client_info: &ClientInfo,
    ) {
        let mut event = event("token_refused", client_info);
        event.common.outcome = Outcome::Failure;
        event.common.outcome_reason = text(&problem.detail);
        note(&mut event, "method", if is_key { "api_key" } else { "token" });
        self.refused(
            workspace_id,
            &network(client_info),
            &format!("{slug} {is_key} {}", problem.detail),
            event,
        );
    }

    /// Something that the caller's role in a workspace does not allow.
    pub fn permission_refused(&self, by: &By<'_>, operation: &str, problem: &Problem) {
        let mut event = denied("permission_refused", by.caller, by.client_info, problem);
        event.common.role = text(by.role.as_str());
        note(&mut event, "operation", operation);
        let reason = format!("{operation} {}", problem.detail);
        self.refused(Some(by.workspace.id), &by.caller.sub, &reason, event);
    }

    /// Something outside of every workspace, such as what only platform admins may do.
    pub fn caller_refused(
        &self,
        caller: &Claims,
        operation: &str,
        problem: &Problem,
        client_info: &ClientInfo,
    ) {
        let mut event = denied("permission_refused", caller, client_info, problem);
        note(&mut event, "operation", operation);
        self.refused(only_workspace(caller), &caller.sub, &format!("{operation} {}", problem.detail), event);
    }

    /// A request of another site's page, in somebody's browser.
    pub fn foreign_page_refused(&self, operation: &str, problem: &Problem, client_info: &ClientInfo) {
        let mut event = event("permission_refused", client_info);
        event.common.outcome = Outcome::Denied;
        event.common.outcome_reason = text(&problem.detail);
        note(&mut event, "operation", operation);
        self.refused(None, &network(client_info), &format!("{operation} {}", problem.detail), event);
    }

    /// A caller who has sent too many requests.
    pub fn caller_limited(&self, caller: &Claims, problem: &Problem, client_info: &ClientInfo) {
        let event = denied("rate_limited", caller, client_info, problem);
        self.refused(only_workspace(caller), &caller.sub, "requests", event);
    }

    /// A caller who wants more at once than there are places. `limit` says of what.
    pub fn place_refused(&self, by: &By<'_>, limit: &'static str, problem: &Problem) {
        let mut event = denied("rate_limited", by.caller, by.client_info, problem);
        event.common.role = text(by.role.as_str());
        note(&mut event, "limit", limit);
        self.refused(Some(by.workspace.id), &by.caller.sub, limit, event);
    }

    /// An address that has sent too many requests without a valid token, or guessed too many passwords.
    pub fn address_limited(&self, limit: &'static str, problem: &Problem, client_info: &ClientInfo) {
        let mut event = event("rate_limited", client_info);
        event.common.outcome = Outcome::Denied;
        event.common.outcome_reason = text(problem.code.name());
        note(&mut event, "limit", limit);
        self.refused(None, &network(client_info), limit, event);
    }
}

fn denied(action: &'static str, caller: &Claims, client_info: &ClientInfo, problem: &Problem) -> NewEvent {
    let mut event = event(action, client_info);
    event.common.actor = Some(actor(caller));
    event.common.outcome = Outcome::Denied;
    event.common.outcome_reason = text(match problem.code {
        Code::Forbidden => &problem.detail,
        code => code.name(),
    });
    event
}

/// The workspace of a caller who has a role in one only, as an API key has.
fn only_workspace(caller: &Claims) -> Option<i32> {
    let mut ids = caller.roles.keys();
    ids.next().copied().filter(|_| ids.next().is_none() && caller.everywhere.is_none())
}

fn network(client_info: &ClientInfo) -> String {
    client_info.network().unwrap_or_default()
}
