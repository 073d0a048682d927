"""Sends a Django app's sign-ins, data changes and tasks to Logbook, through an outbox in the app's own database.

import logbook_django as logbook

logbook.record("framework", {"action": "report_sent", "component": {"type": "report", "id": "7"}})
with logbook.acting(on_behalf_of=user, purpose="INC-4711"):
    ...
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bound import OutboxFull
    from .bulk import AuditedManager, AuditedMixin, AuditedQuerySet
    from .context import Context, acting, current, muted
    from .outbox import arecord, record
    from .registry import register, unregister

__version__ = "0.1.0"

# Django imports this package before its models can be; so each name is imported when it is first used.
_HOMES = {
    "OutboxFull": "bound",
    "AuditedManager": "bulk",
    "AuditedMixin": "bulk",
    "AuditedQuerySet": "bulk",
    "Context": "context",
    "acting": "context",
    "current": "context",
    "muted": "context",
    "arecord": "outbox",
    "record": "outbox",
    "register": "registry",
    "unregister": "registry",
}

__all__ = [
    "AuditedManager",
    "AuditedMixin",
    "AuditedQuerySet",
    "Context",
    "OutboxFull",
    "acting",
    "arecord",
    "current",
    "muted",
    "record",
    "register",
    "unregister",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
