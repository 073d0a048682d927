//! Rows of `auditlogs_logentry` as events: of the application log where the row's content type is a model of the app
//! (`dynamic_models`), of the framework log where it is one of Zango's own.

use logbook_engine::event::{Actor, ActorType, Log, NewEvent, Target};
use serde_json::{Value, json};

use super::{
    changes::changes,
    check::{MAX_NAME, check},
    names::{ContentType, Names},
    row::{Reason, Row, quoted},
    source::{OBJECT_REF, OBJECT_UUID},
    tables::AUDIT,
};
use crate::http::limits::ACTION;

/// The models that an app defines.
const APPLICATION: &str = "dynamic_models";

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

pub fn entry(row: &Row, names: &Names) -> Result<NewEvent, Reason> {
    let content_type_id = row.integer("content_type_id")?.ok_or("content_type_id is missing")?;
    let content_type = names
        .content_type(content_type_id)
        .ok_or_else(|| format!("content type {content_type_id} is not in django_content_type"))?;
    let verb = Verb::of(row)?;
    let pk = row.required("object_pk")?;
    let occurred_at = row.instant("timestamp")?;
    let name = row.owned("object_repr");

    let mut event = if content_type.app_label == APPLICATION {
        let mut event = NewEvent::new(Log::Application, verb.of_record(), occurred_at);
        event.target = Target { kind: Some(content_type.model.clone()), id: Some(pk.to_owned()), name };
        event
    } else {
        let component = component(content_type)?;
        let mut event =
            NewEvent::new(Log::Framework, format!("{component}_{}", verb.of_component()), occurred_at);
        event.target = Target { kind: Some(component), id: Some(pk.to_owned()), name };
        hide_secret_id(&mut event.target);
        event
    };
    event.actor = Some(actor(row, names)?);
    event.ip_address = row.address("remote_addr")?;
    event.correlation_id = row.owned("cid");
    add_metadata(&mut event, row, names, content_type)?;
    add_changes(&mut event, row)?;
    check(&event)?;
    Ok(event)
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
    if ACTION.is_match(model) {
        Ok(model.clone())
    } else {
        Err(format!("the model {} has no name for an action", quoted(model)))
    }
}

/// `6395fc26…` for the 128 digits of a digest, in the id and wherever the name repeats it.
fn hide_secret_id(target: &mut Target) {
    if !target.kind.as_deref().is_some_and(|kind| SECRET_IDS.contains(&kind)) {
        return;
    }
    let Some(id) = target.id.take() else { return };
    if id.chars().count() <= SHOWN * 2 {
        // A serial number, or nothing that one could guess a secret from.
        target.id = Some(id);
        return;
    }
    let shown: String = id.chars().take(SHOWN).chain(['…']).collect();
    target.name = target.name.take().map(|name| name.replace(&id, &shown));
    target.id = Some(shown);
}

/// The user, else the platform's admin, else nobody: the system.
fn actor(row: &Row, names: &Names) -> Result<Actor, Reason> {
    if let Some(id) = row.integer("tenant_actor_id")? {
        return Ok(Actor { kind: ActorType::User, id: Some(id.to_string()), name: names.user(id) });
    }
    if let Some(id) = row.integer("platform_actor_id")? {
        return Ok(Actor { kind: ActorType::Admin, id: Some(id.to_string()), name: names.admin(id) });
    }
    Ok(Actor::system())
}

fn add_metadata(
    event: &mut NewEvent,
    row: &Row,
    names: &Names,
    content_type: &ContentType,
) -> Result<(), Reason> {
    let ContentType { app_label, model } = content_type;
    let origin = json!({"table": AUDIT.name, "id": row.id, "content_type": format!("{app_label}.{model}")});
    event.metadata.insert("zango".into(), origin);
    let uuid = match row.owned(OBJECT_UUID) {
        Some(uuid) => Some(uuid),
        None => row.integer(OBJECT_REF)?.and_then(|id| names.object_uuid(id)),
    };
    if let Some(uuid) = uuid {
        event.metadata.insert("object_uuid".into(), uuid.into());
    }
    for (column, key) in [("serialized_data", "snapshot"), ("additional_data", "additional_data")] {
        if let Some(text) = row.text(column) {
            let value: Value =
                serde_json::from_str(text).map_err(|error| format!("{column} is not JSON: {error}"))?;
            event.metadata.insert(key.into(), value);
        }
    }
    // A record is called what its model says, which may be a whole note.
    if let Some(name) = &mut event.target.name
        && name.chars().count() > MAX_NAME
    {
        let cut = name.chars().take(MAX_NAME - 1).chain(['…']).collect();
        event.metadata.insert("object_repr".into(), std::mem::replace(name, cut).into());
    }
    Ok(())
}

fn add_changes(event: &mut NewEvent, row: &Row) -> Result<(), Reason> {
    if let Some(text) = row.text("changes") {
        event.changes = changes(text)?;
        return Ok(());
    }
    // Where versions before `changes` kept the same; prose in some.
    if let Some(text) = row.text("changes_text") {
        match changes(text) {
            Ok(changes) => event.changes = changes,
            Err(_) => drop(event.metadata.insert("changes_text".into(), text.into())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
