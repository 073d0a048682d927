"""Logbook for Zango: the three logs of each app, live, without a change to Zango's code.

Put "logbook_django.zango" into INSTALLED_APPS after Zango's apps; docs/guides/zango.md has the whole setup.

    access       sign-ins and their failures, locked accounts, switched roles, ended sessions, of the apps and of the App Panel
    application  every row of Zango's audit log about the app's own models, bulk operations, many-to-many changes
    framework    every other row of the audit log, synced policies and tasks, packages, releases, apps, failed tasks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..relay import Outbox


def gate(using: str) -> bool:
    """Whether events of the current tenant are recorded: the default of LOGBOOK["GATE"] in a Zango project."""
    from . import tenants

    return tenants.gate(using)


def outboxes() -> list[Outbox]:
    """The outboxes of all tenants and of the platform: the default of LOGBOOK["OUTBOXES"] in a Zango project."""
    from . import tenants

    return tenants.outboxes()
