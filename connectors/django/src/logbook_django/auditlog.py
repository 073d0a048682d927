"""django-auditlog as the source of the application log: each of its entries becomes an event, in the same transaction."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.contenttypes.models import ContentType

from . import events
from .conf import config, outbox_alias
from .outbox import guarded, record
from .requests import canonical

# LogEntry.Action, in Logbook's words.
ACTIONS = ("create", "update", "delete", "access")


def auditlog_event(entry: Any, *, model: str | None = None, actor: dict | None = None) -> dict:
    """The event of a LogEntry, or of a row of a fork of it; what it lacks is passed over.

    auditlog stores values as text, "None" for null, unless AUDITLOG_STORE_JSON_CHANGES is set. Of sets it stores only names.
    """
    event = {
        "action": ACTIONS[entry.action],
        "model": model or _model_name(entry),
        "record_id": str(entry.object_pk),
        "record_name": entry.object_repr,
        "occurred_at": events.moment(entry.timestamp),
        "changes": changes_of(entry.changes),
    }
    if who := actor or _actor(entry):
        event["actor"] = who
    if correlation_id := getattr(entry, "cid", None):
        event["correlation_id"] = correlation_id
    if address := canonical(getattr(entry, "remote_addr", None)):
        event["ip_address"] = address
    if additional := getattr(entry, "additional_data", None):
        event["metadata"] = additional if isinstance(additional, dict) else {"additional_data": additional}
    return event


def changes_of(changes: Any) -> list[dict]:
    """The changes of an entry as Logbook has them."""
    if isinstance(changes, str):
        changes = json.loads(changes) if changes else {}
    excluded = config().exclude_fields
    return [_change(field, change) for field, change in (changes or {}).items() if field not in excluded]


def _change(field: str, change: Any) -> dict:
    if isinstance(change, dict):
        names = list(change.get("objects", []))
        return events.set_change(field, names, []) if change.get("operation") == "add" else events.set_change(field, [], names)
    old, new = (None if value == "None" else value for value in change)
    return events.change(field, old, new)


def _model_name(entry: Any) -> str:
    # Content types by id are cached; following the foreign key is a query.
    content_type = ContentType.objects.db_manager(entry._state.db).get_for_id(entry.content_type_id)
    return f"{content_type.app_label}.{content_type.model}"


def _actor(entry: Any) -> dict | None:
    """The actor as far as it is known without a query."""
    if getattr(entry, "actor_id", None) is None:
        return None
    if "actor" in entry._state.fields_cache:
        return events.actor_of(entry.actor)
    return {"type": "user", "id": str(entry.actor_id), "name": getattr(entry, "actor_email", None)}


def _saved(sender: Any, instance: Any, created: bool, using: str, **_: Any) -> None:
    with guarded("auditlog entry"):
        if created and config().enabled:
            record("application", auditlog_event(instance), outbox_alias(using))


def has(model: Any) -> bool:
    """Whether auditlog records this model, so that our own receivers need not."""
    from auditlog.registry import auditlog

    return auditlog.contains(model)


def models() -> list[Any]:
    """The models that auditlog records."""
    from auditlog.registry import auditlog

    return auditlog.get_models()


def connect() -> None:
    """Connects to the entries of auditlog, also of a model of the project's own (AUDITLOG_LOGENTRY_MODEL)."""
    from django.apps import apps
    from django.conf import settings
    from django.db.models.signals import post_save

    entry = apps.get_model(getattr(settings, "AUDITLOG_LOGENTRY_MODEL", "auditlog.LogEntry"))
    post_save.connect(_saved, sender=entry, dispatch_uid="logbook_auditlog")
