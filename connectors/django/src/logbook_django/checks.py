"""What `manage.py check` says about Logbook."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.db import connections

from .conf import config


def register() -> None:
    """Adds the check."""
    checks.register(check_transactions)


def check_transactions(**_: Any) -> list[checks.CheckMessage]:
    """An event shares the fate of a change only where both are in one transaction."""
    settings = config()
    if not settings.enabled:
        return []
    loose = [alias for alias in settings.databases if not connections[alias].settings_dict["ATOMIC_REQUESTS"]]
    return [
        checks.Warning(
            f"the database {alias!r} has no ATOMIC_REQUESTS",
            hint="Outside of a transaction a change is committed before its event; a process that dies in between leaves it without one. "
            "Set ATOMIC_REQUESTS, or use transaction.atomic(), and silence this warning.",
            id="logbook_django.W001",
        )
        for alias in loose
    ]
