"""Bulk operations on the app's own models: update, bulk_create and bulk_update send no signals and Zango writes no row for them.

They are recorded as those of `logbook_django.bulk`, one event for each call. QuerySet.delete needs nothing: it sends the signals of each
object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from django.db.models import Field

from .. import seen
from ..context import is_muted
from ..events import json_value
from ..masking import MASK
from ..outbox import guarded
from ..wheretext import expression_text, where_text
from .entries import APPLICATION, audited_with, is_audited, is_excluded, is_masked
from .hooks import wrap
from .people import circumstances
from .telling import tell

# Ids that an event lists at most.
LISTED = 100

# bulk_update calls update for each batch.
_inside: ContextVar[bool] = ContextVar("logbook_zango_bulk", default=False)


def connect() -> None:
    """Hooks Django's querysets; only those of the app's audited models are told."""
    for name, make in (("update", _update), ("bulk_create", _bulk_create), ("bulk_update", _bulk_update)):
        wrap(f"django.db.models.query:QuerySet.{name}", make, "bulk operations are")


def _is_told(model: Any) -> bool:
    return model._meta.app_label == APPLICATION and not _inside.get() and not is_muted() and is_audited(model)


@contextmanager
def _together(using: str) -> Iterator[None]:
    """The operation and its event are committed together; operations inside are not told again."""
    token = _inside.set(True)
    try:
        with transaction.atomic(using=using, savepoint=False):
            yield
    finally:
        _inside.reset(token)


def _update(original: Callable) -> Callable:
    def update(self: Any, **values: Any) -> int:
        if not _is_told(self.model):
            return original(self, **values)
        filter_text = _filter(self)
        with _together(self.db):
            count = original(self, **values)
            if count:
                _tell(self.model, "bulk_update", values, count=count, filter=filter_text, fields=sorted(values))
        return count

    return update


def _bulk_create(original: Callable) -> Callable:
    def bulk_create(self: Any, objs: Any, *args: Any, **options: Any) -> list:
        if not _is_told(self.model):
            return original(self, objs, *args, **options)
        self._for_write = True
        with _together(self.db):
            created = original(self, objs, *args, **options)
            if created:
                _tell(self.model, "bulk_create", count=len(created), ids=_ids(created))
        return created

    return bulk_create


def _bulk_update(original: Callable) -> Callable:
    def bulk_update(self: Any, objs: Any, fields: Any, *args: Any, **options: Any) -> int:
        if not _is_told(self.model):
            return original(self, objs, fields, *args, **options)
        objs, fields = tuple(objs), list(fields)
        self._for_write = True
        with _together(self.db):
            count = original(self, objs, fields, *args, **options)
            if count:
                _tell(self.model, "bulk_update", count=count, fields=sorted(fields), ids=_ids(objs))
        return count

    return bulk_update


def _tell(model: Any, action: str, values: dict[str, Any] | None = None, **metadata: Any) -> None:
    with guarded(action):
        if values:
            metadata["values"] = _shown(model, values)
        tell("application", {"action": action, "model": model._meta.model_name, "record_id": "*", "metadata": metadata, **circumstances()})


def _filter(queryset: Any) -> str | None:
    """The conditions, without values that the app does not want to be seen."""
    with guarded("the filter of a bulk operation"):
        return where_text(queryset.query, _is_seen)
    return None


def _shown(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The new values, an expression as text; nothing of excluded fields."""
    found = {name: model._meta.pk if name == "pk" else model._meta.get_field(name) for name in values}
    told = {name: field for name, field in found.items() if not (seen.is_excluded(field) or is_excluded(model, field.name))}
    return {name: _value(values[name]) if _is_seen(field) else MASK for name, field in told.items()}


def _is_seen(field: Field) -> bool:
    """Whether values of a field may be seen. Of a model that the app keeps out of its audit log, only ids are."""
    models = audited_with(field)
    if not (models or field.primary_key):
        return False
    return seen.is_seen(field) and not any(is_masked(model, field.name) or is_excluded(model, field.name) for model in models)


def _value(value: Any) -> Any:
    return json_value(expression_text(value) if hasattr(value, "resolve_expression") else value)


def _ids(objs: Any) -> list:
    """The ids of the first objects, where the database gave them."""
    return [json_value(obj.pk) for obj in objs[:LISTED] if obj.pk is not None]
