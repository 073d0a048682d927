//! Rows of `auditlogs_logentry` as events: of the application log where the row's content type is a model of the app
//! (`dynamic_models`), of the framework log where it is one of Zango's own.

use logbook_engine::event::{
    Actor, ActorType, Log, NewEvent, Target,
    limits::{Action, MAX_ACTION, Targets},
};
use serde_json::{Map, Value, json};

use super::{
    labels,
    names::Names,
    tables::{AUDIT, OBJECT_REF, OBJECT_UUID},
};
use crate::import::{
    content_types::{self, ContentType},
    log_entry::{Named, Verb, add_json, changed},
    row::{Reason, Row, limited, person, quoted},
};

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

/// Components whose id *is* the secret: a token's digest, a session's key.
const SECRET_IDS: &[&str] = &["token", "session"];

pub(super) fn entry(row: &Row, names: &Names) -> Result<NewEvent, Reason> {
    let content_type = content_types::of(row, &names.content_types)?;
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
        (Log::Framework, action, Named { kind: component, id: pk.to_owned(), name })
    };
    let secret = if has_secret_id(content_type) { target.hide_secret_id() } else { None };
    let mut metadata = metadata(row, names, content_type)?;
    if let Some(whole) = target.shorten_name() {
        metadata.insert("object_repr".into(), whole.into());
    }
    let mut changes = changed(row, &mut metadata)?;
    if let Some(secret) = secret {
        secret.hide_in_entry(&mut changes, &mut metadata);
    }
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

pub(super) fn has_secret_id(content_type: &ContentType) -> bool {
    content_type.app_label != APPLICATION
        && component(content_type).is_ok_and(|component| SECRET_IDS.contains(&component.as_str()))
}

impl Verb {
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
    let full = content_type.to_string();
    if let Some((_, name)) = COMPONENTS.iter().find(|(known, _)| *known == full) {
        return Ok((*name).to_owned());
    }
    let model = &content_type.model;
    match Action::try_from(model.as_str()) {
        Ok(_) => Ok(model.clone()),
        Err(_) => Err(format!("the model {} has no name for an action", quoted(model))),
    }
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
    let origin = json!({"table": AUDIT.name, "id": row.id, "content_type": content_type.to_string()});
    let mut metadata = Map::from_iter([("zango".into(), origin)]);
    let uuid = match row.owned(OBJECT_UUID) {
        Some(uuid) => Some(uuid),
        None => row.integer(OBJECT_REF)?.and_then(|id| names.object_uuid(id)),
    };
    if let Some(uuid) = uuid {
        metadata.insert("object_uuid".into(), uuid.into());
    }
    add_json(row, &mut metadata)?;
    Ok(metadata)
}

#[cfg(test)]
mod tests;
