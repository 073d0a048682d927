"""The application log from Django's own signals, for models that are registered and that django-auditlog does not record.

The old values are read from the database right before a save. A copy from when the instance was loaded would save that query, and be
wrong where the instance was made by hand, was loaded long ago, or has deferred fields; and it would cost time and memory for each
instance that is only read.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models import DecimalField, Field, ManyToManyField, Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from . import events
from .conf import config, outbox_alias
from .context import is_muted
from .masking import MASK
from .outbox import guarded, record
from .registry import Registration, registration_of

# A decimal of up to 15 digits is the same as a double.
EXACT_DIGITS = 15
# Members of a set that are named; the query for their names is bounded by it.
NAMED = 50

_fields_of_through: dict[type[Model], ManyToManyField] = {}


def connect(registration: Registration) -> None:
    """Connects the receivers for a model and its proxies. Signals have the very class as sender, and a receiver for all classes would
    make each deletion of any model slow."""
    model = registration.model
    proxies = [m for m in apps.get_models(include_auto_created=True) if m._meta.proxy and m._meta.concrete_model is model]
    for sender in (model, *proxies):
        pre_save.connect(_before_save, sender=sender, dispatch_uid=("logbook", sender))
        post_save.connect(_after_save, sender=sender, dispatch_uid=("logbook", sender))
        post_delete.connect(_after_delete, sender=sender, dispatch_uid=("logbook", sender))
    for field in model._meta.many_to_many:
        through = field.remote_field.through
        if through._meta.auto_created:
            _fields_of_through[through] = field
            m2m_changed.connect(_set_changed, sender=through, dispatch_uid=("logbook", through))


def is_recorded(model: type[Model]) -> Registration | None:
    """How the model is registered, None where nothing is to be recorded: no configuration, `muted()`, or auditlog does it."""
    settings = config()
    if not settings.enabled or is_muted():
        return None
    registration = registration_of(model)
    if registration is not None and settings.auditlog and apps.is_installed("auditlog"):
        from . import auditlog

        if auditlog.has(model):
            return None
    return registration


def field_value(field: Field, value: Any) -> Any:
    """A field's value as JSON, with the type that the field has: a number stays one."""
    if value is None:
        return None
    if events.is_hidden(field.name):
        return MASK
    try:
        value = field.to_python(value)
    except Exception:  # what the field cannot read is told as it is
        return events.json_value(value)
    if isinstance(field, DecimalField) and (field.max_digits or EXACT_DIGITS + 1) <= EXACT_DIGITS:
        return float(value)
    return events.json_value(value)


def _compared(field: Field, value: Any) -> Any:
    """What decides whether a field changed: the value as the field reads it, also of hidden ones."""
    try:
        return field.to_python(value)
    except Exception:  # as above
        return value


def _before_save(sender: type[Model], instance: Model, using: str, update_fields: Any = None, **_: Any) -> None:
    with guarded("old values"):
        instance.__dict__.pop("_logbook_old", None)
        registration = is_recorded(sender)
        if registration is None or instance.pk is None or (instance._state.adding and instance._meta.pk.has_default()):
            return
        names = [f.attname for f in _saved_fields(registration, update_fields)]
        if names:
            instance.__dict__["_logbook_old"] = sender._base_manager.using(using).filter(pk=instance.pk).values(*names).first()


def _saved_fields(registration: Registration, update_fields: Any) -> list[Field]:
    return [f for f in registration.fields if update_fields is None or f.name in update_fields or f.attname in update_fields]


def _after_save(sender: type[Model], instance: Model, created: bool, using: str, update_fields: Any = None, **_: Any) -> None:
    with guarded("save"):
        old = instance.__dict__.pop("_logbook_old", None)
        registration = is_recorded(sender)
        if registration is None or (not created and old is None):
            return
        fields = _saved_fields(registration, update_fields)
        deferred = instance.get_deferred_fields()
        new = {f.attname: instance.__dict__.get(f.attname) for f in fields if f.attname not in deferred}
        # F("count") + 1: only the database knows what came of it.
        computed = [name for name, value in new.items() if hasattr(value, "resolve_expression")]
        if computed:
            new.update(sender._base_manager.using(using).filter(pk=instance.pk).values(*computed).get())
        changes = []
        for field in fields:
            if field.attname not in new:
                continue
            before, after = (old or {}).get(field.attname), new[field.attname]
            if _compared(field, before) != _compared(field, after):
                changes.append(_value_change(field, instance, before, after))
        if created or changes:
            event = {"action": "create" if created else "update", **events.record_target(instance), "changes": changes}
            record("application", event, outbox_alias(using))


def _value_change(field: Field, instance: Model, old: Any, new: Any) -> dict:
    """The change of a column. Related objects are named where the instance has them already: a name is worth no query."""
    label = None
    if field.is_relation and new is not None and field.is_cached(instance):
        label = str(getattr(instance, field.name))
    return events.change(field.attname, field_value(field, old), field_value(field, new), new_label=label)


def _after_delete(sender: type[Model], instance: Model, using: str, **_: Any) -> None:
    with guarded("delete"):
        registration = is_recorded(sender)
        if registration is None:
            return
        deferred = instance.get_deferred_fields()
        loaded = [f for f in registration.fields if f.attname not in deferred]
        changes = [
            events.change(f.attname, field_value(f, instance.__dict__.get(f.attname)), None)
            for f in loaded
            if instance.__dict__.get(f.attname) is not None
        ]
        record("application", {"action": "delete", **events.record_target(instance), "changes": changes}, outbox_alias(using))


def _set_changed(
    sender: type[Model], instance: Model, action: str, reverse: bool, model: type[Model], pk_set: set | None, using: str, **_: Any
) -> None:
    with guarded("many-to-many change"):
        if action not in ("post_add", "post_remove", "pre_clear"):
            return
        field = _fields_of_through[sender]
        registration = is_recorded(field.model)
        if registration is None or field not in registration.sets:
            return
        # What is cleared is only known before.
        others = sorted(pk_set or ()) if action != "pre_clear" else _linked(sender, field, instance, reverse, using)
        if not others:
            return
        came = action == "post_add"
        if not reverse:
            names = [_name(other) for other in _named(model, others, using)]
            _record_set(instance, field, others, names, came, using)
        else:
            for owner in field.model._base_manager.using(using).filter(pk__in=others):
                _record_set(owner, field, [instance.pk], [_name(instance)], came, using)


def _linked(through: type[Model], field: ManyToManyField, instance: Model, reverse: bool, using: str) -> list:
    """The ids on the other side of all links of an instance."""
    here, there = field.m2m_column_name(), field.m2m_reverse_name()
    if reverse:
        here, there = there, here
    names = {f.column: f.attname for f in through._meta.concrete_fields}
    links = through._base_manager.using(using).filter(**{names[here]: instance.pk})
    return sorted(links.values_list(names[there], flat=True))


def _named(model: type[Model], pks: list, using: str) -> list[Model]:
    return list(model._base_manager.using(using).filter(pk__in=pks[:NAMED]).order_by("pk"))


def _name(instance: Model) -> str:
    return events.record_target(instance)["record_name"] or str(instance.pk)


def _record_set(instance: Model, field: ManyToManyField, pks: list, names: list[str], came: bool, using: str) -> None:
    values, label = [events.json_value(pk) for pk in pks], events.cut(", ".join(names), 1000)
    change = (
        events.set_change(field.name, values, [], new_label=label) if came else events.set_change(field.name, [], values, old_label=label)
    )
    record("application", {"action": "update", **events.record_target(instance), "changes": [change]}, outbox_alias(using))
