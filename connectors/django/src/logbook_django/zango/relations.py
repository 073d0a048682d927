"""Many-to-many relations. Zango writes no row for those of the app's own models, so they are told here.

For those of its own models it writes rows. But when a relation is cleared, its row names every object that there is, not those that were
linked.
"""

from __future__ import annotations

import threading
from typing import Any

from django.db.models.signals import m2m_changed
from django.utils.encoding import smart_str

from ..events import MAX_TARGETS, cut, set_change
from ..outbox import guarded
from .entries import APPLICATION, MAX_NAME, is_audited, is_excluded, target_of
from .people import circumstances
from .telling import tell


class _Cleared(threading.local):
    """What relations held before they were cleared, by model, primary key and field."""

    def __init__(self) -> None:
        self.relations: dict[tuple[str, str, str], list] = {}


_cleared = _Cleared()


def connect() -> None:
    """Listens to all relations; only those of audited models are looked at."""
    m2m_changed.connect(_changed, dispatch_uid="logbook_zango_m2m")


def _changed(sender: Any, instance: Any, action: str, reverse: bool, model: Any, pk_set: set | None, **_: Any) -> None:
    if action not in ("post_add", "post_remove", "pre_clear", "post_clear") or not is_audited(type(instance)):
        return
    with guarded("a changed relation"):
        field = _name(sender, instance, reverse)
        if field is None:
            return
        key = (instance._meta.label_lower, str(instance.pk), field)
        if action == "pre_clear":
            _cleared.relations[key] = _linked(getattr(instance, field), model)
            return
        # The row of one of Zango's models has been written by now, and has taken what was kept for it.
        cleared = _cleared.relations.pop(key, [])
        model_of = type(instance)
        if instance._meta.app_label != APPLICATION or _is_logged(model_of, field) or is_excluded(model_of, field):
            return
        others = cleared if action == "post_clear" else list(model._base_manager.filter(pk__in=pk_set or ()))
        if others:
            _tell(instance, field, others, is_added=action == "post_add")


def _linked(manager: Any, model: Any) -> list:
    """What a relation holds. Its own manager may refuse to say, since Zango's permissions are in there."""
    links = manager.through._base_manager.filter(**{manager.source_field_name: manager.related_val[0]})
    return list(model._base_manager.filter(pk__in=links.values_list(manager.target_field_name, flat=True)))


def _name(through: Any, instance: Any, reverse: bool) -> str | None:
    """The name under which the instance has the relation."""
    if reverse:
        return next((rel.get_accessor_name() for rel in instance._meta.related_objects if getattr(rel, "through", None) is through), None)
    return next((field.name for field in instance._meta.many_to_many if field.remote_field.through is through), None)


def _is_logged(model: Any, field: str) -> bool:
    from zango.apps.auditlogs.registry import auditlog

    return field in auditlog._registry[model]["m2m_fields"]


def _tell(instance: Any, field: str, others: list, *, is_added: bool) -> None:
    names = [smart_str(other) for other in others]
    tell("application", {
        "action": "update",
        "model": instance._meta.model_name,
        "record_id": str(instance.pk),
        "record_name": cut(smart_str(instance), MAX_NAME),
        "changes": [set_change(field, names, []) if is_added else set_change(field, [], names)],
        "targets": [target_of(other) for other in others[:MAX_TARGETS]],
        "metadata": {"object_uuid": str(instance.object_uuid)},
        **circumstances(),
    })  # fmt: skip


def correct_cleared(entry: Any, event: dict) -> None:
    """Replaces the objects that the row of a cleared relation names by those that were linked, and says so in the metadata."""
    content_type = f"{entry.content_type.app_label}.{entry.content_type.model}"
    for changed in event["changes"]:
        key = (content_type, str(entry.object_pk), changed["field"])
        if changed.get("removed") and key in _cleared.relations:
            event["metadata"]["zango"] |= {"cleared": changed["field"], "objects_named": len(changed["removed"])}
            changed["removed"] = [smart_str(other) for other in _cleared.relations.pop(key)]
