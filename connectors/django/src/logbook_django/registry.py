"""Which models are recorded, and which of their fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Field, Model

from .conf import config


@dataclass(frozen=True)
class Registration:
    """A model whose changes are recorded: all fields, or those of `include`, without those of `exclude`."""

    model: type[Model]
    include: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The recorded columns."""
        return tuple(field for field in self.model._meta.concrete_fields if self.has(field))

    @cached_property
    def sets(self) -> tuple[Field, ...]:
        """The recorded many-to-many fields."""
        return tuple(field for field in self.model._meta.many_to_many if self.has(field))

    def has(self, field: Field) -> bool:
        """Whether changes of the field are recorded. Each sign-in sets `last_login`, which the access log tells."""
        if field.name in self.exclude or field.name in config().exclude_fields:
            return False
        if field.name == "last_login" and issubclass(self.model, AbstractBaseUser):
            return False
        return self.include is None or field.name in self.include

    def excludes(self, field: Field) -> bool:
        """Whether values of the field are to be seen nowhere. That of a primary key is the record's own id."""
        return field.name in self.exclude or (self.include is not None and field.name not in self.include and not field.primary_key)


_registered: dict[type[Model], Registration] = {}


def register(model: type[Model], *, exclude: Iterable[str] = (), include: Iterable[str] | None = None) -> type[Model]:
    """Records creations, changes and deletions of a model, also of its proxies, and its bulk operations. Returns the model.

    `exclude` and `include` are names of fields. Calling it again replaces what was said before.
    """
    from . import bulk, changes

    concrete = model._meta.concrete_model
    registration = Registration(concrete, None if include is None else frozenset(include), frozenset(exclude))
    _registered[concrete] = registration
    changes.connect(registration)
    bulk.audit_managers(concrete)
    return model


def unregister(model: type[Model]) -> None:
    """Stops recording a model."""
    from . import bulk

    bulk.forget(model._meta.concrete_model)
    _registered.pop(model._meta.concrete_model, None)


def registration_of(model: type[Model]) -> Registration | None:
    """How the model is registered, if it is."""
    return _registered.get(model._meta.concrete_model)


def registrations() -> list[Registration]:
    """All registered models."""
    return list(_registered.values())


def register_settings() -> None:
    """Registers the models of the setting MODELS: "app.Model", or "app.*" for an app. Raises ImproperlyConfigured for an unknown one."""
    for name in config().models:
        app_label, _, model_name = name.partition(".")
        try:
            models = apps.get_app_config(app_label).get_models() if model_name == "*" else [apps.get_model(name)]
        except (LookupError, ValueError) as error:
            raise ImproperlyConfigured(f"LOGBOOK['MODELS'] has {name!r}: {error}") from None
        for model in models:
            if registration_of(model) is None and not model._meta.proxy:
                register(model)
