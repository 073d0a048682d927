//! Rows of `auditlogs_logentry` as events: of the application log where the row's content type is a model of the app
//! (`dynamic_models`), of the framework log where it is one of Zango's own.

use logbook_engine::event::{
    Actor, ActorType, Change, Log, NewEvent, Target,
    limits::{Action, MAX_ACTION, Targets},
};
use serde_json::{Map, Value, json};

use super::{
    changes::changes,
    labels,
    names::{ContentType, Names},
    row::{Reason, Row, limited, person, quoted},
    source::{OBJECT_REF, OBJECT_UUID},
    tables::AUDIT,
};

/// Maximum length of a target's name; a longer one is cut, and kept whole in the metadata.
const MAX_NAME: usize = 500;

/// The models that an app defines.
pub(super) const APPLICATION: &str = "dynamic_models";

/// What Zango's own models are called in the framework log. Others keep the model's name.
const COMPONENTS: &[(&str, &str)] = &[
    ("appauth.appuserauthtoken", "token"),
    ("appauth.appusermodel", "user"),
    ("appauth.oldpasswords", "password_history"),
    ("appauth.otpcode", "otp_code"),
    ("appauth.samlmodel", "saml_configuration"),
    ("appauth.samlrequestid", "saml_request"),
    ("appauth.userrolemodel", "role"),
    ("knox.authtoken", "token"),
    ("mfa.authenticator", "authenticator"),
    ("object_store.objectstore", "object"),
    ("permissions.permissionsmodel", "permission"),
    ("permissions.policygroupmodel", "policy_group"),
    ("permissions.policymodel", "policy"),
    ("platformauth.platformusermodel", "platform_user"),
    ("release.apprelease", "release"),
    ("secrets.secretsmodel", "secret"),
    ("sessions.session", "session"),
    ("tasks.apptask", "task"),
    ("tenancy.domain", "domain"),
    ("tenancy.tenantmodel", "app"),
    ("tenancy.themesmodel", "theme"),
    ("usersessions.usersession", "user_session"),
    ("account.emailaddress", "email_address"),
    ("account.emailconfirmation", "email_confirmation"),
];

/// Components whose id *is* the secret: a token's digest, a session's key. Its first characters tell them apart.
const SECRET_IDS: &[&str] = &["token", "session"];
const SHOWN: usize = 8;

pub(super) fn entry(row: &Row, names: &Names) -> Result<NewEvent, Reason> {
    let content_type_id = row.integer("content_type_id")?.ok_or("content_type_id is missing")?;
    let content_type = names
        .content_type(content_type_id)
        .ok_or_else(|| format!("content type {content_type_id} is not in django_content_type"))?;
    let verb = Verb::of(row)?;
    let pk = row.required("object_pk")?;
    let occurred_at = limited("occurred_at", row.instant("timestamp")?)?;
    let name = row.owned("object_repr");

    let (log, action, mut target) = if content_type.app_label == APPLICATION {
        let target = Named { kind: content_type.model.clone(), id: pk.to_owned(), name };
        (Log::Application, Action::literal(verb.of_record()), target)
    } else {
        let component = component(content_type)?;
        let action = format!("{component}_{}", verb.of_component());
        let action = Action::try_from(action.as_str()).map_err(|_| {
            format!("the action {action} is not up to {MAX_ACTION} characters of lower snake case")
        })?;
        let mut target = Named { kind: component, id: pk.to_owned(), name };
        hide_secret_id(&mut target);
        (Log::Framework, action, target)
    };
    let mut metadata = metadata(row, names, content_type)?;
    if let Some(whole) = target.shorten_name() {
        metadata.insert("object_repr".into(), whole.into());
    }
    let mut changes = changed(row, &mut metadata)?;
    let concerned = labels::add(&mut changes, content_type, names);
    let mut event = NewEvent::new(log, action, occurred_at);
    event.common.target = target.try_into()?;
    event.common.targets = further_targets(concerned)?;
    (event.common.actor, event.common.on_behalf_of) = actors(row, names)?;
    event.common.ip_address = row.address("remote_addr")?;
    event.common.correlation_id = row.owned("cid").map(|cid| limited("correlation id", cid)).transpose()?;
    event.changes = limited("changes", changes)?;
    event.metadata = limited("metadata", metadata)?;
    Ok(event)
}

/// A target as the row names it.
pub(super) struct Named {
    pub kind: String,
    pub id: String,
    pub name: Option<String>,
}

impl Named {
    /// Cuts a name that is too long, and returns the whole name. A model decides what its records are called; it may be a
    /// whole note.
    fn shorten_name(&mut self) -> Option<String> {
        let name = self.name.as_mut().filter(|name| name.chars().count() > MAX_NAME)?;
        let cut = name.chars().take(MAX_NAME - 1).chain(['…']).collect();
        Some(std::mem::replace(name, cut))
    }
}

impl TryFrom<Named> for Target {
    type Error = Reason;

    fn try_from(Named { kind, id, name }: Named) -> Result<Self, Reason> {
        Ok(Self {
            kind: Some(limited("content type", kind)?),
            id: Some(limited("id", id)?),
            name: name.map(|name| limited("name", name)).transpose()?,
        })
    }
}

/// What was done.
#[derive(Clone, Copy)]
enum Verb {
    Create,
    Update,
    Delete,
    Access,
}

impl Verb {
    fn of(row: &Row) -> Result<Self, Reason> {
        match row.required("action")? {
            "0" => Ok(Self::Create),
            "1" => Ok(Self::Update),
            "2" => Ok(Self::Delete),
            "3" => Ok(Self::Access),
            other => Err(format!("action is none of 0 to 3: {}", quoted(other))),
        }
    }

    fn of_record(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Access => "access",
        }
    }

    fn of_component(self) -> &'static str {
        match self {
            Self::Create => "created",
            Self::Update => "updated",
            Self::Delete => "deleted",
            Self::Access => "accessed",
        }
    }
}

fn component(content_type: &ContentType) -> Result<String, Reason> {
    let ContentType { app_label, model } = content_type;
    let full = format!("{app_label}.{model}");
    if let Some((_, name)) = COMPONENTS.iter().find(|(known, _)| *known == full) {
        return Ok((*name).to_owned());
    }
    match Action::try_from(model.as_str()) {
        Ok(_) => Ok(model.clone()),
        Err(_) => Err(format!("the model {} has no name for an action", quoted(model))),
    }
}

/// `6395fc26…` for the 128 digits of a digest, in the id and wherever the name repeats it.
fn hide_secret_id(target: &mut Named) {
    let Named { kind, id, name } = target;
    // A short one is a serial number, or too short to reveal a secret.
    if !SECRET_IDS.contains(&kind.as_str()) || id.chars().count() <= SHOWN * 2 {
        return;
    }
    let shown: String = id.chars().take(SHOWN).chain(['…']).collect();
    *name = name.take().map(|name| name.replace(&*id, &shown));
    *id = shown;
}

/// Who did it, and for whom: the user, else the platform's admin, else nobody, which is the system. Where both are there,
/// the admin acted as the user.
fn actors(row: &Row, names: &Names) -> Result<(Option<Actor>, Option<Actor>), Reason> {
    let user = row.integer("tenant_actor_id")?.map(|id| person(ActorType::User, id, names.user(id)));
    let admin = row.integer("platform_actor_id")?.map(|id| person(ActorType::Admin, id, names.admin(id)));
    Ok(match (user.transpose()?, admin.transpose()?) {
        (user, Some(admin)) => (Some(admin), user),
        (Some(user), None) => (Some(user), None),
        (None, None) => (Some(Actor::system()), None),
    })
}

/// The people and roles whom it concerns beside its target.
fn further_targets(concerned: Vec<Named>) -> Result<Targets, Reason> {
    let targets: Result<Vec<Target>, Reason> = concerned.into_iter().map(Target::try_from).collect();
    limited("targets", targets?)
}

fn metadata(row: &Row, names: &Names, content_type: &ContentType) -> Result<Map<String, Value>, Reason> {
    let ContentType { app_label, model } = content_type;
    let origin = json!({"table": AUDIT.name, "id": row.id, "content_type": format!("{app_label}.{model}")});
    let mut metadata = Map::from_iter([("zango".into(), origin)]);
    let uuid = match row.owned(OBJECT_UUID) {
        Some(uuid) => Some(uuid),
        None => row.integer(OBJECT_REF)?.and_then(|id| names.object_uuid(id)),
    };
    if let Some(uuid) = uuid {
        metadata.insert("object_uuid".into(), uuid.into());
    }
    for (column, key) in [("serialized_data", "snapshot"), ("additional_data", "additional_data")] {
        if let Some(text) = row.text(column) {
            let value: Value =
                serde_json::from_str(text).map_err(|error| format!("{column} is not JSON: {error}"))?;
            metadata.insert(key.into(), value);
        }
    }
    Ok(metadata)
}

/// The changed fields; where the row has only prose, it goes to the metadata.
fn changed(row: &Row, metadata: &mut Map<String, Value>) -> Result<Vec<Change>, Reason> {
    if let Some(text) = row.text("changes") {
        return changes(text);
    }
    // Older versions stored the changes here; some of them as prose.
    let Some(text) = row.text("changes_text") else { return Ok(Vec::new()) };
    Ok(changes(text).unwrap_or_else(|_| {
        metadata.insert("changes_text".into(), text.into());
        Vec::new()
    }))
}

#[cfg(test)]
mod tests;
