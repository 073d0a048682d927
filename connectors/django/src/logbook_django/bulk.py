"""Bulk operations: QuerySet.update, bulk_create and bulk_update send no signals, so they are recorded here, one event for each call.

QuerySet.delete needs nothing: it sends the signals of each object of a registered model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import Field, Manager, Model, QuerySet
from django.db.models.manager import BaseManager

from . import events, seen
from .conf import config, outbox_alias
from .context import is_muted
from .masking import MASK
from .outbox import guarded, record
from .registry import Registration, registration_of
from .wheretext import expression_text, where_text

# Ids that an event lists at most.
LISTED = 100

# Models whose managers were made to record.
_models: set[type[Model]] = set()
# bulk_update calls update for each batch.
_inside: ContextVar[bool] = ContextVar("logbook_bulk", default=False)


class AuditedMixin:
    """Records the bulk operations of a queryset class that it comes before."""

    def update(self, **kwargs: Any) -> int:
        if not _is_told(self):
            return super().update(**kwargs)
        filter_text = ""
        with guarded("filter of an update"):
            filter_text = where_text(self.query)
        # The database that it writes to, not the one that it would read from.
        self._for_write = True
        with _together(self.db):
            count = super().update(**kwargs)
            if count:
                _record(self, "bulk_update", list(kwargs), kwargs, count=count, filter=filter_text)
        return count

    update.alters_data = True

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list:
        if not _is_told(self):
            return super().bulk_create(objs, *args, **kwargs)
        self._for_write = True
        with _together(self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            if created:
                _record(self, "bulk_create", [], {}, count=len(created), ids=_ids(created))
        return created

    bulk_create.alters_data = True

    def bulk_update(self, objs: Any, fields: Any, *args: Any, **kwargs: Any) -> int:
        if not _is_told(self):
            return super().bulk_update(objs, fields, *args, **kwargs)
        objs, fields = tuple(objs), list(fields)
        self._for_write = True
        with _together(self.db):
            count = super().bulk_update(objs, fields, *args, **kwargs)
            if count:
                _record(self, "bulk_update", fields, {}, count=count, ids=_ids(objs))
        return count

    bulk_update.alters_data = True


class AuditedQuerySet(AuditedMixin, QuerySet):
    """A QuerySet that records its bulk operations, whether its model is registered or not."""


class AuditedManager(Manager.from_queryset(AuditedQuerySet)):
    """A Manager whose querysets record their bulk operations."""


def audit_managers(model: type[Model]) -> None:
    """Makes all managers of a model record bulk operations, until `forget`."""
    _models.add(model)
    # The base manager adds to the other side of a foreign key.
    for manager in (*model._meta.local_managers, *model._meta.managers, model._meta.base_manager):
        audited_manager(manager)


def forget(model: type[Model]) -> None:
    """Stops recording the bulk operations of a model."""
    _models.discard(model)


def audited_manager(manager: BaseManager) -> BaseManager:
    """Makes a manager record bulk operations, in place, and so those of related managers, which Django makes of its class.

    A manager whose get_queryset makes a queryset of its own class, instead of calling super(), has to use AuditedMixin itself.
    """
    if not issubclass(manager._queryset_class, AuditedMixin):
        manager.__class__ = _audited_class(manager.__class__)
    return manager


@cache
def _audited_class(manager_class: type) -> type:
    """A subclass that has the name of its class and is equal to it, so that no migration sees a difference."""
    queryset_class = manager_class._queryset_class

    def __eq__(self: Any, other: Any) -> bool:
        return isinstance(other, manager_class) and self._constructor_args == other._constructor_args

    members = {
        "__module__": manager_class.__module__,
        "__qualname__": manager_class.__qualname__,
        "__eq__": __eq__,
        "__hash__": manager_class.__hash__,
        "_queryset_class": type(queryset_class.__name__, (AuditedMixin, queryset_class), {"__module__": queryset_class.__module__}),
    }
    return type(manager_class.__name__, (manager_class,), members)


@contextmanager
def _together(using: str) -> Iterator[None]:
    """The operation and its event are committed together; operations inside are not told again."""
    token = _inside.set(True)
    try:
        with transaction.atomic(using=using, savepoint=False):
            yield
    finally:
        _inside.reset(token)


def _is_told(queryset: QuerySet) -> bool:
    recorded = isinstance(queryset, AuditedQuerySet) or queryset.model._meta.concrete_model in _models
    return recorded and config().enabled and not is_muted() and not _inside.get()


def _record(queryset: QuerySet, action: str, fields: list[str], values: dict[str, Any], **metadata: Any) -> None:
    """Records an operation: the fields that it set, and the new values of those that are recorded."""
    with guarded(action):
        model = queryset.model
        registration = registration_of(model)
        found = {name: model._meta.pk if name == "pk" else model._meta.get_field(name) for name in fields}
        if fields:
            metadata["fields"] = sorted(field.attname for field in found.values())
        if values:
            told = {name: field for name, field in found.items() if _is_told_of(registration, field)}
            metadata["values"] = {field.attname: _value(field, values[name]) for name, field in told.items()}
        event = {"action": action, "model": events.model_name(model), "record_id": "*", "metadata": metadata}
        record("application", event, outbox_alias(queryset.db))


def _is_told_of(registration: Registration | None, field: Field) -> bool:
    return not seen.is_excluded(field) and (registration is None or registration.has(field))


def _value(field: Field, value: Any) -> Any:
    """A new value; an expression as text."""
    if value is None:
        return None
    if seen.is_masked(field):
        return MASK
    return events.json_value(expression_text(value) if hasattr(value, "resolve_expression") else value)


def _ids(objs: Any) -> list:
    """The ids of the first objects, where the database gave them."""
    return [obj.pk for obj in list(objs)[:LISTED] if obj.pk is not None]
