"""The application log, and what Zango's audit log says about Zango's own models: every row of it as it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save

from ..context import current
from ..outbox import guarded
from .entries import APPLICATION, VERBS, component_of, entry_event
from .hooks import wrap
from .people import SYSTEM, circumstances, request_actor, role_of, running_request, session_fields, task_actor
from .relations import correct_cleared
from .telling import tell, tell_apart


def connect() -> None:
    """Hooks Zango's audit log."""
    if not wrap("zango.apps.auditlogs.models:LogEntry.save", _atomic, "changes of records, users, roles and policies are"):
        return
    from zango.apps.auditlogs.models import LogEntry
    from zango.apps.auditlogs.signals import post_log

    post_save.connect(_entry_saved, sender=LogEntry, dispatch_uid="logbook_zango_entry")
    post_log.connect(_logged, dispatch_uid="logbook_zango_post_log")


def _atomic(original: Callable) -> Callable:
    """The row and its event are committed together, also in a task, where Django would commit each statement."""

    def save(self: Any, *args: Any, **kwargs: Any) -> None:
        if transaction.get_connection().in_atomic_block:
            return original(self, *args, **kwargs)
        with transaction.atomic():
            return original(self, *args, **kwargs)

    return save


def _entry_saved(sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    if not created or raw:
        return
    with guarded("a row of Zango's audit log"):
        log, event = entry_event(instance)
        correct_cleared(instance, event)
        known = _known(event)
        tell(log, {**known, **event})


def _known(event: dict) -> dict:
    """What Zango's row does not say: the role, the session, and who did what nobody signed in for. May take its actor from the event."""
    request = running_request()
    known: dict[str, Any] = {"role": role_of(event.get("actor")), **(session_fields(request) if request is not None else {})}
    acting = current()
    if "actor" not in event:
        # The row of a sign-in has nobody, as somebody only comes in.
        known["actor"] = acting.actor or task_actor.get() or SYSTEM
    elif acting.actor not in (None, task_actor.get(), request_actor.get()):
        # Code that says for whom it acts knows better than the row, which has who is signed in.
        signed_in = event.pop("actor")
        known["actor"] = acting.actor
        if acting.on_behalf_of is None:
            known["on_behalf_of"] = signed_in
    return known


def _logged(sender: Any, instance: Any = None, action: int | None = None, error: BaseException | None = None, **_: Any) -> None:
    """Zango could not write a row: with Zango 1.0 the change itself fails, later versions go on without the row."""
    if error is None:
        return
    with guarded("audit_write_failed"):
        meta = sender._meta
        kind = meta.model_name if meta.app_label == APPLICATION else component_of(meta.label_lower)
        primary_key = getattr(instance, "pk", None)
        tell_apart("framework", {
            "action": "audit_write_failed",
            "component": {"type": kind, "id": None if primary_key is None else str(primary_key)},
            "error": f"{type(error).__name__}: {error}",
            "metadata": {"action": VERBS.get(action), "content_type": meta.label_lower},
            **circumstances(),
        })  # fmt: skip
