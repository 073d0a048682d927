"""Bulk operations on the app's own models: update, bulk_create and bulk_update send no signals and Zango writes no row for them.

They are recorded as those of `logbook_django.bulk`, one event for each call. QuerySet.delete needs nothing: it sends the signals of each object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction

from ..context import is_muted
from ..events import HIDDEN, is_hidden, json_value
from ..outbox import guarded
from ..wheretext import where_text
from .entries import APPLICATION, is_audited
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
        filter_text = _filter(self.query)
        with _together(self.db):
            count = original(self, **values)
            if count:
                shown = {name: HIDDEN if is_hidden(name) else _shown(value) for name, value in values.items()}
                _tell(self.model, "bulk_update", count=count, filter=filter_text, fields=sorted(values), values=shown)
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


def _tell(model: Any, action: str, **metadata: Any) -> None:
    with guarded(action):
        tell("application", {"action": action, "model": model._meta.model_name, "record_id": "*", "metadata": metadata, **circumstances()})


def _filter(query: Any) -> str | None:
    with guarded("the filter of a bulk operation"):
        return where_text(query)
    return None


def _shown(value: Any) -> Any:
    return json_value(str(value) if hasattr(value, "resolve_expression") else value)


def _ids(objs: Any) -> list:
    """The ids of the first objects, where the database gave them."""
    return [json_value(obj.pk) for obj in objs[:LISTED] if obj.pk is not None]
