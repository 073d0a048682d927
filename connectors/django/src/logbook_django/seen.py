"""Whether the values of a field may leave the app: what the settings, `register` and django-auditlog say of it, taken together.

A filter may reach a field over relations, and from a model that inherits it. So all models that have the very field are asked, and one
that excludes or masks it is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Field, Model

from .conf import config
from .registry import registrations


def is_seen(field: Field) -> bool:
    """Whether the project lets values of the field be seen."""
    return not (is_excluded(field) or is_masked(field))


def is_excluded(field: Field) -> bool:
    """Whether the project keeps the field out of the log.

    Without its primary key no record could be told, so a list of fields to include need not name it.
    """
    if field.name in config().exclude_fields:
        return True
    if any(issubclass(registration.model, field.model) and registration.excludes(field) for registration in registrations()):
        return True
    return any(
        field.name in told["exclude_fields"]
        or bool(told["include_fields"] and field.name not in told["include_fields"] and not field.primary_key)
        for told in _of_auditlog(field.model)
    )


def is_masked(field: Field) -> bool:
    """Whether the project lets the field be told, without its values."""
    return field.name in config().hide_fields or any(field.name in told["mask_fields"] for told in _of_auditlog(field.model))


def _of_auditlog(model: type[Model]) -> Iterator[dict]:
    """What django-auditlog was told of the fields of a model, and of those that inherit them."""
    if not (config().auditlog and apps.is_installed("auditlog")):
        return
    from auditlog.registry import auditlog

    for audited in auditlog.get_models():
        if issubclass(audited, model):
            yield auditlog.get_model_fields(audited)
