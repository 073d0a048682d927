"""What `manage.py check` says about Logbook."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db import connections

from .conf import config

VENDORS = ("postgresql", "sqlite")
HINT = (
    "Outside of a transaction a change is committed before its event; a process that dies in between leaves it without one. "
    "Set ATOMIC_REQUESTS, or use transaction.atomic() and silence this warning."
)


def register() -> None:
    """Adds the check."""
    checks.register(check_databases)


def check_databases(**_: Any) -> list[checks.CheckMessage]:
    """The relay needs PostgreSQL or SQLite, and an event shares the fate of a change only where both are in one transaction."""
    settings = config()
    if not settings.enabled:
        return []
    found: list[checks.CheckMessage] = []
    for alias in settings.databases:
        connection = connections[alias]
        if connection.vendor not in VENDORS:
            text = f"the database {alias!r} is {connection.vendor}; an outbox needs {' or '.join(VENDORS)}"
            found.append(checks.Error(text, id="logbook_django.E001"))
        if not connection.settings_dict["ATOMIC_REQUESTS"]:
            text = f"the database {alias!r} has no ATOMIC_REQUESTS"
            found.append(checks.Warning(text, hint=HINT, id="logbook_django.W001"))
    return found
