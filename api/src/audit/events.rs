//! The audit events, as the activity log has them.

use logbook_engine::event::{
    Actor, ActorType, Change, Log, NewEvent, Target,
    limits::{Action, Changes, IpAddress, OccurredAt, SourceName, Text},
    masking::FieldLists,
};
use serde_json::{Value, json};

use super::{
    AuditLog, Destination, Record,
    reads::{Read, Recorded},
};
use crate::{
    accounts::{
        api_keys::ApiKey,
        claims::Claims,
        exports::Export,
        identities::RoleChange,
        member::Member,
        notes::Note,
        role::Role,
        users::{self, User},
        views::SavedView,
        workspaces::Workspace,
    },
    http::{client::ClientInfo, request_id::REQUEST_ID},
};

/// The source of Logbook's own events.
pub use logbook_engine::sources::OWN_SOURCE;

pub(super) fn source() -> SourceName {
    SourceName::truncated(OWN_SOURCE)
}

/// The actor of what a command does.
pub const COMMAND_LINE: &str = "command line";

/// The holder of a token or key as an actor. The id begins with the kind: `user:17`, `key:k7w2m9x4c1qd`.
pub fn actor(claims: &Claims) -> Actor {
    let kind = match claims.user_id() {
        Some(_) if claims.platform_admin => ActorType::Admin,
        Some(_) => ActorType::User,
        None => ActorType::Service,
    };
    Actor { kind, id: text(&claims.sub), name: text(&claims.name) }
}

pub(super) fn person(user: &User) -> Actor {
    let User { id, name, platform_admin, .. } = user;
    let kind = if *platform_admin { ActorType::Admin } else { ActorType::User };
    Actor { kind, id: text(&users::subject(*id)), name: text(name) }
}

/// What Logbook says is never refused for its length: it is cut.
pub fn text<const MIN: usize, const MAX: usize>(text: &str) -> Option<Text<MIN, MAX>> {
    Some(Text::truncated(text))
}

pub(super) fn changed(changes: Vec<Change>) -> Changes {
    changes.try_into().unwrap_or_else(|invalid| {
        tracing::error!(?invalid, "an event of Logbook itself is recorded without its changes");
        Changes::default()
    })
}

pub fn note(event: &mut NewEvent, key: &str, value: impl Into<Value>) {
    if let Err(invalid) = event.metadata.insert(key, value.into()) {
        tracing::error!(key, ?invalid, "an event of Logbook itself is recorded without all of its metadata");
    }
}

pub(super) fn event(action: &'static str, client_info: &ClientInfo) -> NewEvent {
    let ClientInfo { address, user_agent } = client_info;
    let mut event = NewEvent::new(Log::Activity, Action::literal(action), OccurredAt::now());
    event.common.ip_address = address.map(IpAddress::from);
    event.common.user_agent = user_agent.as_deref().and_then(text);
    event.common.correlation_id = REQUEST_ID.try_with(|id| Text::truncated(id)).ok();
    event
}

/// A change of something that is managed here.
pub fn managed(
    action: &'static str,
    actor: Actor,
    role: Option<Role>,
    client_info: &ClientInfo,
    target: Target,
) -> NewEvent {
    let mut event = event(action, client_info);
    event.common.actor = Some(actor);
    event.common.role = role.and_then(|role| text(role.as_str()));
    event.common.target = target;
    event
}

/// What a command did. It is no request and has no address.
pub fn by_command(action: &'static str, target: Target, changes: Vec<Change>) -> NewEvent {
    let actor = Actor { kind: ActorType::System, id: None, name: text(COMMAND_LINE) };
    let mut event = managed(action, actor, None, &ClientInfo::default(), target);
    note(&mut event, "via", COMMAND_LINE);
    event.changes = changed(changes);
    event
}

pub fn target(kind: &str, id: &str, name: &str) -> Target {
    Target { kind: text(kind), id: text(id), name: text(name) }
}

pub fn of_key(key: &ApiKey) -> Target {
    target("api_key", &key.prefix, &key.name)
}

pub fn of_workspace(workspace: &Workspace) -> Target {
    target("workspace", &workspace.slug, &workspace.name)
}

pub fn of_member(member: &Member) -> Target {
    target("member", &format!("user:{}", member.id), &member.name)
}

pub fn of_user(user: &User) -> Target {
    target("user", &users::subject(user.id), &user.name)
}

pub fn of_view(view: &SavedView) -> Target {
    target("view", &view.id, &view.name)
}

/// A key's properties, as changes from nothing.
pub fn new_key(key: &ApiKey) -> Vec<Change> {
    vec![
        Change::value("role", Value::Null, key.role.as_str().into()),
        Change::value(
            "expires_at",
            Value::Null,
            key.expires_at.map_or(Value::Null, |at| at.to_string().into()),
        ),
    ]
}

/// A member's properties, as changes from the role they had.
pub fn new_member(member: &Member, before: Option<Role>) -> Vec<Change> {
    let before = before.map_or(Value::Null, |role| role.as_str().into());
    vec![
        Change::value("role", before, member.role.as_str().into()),
        Change::value("email", Value::Null, member.email.clone().into()),
    ]
}

/// Who does something in a workspace, and from where.
#[derive(Clone, Debug)]
pub struct By<'a> {
    pub workspace: &'a Workspace,
    pub role: Role,
    pub caller: &'a Claims,
    pub client_info: &'a ClientInfo,
}

/// How an identity provider appears in the audit.
#[derive(Clone, Copy, Debug)]
pub struct ProviderName<'a> {
    pub issuer: &'a str,
    pub name: &'a str,
}

impl By<'_> {
    pub(super) fn managed(&self, action: &'static str, target: Target) -> NewEvent {
        managed(action, actor(self.caller), Some(self.role), self.client_info, target)
    }

    pub(super) fn destination(&self) -> Destination {
        Destination::Workspace(self.workspace.id)
    }

    pub fn key_created(&self, key: &ApiKey) -> Record {
        let mut event = self.managed("api_key_created", of_key(key));
        event.changes = changed(new_key(key));
        Record::new(self.destination(), event)
    }

    pub fn key_revoked(&self, key: &ApiKey) -> Record {
        Record::new(self.destination(), self.managed("api_key_revoked", of_key(key)))
    }

    /// None when nothing changed.
    pub fn workspace_changed(&self, after: &Workspace) -> Option<Record> {
        let changes = settings_of(Some(self.workspace), after);
        (!changes.is_empty()).then(|| {
            let mut event = self.managed("workspace_changed", of_workspace(after));
            event.changes = changed(changes);
            Record::new(self.destination(), event)
        })
    }

    /// None when nothing changed.
    pub fn masking_changed(&self, before: &FieldLists, after: &FieldLists) -> Option<Record> {
        // One text each: in a list, the name of a header would make a secret of the name behind it.
        let change = |list: &str, before: &[String], after: &[String]| {
            (before != after).then(|| Change::value(list, before.join(", ").into(), after.join(", ").into()))
        };
        let changes: Vec<_> = [
            change("fields to mask", before.mask(), after.mask()),
            change("fields to keep", before.keep(), after.keep()),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!changes.is_empty()).then(|| {
            let mut event = self.managed("masking_changed", of_workspace(self.workspace));
            event.changes = changed(changes);
            Record::new(self.destination(), event)
        })
    }

    pub fn view_shared(&self, view: &SavedView) -> Record {
        let mut event = self.managed("view_shared", of_view(view));
        event.changes = changed(vec![Change::value("query", Value::Null, view.query.clone().into())]);
        Record::new(self.destination(), event)
    }

    pub fn view_unshared(&self, view: &SavedView) -> Record {
        Record::new(self.destination(), self.managed("view_unshared", of_view(view)))
    }

    pub fn export_removed(&self, export: &Export) -> Record {
        let target = target("export", &export.id, &format!("{} as {}", export.log, export.format));
        Record::new(self.destination(), self.managed("export_removed", target))
    }

    pub fn note_added(&self, note: &Note) -> Record {
        self.of_note("note_added", note)
    }

    pub fn note_removed(&self, note: &Note) -> Record {
        self.of_note("note_removed", note)
    }

    /// Without the text: what is removed is gone.
    fn of_note(&self, action: &'static str, note: &Note) -> Record {
        let mut event = self.managed(action, target("note", &note.id, ""));
        super::events::note(&mut event, "event_ids", note.event_ids.clone());
        Record::new(self.destination(), event)
    }

    pub fn view_removed(&self, view: &SavedView) -> Record {
        Record::new(self.destination(), self.managed("view_removed", of_view(view)))
    }

    /// `before` is their role until now.
    pub fn member_added(&self, member: &Member, before: Option<Role>) -> Record {
        let mut event = self.managed("member_added", of_member(member));
        event.changes = changed(new_member(member, before));
        Record::new(self.destination(), event)
    }

    /// None when their role is the same.
    pub fn member_changed(&self, member: &Member, before: Role) -> Option<Record> {
        (before != member.role).then(|| {
            let mut event = self.managed("member_role_changed", of_member(member));
            event.changes =
                changed(vec![Change::value("role", before.as_str().into(), member.role.as_str().into())]);
            Record::new(self.destination(), event)
        })
    }

    pub fn member_removed(&self, member: &Member) -> Record {
        let mut event = self.managed("member_removed", of_member(member));
        event.changes = changed(vec![
            Change::value("role", member.role.as_str().into(), Value::Null),
            Change::value("email", member.email.clone().into(), Value::Null),
        ]);
        Record::new(self.destination(), event)
    }
}

impl AuditLog {
    pub fn key_from_new_address(&self, key: &ApiKey, client_info: &ClientInfo) {
        let mut event = event("api_key_used_from_new_address", client_info);
        event.common.actor = Some(actor(&Claims::from(key)));
        event.common.role = text(&key.role);
        self.record(Destination::Workspace(key.workspace_id), event);
    }

    /// Somebody reads a log. The result is dropped when the request ends; what they search for is not recorded.
    pub fn log_read(&self, by: &By<'_>, log: &'static str, recorded: Recorded) -> Read {
        let action = match recorded {
            Recorded::AddedUp => "log_read",
            Recorded::AsExport => "log_exported",
        };
        let mut event = event(action, by.client_info);
        event.common.actor = Some(actor(by.caller));
        event.common.role = text(by.role.as_str());
        note(&mut event, "log", log);
        Read::new(self, (by.workspace.id, log, &by.caller.sub), event, recorded)
    }

    /// Roles that an identity provider gave and took at a sign-in. Those in single workspaces are recorded there, those
    /// that apply everywhere in the platform workspace.
    pub fn provider_roles_changed(
        &self,
        ProviderName { issuer, name }: ProviderName<'_>,
        user: &User,
        changes: &[RoleChange],
        client_info: &ClientInfo,
    ) {
        let value = |role: Option<Role>| role.map_or(Value::Null, |role| role.as_str().into());
        let provider = Actor { kind: ActorType::Service, id: text(issuer), name: text(name) };
        let mut for_all = Vec::new();
        let event = |changes: Vec<Change>| {
            let target = target("member", &users::subject(user.id), &user.name);
            let mut event = managed("provider_role_changed", provider.clone(), None, client_info, target);
            note(&mut event, "via", "identity provider");
            event.changes = changed(changes);
            event
        };
        for change in changes {
            match *change {
                RoleChange::In { workspace_id, before, now } => {
                    let change = Change::value("role", value(before), value(now));
                    self.record(Destination::Workspace(workspace_id), event(vec![change]));
                }
                RoleChange::Everywhere { before, now } => {
                    for_all.push(Change::value("role_everywhere", value(before), value(now)));
                }
                RoleChange::PlatformAdmin { now } => {
                    for_all.push(Change::value("platform_admin", (!now).into(), now.into()));
                }
            }
        }
        if !for_all.is_empty() {
            self.record(Destination::Platform, event(for_all));
        }
    }
}

/// Recorded in the new workspace, and in the platform workspace.
pub fn workspace_created(caller: &Claims, workspace: &Workspace, client_info: &ClientInfo) -> Vec<Record> {
    let mut event = managed("workspace_created", actor(caller), None, client_info, of_workspace(workspace));
    event.changes = changed(settings_of(None, workspace));
    let destinations = [Destination::Workspace(workspace.id), Destination::Platform];
    destinations.map(|destination| Record::new(destination, event.clone())).into()
}

/// The settings that have changed.
pub fn settings_of(before: Option<&Workspace>, after: &Workspace) -> Vec<Change> {
    fn named(workspace: &Workspace) -> [(&'static str, &str); 4] {
        let Workspace { id: _, slug, name, timezone, date_format, created_at: _ } = workspace;
        [("slug", slug), ("name", name), ("timezone", timezone), ("date_format", date_format)]
    }
    let before = before.map(named);
    let old = |i: usize| before.map_or(Value::Null, |named| json!(named[i].1));
    let all = named(after).into_iter().enumerate().map(|(i, (name, new))| (name, old(i), json!(new)));
    all.filter(|(_, old, new)| old != new).map(|(name, old, new)| Change::value(name, old, new)).collect()
}
