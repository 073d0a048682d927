//! The audit events of accounts: sign-ins, sessions, passwords and invitations.

use logbook_engine::event::{Actor, ActorType, Change, Outcome};
use serde_json::Value;

use super::{
    AuditLog, Destination, Record,
    events::{
        By, ProviderName, actor, changed, event, managed, new_member, note, of_member, of_user, target, text,
    },
};
use crate::{
    accounts::{claims::Claims, invitations::Invitation, member::Member, sessions::Session, users::User},
    http::client::ClientInfo,
};

fn of_invitation(invitation: &Invitation) -> logbook_engine::event::Target {
    target("invitation", &invitation.id, &invitation.email)
}

fn of_session(session: &Session) -> Destination {
    Destination::Session { user_id: session.user_id, session: session.id.clone() }
}

/// Where what a person does with their own account is recorded.
fn of_claims(claims: &Claims) -> Destination {
    match (claims.user_id(), &claims.sid) {
        (Some(user_id), Some(session)) => Destination::Session { user_id, session: session.clone() },
        _ => Destination::Platform,
    }
}

impl By<'_> {
    /// Somebody was invited; `with_link` says whether a link was created that opens an account.
    pub fn member_invited(&self, invitation: &Invitation, with_link: bool) -> Record {
        let mut event = self.managed("member_invited", of_invitation(invitation));
        event.changes = changed(vec![
            Change::value("role", Value::Null, invitation.role.as_str().into()),
            Change::value("email", Value::Null, invitation.email.as_str().into()),
        ]);
        note(&mut event, "with_link", with_link);
        Record::new(self.destination(), event)
    }

    pub fn invitation_cancelled(&self, invitation: &Invitation) -> Record {
        Record::new(self.destination(), self.managed("invitation_cancelled", of_invitation(invitation)))
    }
}

/// The invited person accepted, and is a member now.
pub fn invitation_accepted(
    workspace_id: i32,
    caller: &Claims,
    member: &Member,
    client_info: &ClientInfo,
) -> Record {
    let mut event =
        managed("invitation_accepted", actor(caller), Some(member.role), client_info, of_member(member));
    event.changes = changed(new_member(member, None));
    Record::new(Destination::Workspace(workspace_id), event)
}

/// Who declines is no member: the workspace learns no more than the address, which it wrote down itself.
pub fn invitation_declined(invitation: &Invitation) -> Record {
    let who = Actor { kind: ActorType::User, id: None, name: text(&invitation.email) };
    let event = managed("invitation_declined", who, None, &ClientInfo::default(), of_invitation(invitation));
    Record::new(Destination::Workspace(invitation.workspace_id), event)
}

/// A platform admin changed an account, or ended sessions of it.
pub fn user_changed(
    caller: &Claims,
    user: &User,
    action: &'static str,
    changes: Vec<Change>,
    client_info: &ClientInfo,
) -> Record {
    let mut event = managed(action, actor(caller), None, client_info, of_user(user));
    event.changes = changed(changes);
    Record::new(Destination::Platform, event)
}

pub fn password_set(claims: &Claims, client_info: &ClientInfo) -> Record {
    Record::new(of_claims(claims), event("password_set", client_info))
}

/// A person turned their second factor on.
pub fn second_factor_set(claims: &Claims, client_info: &ClientInfo) -> Record {
    Record::new(of_claims(claims), event("second_factor_set", client_info))
}

/// A person turned their second factor off. Where somebody else does, it is a change of the account: [`user_changed`].
pub fn second_factor_removed(claims: &Claims, client_info: &ClientInfo) -> Record {
    Record::new(of_claims(claims), event("second_factor_removed", client_info))
}

/// Instead of a code of the app: perhaps the app is lost, or somebody else has the list. `left` more can be used.
pub fn recovery_code_used(user_id: i32, left: u32, client_info: &ClientInfo) -> Record {
    let mut event = event("recovery_code_used", client_info);
    note(&mut event, "left", left);
    Record::new(Destination::Account(user_id), event)
}

impl AuditLog {
    /// Somebody signed in. Recorded in the platform workspace: a workspace learns of it when the session is used there.
    pub fn signed_in(&self, session: &Session, client_info: &ClientInfo) {
        let mut event = event("login", client_info);
        event.common.session_id = text(&session.id);
        note(&mut event, "method", session.method.as_str());
        self.record(Destination::Account(session.user_id), event);
    }

    /// A session is used in a workspace for the first time.
    pub fn session_used(&self, by: &By<'_>) {
        let Some(session) = &by.caller.sid else { return };
        let mut event = event("login", by.client_info);
        event.common.actor = Some(actor(by.caller));
        event.common.role = text(by.role.as_str());
        event.common.session_id = text(session);
        note(&mut event, "method", by.caller.method.as_deref().unwrap_or_default());
        self.record(by.destination(), event);
    }

    /// An identity joined an account that existed: its password, second factor, links and sessions were removed.
    pub fn identity_joined(&self, provider: ProviderName<'_>, user: &User, client_info: &ClientInfo) {
        let actor = Actor { kind: ActorType::Service, id: text(provider.issuer), name: text(provider.name) };
        let mut event = managed("identity_joined", actor, None, client_info, of_user(user));
        note(&mut event, "via", "identity provider");
        self.record(Destination::Platform, event);
    }

    /// A wrong password, or a wrong code after the right one. What was typed as e-mail address may be anything, even a password: it is used to find the person,
    /// and not stored where there is none.
    pub fn sign_in_failed(&self, email: &str, reason: &'static str, client_info: &ClientInfo) {
        let mut event = event("login_failed", client_info);
        event.common.outcome = Outcome::Failure;
        event.common.outcome_reason = text(reason);
        note(&mut event, "method", "password");
        self.record(Destination::Email(email.to_owned()), event);
    }

    pub fn signed_out(&self, session: &Session, client_info: &ClientInfo) {
        let mut event = event("logout", client_info);
        event.common.session_id = text(&session.id);
        self.record(of_session(session), event);
    }

    /// A refresh token that was replaced before: somebody has a copy of it, and the session was ended.
    pub fn refresh_token_reused(&self, session: &Session, client_info: &ClientInfo) {
        let mut event = event("refresh_token_reused", client_info);
        event.common.outcome = Outcome::Failure;
        event.common.outcome_reason = text("session_ended");
        event.common.session_id = text(&session.id);
        self.record(of_session(session), event);
    }

    /// The current password or the code, which are needed to set a new password, was wrong: perhaps somebody guesses with a stolen token.
    pub fn password_refused(&self, claims: &Claims, reason: &'static str, client_info: &ClientInfo) {
        let mut event = event("password_set", client_info);
        event.common.outcome = Outcome::Failure;
        event.common.outcome_reason = text(reason);
        self.record(of_claims(claims), event);
    }

    /// A person ended one of their own sessions.
    pub fn session_ended(&self, claims: &Claims, session: &str, client_info: &ClientInfo) {
        let mut event = event("session_ended", client_info);
        event.common.target = target("session", session, "");
        self.record(of_claims(claims), event);
    }
}
