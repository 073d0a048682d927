"""Rows of Zango's audit log as events, in the words of `logbook import zango`.

Those of the app's own models (`dynamic_models`) belong to the application log, those of Zango's models to the framework log.
"""

from __future__ import annotations

import re
from datetime import timezone
from typing import Any

from django.utils.encoding import smart_str
from django.utils.timezone import is_naive, make_aware

from ..events import cut
from .changes import read_changes
from .people import admin, named_role, named_user, user

APPLICATION = "dynamic_models"
TABLE = "auditlogs_logentry"
VERBS = {0: "create", 1: "update", 2: "delete", 3: "access"}
PAST = {"create": "created", "update": "updated", "delete": "deleted", "access": "accessed"}

# A longer name of a record is cut, and kept whole in the metadata: it may be a whole note.
MAX_NAME = 500

# What Zango's own models are called in the framework log. Others keep the model's name.
COMPONENTS = {
    "appauth.appuserauthtoken": "token",
    "appauth.appusermodel": "user",
    "appauth.oldpasswords": "password_history",
    "appauth.otpcode": "otp_code",
    "appauth.samlmodel": "saml_configuration",
    "appauth.samlrequestid": "saml_request",
    "appauth.userrolemodel": "role",
    "knox.authtoken": "token",
    "mfa.authenticator": "authenticator",
    "object_store.objectstore": "object",
    "permissions.permissionsmodel": "permission",
    "permissions.policygroupmodel": "policy_group",
    "permissions.policymodel": "policy",
    "platformauth.platformusermodel": "platform_user",
    "release.apprelease": "release",
    "secrets.secretsmodel": "secret",
    "sessions.session": "session",
    "tasks.apptask": "task",
    "tenancy.domain": "domain",
    "tenancy.tenantmodel": "app",
    "tenancy.themesmodel": "theme",
    "usersessions.usersession": "user_session",
    "account.emailaddress": "email_address",
    "account.emailconfirmation": "email_confirmation",
}

# Components whose id is the secret: a token's digest, a session's key. Its first characters tell them apart.
SECRET_IDS = ("token", "session")
SHOWN = 8

# Fields whose values are ids of users or roles, by the model. Elsewhere a field of that name may be anything.
PEOPLE = {("appauth.oldpasswords", "user"), ("appauth.appuserauthtoken", "user")}
ROLES = {("appauth.appuserauthtoken", "role")}


def entry_event(entry: Any) -> tuple[str, dict]:
    """The log and the event of a row, as Zango saves it."""
    content_type = f"{entry.content_type.app_label}.{entry.content_type.model}"
    is_record = entry.content_type.app_label == APPLICATION
    verb = VERBS[entry.action]
    metadata: dict[str, Any] = {"zango": {"table": TABLE, "id": entry.pk, "content_type": content_type}}
    if entry.object_ref_id is not None and entry.object_ref is not None:
        metadata["object_uuid"] = str(entry.object_ref.object_uuid)
    if entry.serialized_data is not None:
        metadata["snapshot"] = entry.serialized_data
    if entry.additional_data is not None:
        metadata["additional_data"] = entry.additional_data
    name = entry.object_repr or None
    if name and len(name) > MAX_NAME:
        metadata["object_repr"] = name
        name = cut(name, MAX_NAME)
    try:
        changes = read_changes(entry.changes)
    except ValueError as error:
        # Better as it is than not at all.
        changes, metadata["changes"], metadata["unread"] = [], entry.changes, str(error)
    concerned = _label(changes, content_type, entry)
    event = {
        "occurred_at": moment(entry.timestamp),
        "dedupe_key": f"zango:{TABLE}:{entry.pk}:{moment(entry.timestamp)}",
        "changes": changes,
        "targets": concerned,
        "ip_address": entry.remote_addr,
        "metadata": metadata,
        **actors(entry),
    }
    if entry.cid:
        event["correlation_id"] = entry.cid
    if is_record:
        record = {"model": entry.content_type.model, "record_id": str(entry.object_pk), "record_name": name}
        return "application", {"action": verb, **record, **event}
    kind = component_of(content_type)
    component = _shown({"type": kind, "id": str(entry.object_pk), "name": name})
    return "framework", {"action": f"{kind}_{PAST[verb]}"[:64], "component": component, **event}


def is_audited(model: Any) -> bool:
    """Whether Zango's audit log looks at a model: an app may exclude its own."""
    from zango.apps.auditlogs.registry import auditlog

    return auditlog.contains(model)


def audited_with(field: Any) -> list[Any]:
    """The audited models that have this very field: its own, and those that inherit it."""
    from zango.apps.auditlogs.registry import auditlog

    return [model for model in auditlog.get_models() if issubclass(model, field.model)]


def is_excluded(model: Any, field: str) -> bool:
    """Whether an app keeps a field of its audited model out of the audit log."""
    from zango.apps.auditlogs.registry import auditlog

    fields = auditlog.get_model_fields(model)
    return field in fields["exclude_fields"] or bool(fields["include_fields"] and field not in fields["include_fields"])


def is_masked(model: Any, field: str) -> bool:
    """Whether the audit log has only a part of a field's values."""
    from zango.apps.auditlogs.registry import auditlog

    return field in auditlog.get_model_fields(model)["mask_fields"]


def target_of(instance: Any) -> dict:
    """A record or a component as a target."""
    meta = instance._meta
    kind = meta.model_name if meta.app_label == APPLICATION else component_of(meta.label_lower)
    return {"type": kind, "id": str(instance.pk), "name": smart_str(instance)}


def component_of(content_type: str) -> str:
    """What the framework log calls a model, given as "app_label.model"."""
    return COMPONENTS.get(content_type) or re.sub(r"[^a-z0-9_]", "_", content_type.split(".", 1)[1].lower())


def moment(value: Any) -> str:
    """A time as events have it. Zango saves naive times, which Django takes to be in its default zone."""
    aware = make_aware(value) if is_naive(value) else value
    return aware.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def actors(entry: Any) -> dict:
    """Who did it, and for whom: where a user and a platform admin are there, the admin acted as the user. Empty where neither is."""
    person = user(entry.tenant_actor) if entry.tenant_actor_id else None
    if entry.platform_actor_id:
        return {"actor": admin(entry.platform_actor), **({"on_behalf_of": person} if person else {})}
    return {"actor": person} if person else {}


def _label(changes: list[dict], content_type: str, entry: Any) -> list[dict]:
    """Adds names beside ids. Returns whom the event concerns beside its target: the owner and role of a token, the owner of a password."""
    concerned: list[dict] = []
    for changed in changes:
        if "added" in changed:
            continue
        place = (content_type, changed["field"])
        if content_type.startswith(f"{APPLICATION}.") and changed["field"] in ("created_by", "modified_by"):
            kind = None
        elif place in PEOPLE or place in ROLES:
            kind = "user" if place in PEOPLE else "role"
        else:
            continue
        for side in ("old", "new"):
            identifier = changed[side]
            if not (isinstance(identifier, str) and re.fullmatch(r"[+-]?[0-9]+", identifier)):
                continue
            name = named_role(int(identifier)) if kind == "role" else named_user(int(identifier), entry.tenant_actor)
            if name:
                changed[f"{side}_label"] = name
            target = {"type": kind, "id": str(int(identifier)), "name": name}
            if kind and target not in concerned:
                concerned.append(target)
    return concerned


def _shown(component: dict) -> dict:
    """The component with only the beginning of an id that is a secret, in the name too."""
    identifier = component["id"]
    # A short one is a serial number, or too short to reveal a secret.
    if component["type"] not in SECRET_IDS or len(identifier) <= SHOWN * 2:
        return component
    shown = f"{identifier[:SHOWN]}…"
    return {**component, "id": shown, "name": component["name"] and component["name"].replace(identifier, shown)}
