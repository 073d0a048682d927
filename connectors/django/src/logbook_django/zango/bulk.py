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

from ..context import is_muted
from ..events import is_hidden, json_value, may_be_secret
from ..masking import MASK
from ..outbox import guarded
from ..wheretext import where_text
from .entries import APPLICATION, is_audited, is_excluded, is_masked
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
    """The conditions; not where they are about a field whose values the app does not want to be seen."""
    with guarded("the filter of a bulk operation"):
        text = where_text(queryset.query)
        model = queryset.model
        unseen = [field for field in model._meta.fields if may_be_secret(field.name) or not _is_seen(model, field.name)]
        return MASK if any(field.attname in text for field in unseen) else text
    return None


def _shown(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The new values, an expression as text; nothing of excluded fields."""
    told = {name: value for name, value in values.items() if not is_excluded(model, name)}
    return {name: _value(value) if _is_seen(model, name) else MASK for name, value in told.items()}


def _is_seen(model: Any, field: str) -> bool:
    return not (is_hidden(field) or is_masked(model, field) or is_excluded(model, field))


def _value(value: Any) -> Any:
    return json_value(str(value) if hasattr(value, "resolve_expression") else value)


def _ids(objs: Any) -> list:
    """The ids of the first objects, where the database gave them."""
    return [json_value(obj.pk) for obj in objs[:LISTED] if obj.pk is not None]
