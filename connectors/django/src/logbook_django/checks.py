"""What `manage.py check` says about Logbook."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db import connections

from .conf import config

VENDORS = ("postgresql", "sqlite")
IMMEDIATE_HINT = (
    "The relay writes too. A transaction that has read when another one writes is refused as 'database is locked' when it wants to write. "
    'With Django 5.1 or later, set OPTIONS["transaction_mode"] to "IMMEDIATE": then it waits at its beginning.'
)
ATOMIC_HINT = (
    "Outside of a transaction a change is committed before its event; a process that dies in between leaves it without one. "
    "Set ATOMIC_REQUESTS, or use transaction.atomic() and silence this warning."
)


def register() -> None:
    """Adds the check."""
    checks.register(check_databases)


def check_databases(**_: Any) -> list[checks.CheckMessage]:
    """What of the databases of the outboxes would lose or refuse something."""
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
            found.append(checks.Warning(text, hint=ATOMIC_HINT, id="logbook_django.W001"))
        if connection.vendor == "sqlite" and connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
            text = f"the database {alias!r} is SQLite, and its transactions are not immediate"
            found.append(checks.Warning(text, hint=IMMEDIATE_HINT, id="logbook_django.W002"))
    return found
