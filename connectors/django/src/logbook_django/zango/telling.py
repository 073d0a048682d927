"""Recording what a hook saw: in the transaction of the deed, or apart from it where the deed may be rolled back."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable

from django.db import connections, transaction
from django_tenants.utils import get_tenant_database_alias, schema_context

from ..outbox import guarded, record
from .tenants import current_schema

# How long a deed that failed waits for its event to be written. Only in a full outbox may it need what the first connection holds.
APART_SECONDS = 10.0


def tell(log: str, event: dict, schema: str | None = None) -> None:
    """Records an event in the current transaction, into the outbox of a schema; by default the current one."""
    using = get_tenant_database_alias()
    if schema is None or schema == current_schema():
        record(log, event, using)
        return
    with schema_context(schema):
        record(log, event, using)


def tell_apart(log: str, event: dict, schema: str | Callable[[], str | None] | None = None) -> None:
    """Records an event in a transaction of its own: that something failed is known also when all that it did is rolled back.

    The running transaction may be broken, and then the database answers nothing more in it: a function that finds the schema is called
    apart too.
    """
    current = current_schema()
    context = contextvars.copy_context()

    def write() -> None:
        tell(log, event, (schema() if callable(schema) else schema) or current)

    # A thread has a connection of its own.
    thread = threading.Thread(target=context.run, args=(_apart, write), name="logbook-apart", daemon=True)
    thread.start()
    thread.join(APART_SECONDS)


def _apart(write: Callable[[], None]) -> None:
    connection = connections[get_tenant_database_alias()]
    try:
        with guarded("an event apart from its transaction"), transaction.atomic(using=connection.alias):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            write()
    finally:
        connection.close()
