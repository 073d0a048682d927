"""The settings: `LOGBOOK = {...}` in Django's settings, and the environment for the four that say where to send."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Config:
    """Every setting with its default. The name in `LOGBOOK` is in upper case."""

    url: str = ""
    workspace: str = ""
    source: str = ""
    key: str = field(default="", repr=False)
    timeout: float = 10.0
    # "command": `manage.py logbook_relay` sends. "thread": a thread of each process of the app does.
    relay: str = "command"
    databases: tuple[str, ...] = ("default",)
    # Returns the outboxes to send from, for an app with one per tenant.
    outboxes: Callable[[], Any] | None = None
    # Says whether the outbox of the current tenant in the database `using` takes events.
    gate: Callable[[str], bool] | None = None
    outbox_max_rows: int = 1_000_000
    when_full: str = "drop_oldest"
    # Errors are raised instead of logged: for development and tests.
    raise_errors: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    role: Callable[[Any, Any], str | None] | None = None
    actor: Callable[[Any, Any], dict | None] | None = None
    access: bool = True
    auditlog: bool | str = "auto"
    models: tuple[str, ...] = ()
    exclude_fields: frozenset[str] = frozenset()
    hide_fields: frozenset[str] = frozenset()
    admin: bool = True
    celery: bool | str = "auto"
    celery_success: bool = False
    batch_events: int = 1000
    batch_bytes: int = 4 * 1024 * 1024
    poll_seconds: float = 1.0
    heartbeat_seconds: float = 60.0
    lease_seconds: float = 15.0
    # Settings of `logbook_django.zango`.
    zango: dict = field(default_factory=dict)

    @property
    def enabled(self) -> bool:
        """Whether events are written to the outbox: when it is known where they go."""
        return bool(self.url and (self.outboxes or (self.workspace and self.source and self.key)))

    @property
    def missing(self) -> list[str]:
        """The names of the settings that are needed and not there."""
        needed = ("url",) if self.outboxes else ("url", "workspace", "source", "key")
        return [name.upper() for name in needed if not getattr(self, name)]


# With this app, each tenant has an outbox.
ZANGO = "logbook_django.zango"
# The name in LOGBOOK where a field of Config cannot have it.
RENAMED = {"RAISE": "raise_errors"}
CALLABLES = {"outboxes", "gate", "role", "actor"}
CHOICES = {
    "relay": ("command", "thread"),
    "when_full": ("drop_oldest", "block"),
    "auditlog": (True, False, "auto"),
    "celery": (True, False, "auto"),
}
POSITIVE = ("timeout", "outbox_max_rows", "batch_events", "batch_bytes", "poll_seconds", "heartbeat_seconds", "lease_seconds")


@lru_cache(maxsize=1)
def config() -> Config:
    """The settings as they are now; `reset` forgets them. Raises ImproperlyConfigured for an unknown name or value."""
    values: dict[str, Any] = {}
    for name in ("url", "workspace", "source", "key"):
        if value := os.environ.get(f"LOGBOOK_{name.upper()}", "").strip():
            values[name] = value
    if apps.is_installed(ZANGO):
        values.update(outboxes=import_string(f"{ZANGO}.outboxes"), gate=import_string(f"{ZANGO}.gate"))
    known = {f.name for f in fields(Config)}
    for name, value in getattr(settings, "LOGBOOK", {}).items():
        attribute = RENAMED.get(name, name.lower())
        if attribute not in known or name != name.upper() or (attribute in RENAMED.values() and name not in RENAMED):
            raise ImproperlyConfigured(f"LOGBOOK has no setting {name!r}")
        # An empty text is what `os.environ.get(…, "")` gives: the environment decides then.
        if value not in (None, ""):
            values[attribute] = _read(attribute, name, value)
    return Config(**values)


def _read(attribute: str, name: str, value: Any) -> Any:
    """The value of one setting as the type that it has."""
    if attribute in CHOICES and value not in CHOICES[attribute]:
        raise ImproperlyConfigured(f"LOGBOOK[{name!r}] is {value!r}, not one of {', '.join(map(repr, CHOICES[attribute]))}")
    if attribute in POSITIVE and not (isinstance(value, int | float) and value > 0):
        raise ImproperlyConfigured(f"LOGBOOK[{name!r}] is {value!r}, not a number above 0")
    if attribute in CALLABLES and isinstance(value, str):
        return import_string(value)
    if attribute == "trusted_proxies":
        try:
            return tuple(ipaddress.ip_network(network) for network in value)
        except ValueError as error:
            raise ImproperlyConfigured(f"LOGBOOK[{name!r}]: {error}") from None
    if attribute in ("databases", "models"):
        return tuple(value)
    if attribute in ("exclude_fields", "hide_fields"):
        return frozenset(value)
    return value


def reset() -> None:
    """Forgets the settings that were read, so that the next use reads them again."""
    config.cache_clear()


def outbox_alias(alias: str | None) -> str:
    """The database whose outbox takes what happens in the database `alias`: itself where it has one, else the first that has."""
    databases = config().databases
    return alias if alias in databases else databases[0]
