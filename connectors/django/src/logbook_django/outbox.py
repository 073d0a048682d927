"""Writing to the outbox: one INSERT in the transaction of the data, which never fails the app's own work."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from . import bound, events
from .conf import config
from .context import current, is_muted
from .models import OutboxEvent
from .requests import request_actor, request_fields, request_role

logger = logging.getLogger("logbook_django")

LOGS = ("access", "application", "framework")
SAVEPOINT = "logbook_outbox"


class _Lost:
    """Events of this process that could not be recorded and that no event tells of yet."""

    lock = threading.Lock()
    count = 0
    error = ""

    @classmethod
    def add(cls, count: int) -> None:
        with cls.lock:
            cls.count += count

    @classmethod
    def take(cls) -> int:
        """Their number, which nobody else takes too."""
        with cls.lock:
            count, cls.count = cls.count, 0
        return count

    @classmethod
    def forked(cls) -> None:
        """What the parent lost, the parent tells."""
        cls.lock, cls.count = threading.Lock(), 0


os.register_at_fork(after_in_child=_Lost.forked)


def record(log: str, event: dict[str, Any], using: str | None = None) -> bool:
    """Writes an event to the outbox of the database `using`, in its current transaction: rolled back with it, sent after its commit.

    `log` is "access", "application" or "framework"; `event` has Logbook's own fields. Where it leaves them out, it gets the present time,
    and actor, address, user agent, session, correlation id and so on from the running request, task or `acting` block.

    Logbook stores one event with a `dedupe_key`, which is made up where the event has none. With a key of your own, give `occurred_at` too:
    an event that comes again is the same one then, and is stored once. With another time it is another event, which Logbook rejects: it is
    in the quarantine of the source.

    Returns whether a row was written: not without configuration, inside `muted()`, or after an error, which is logged.
    Raises OutboxFull where WHEN_FULL is "block"; then, and with RAISE, it raises other errors too.
    """
    settings = config()
    if not settings.enabled or is_muted():
        return False
    with guarded(f"{log} event"):
        if log not in LOGS:
            raise ValueError(f"there is no log {log!r}; there are {', '.join(LOGS)}")
        alias = using or settings.databases[0]
        if settings.gate is not None and not settings.gate(alias):
            return False
        connection = connections[alias]
        whole = fill(log, event)
        dedupe_key = str(whole.pop("dedupe_key", None) or uuid.uuid4())[:255]
        payload = events.to_json(whole)
        if settings.when_full == "block":
            bound.refuse_if_full(connection)
        _insert(connection, (timezone.now(), dedupe_key, log, payload))
        return True
    return False


arecord = sync_to_async(record)


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """An error inside the block is logged and counted instead of raised, so that it does not fail the app's work.

    OutboxFull is raised. Every error is where WHEN_FULL is "block", since no change may go without its event then, and with RAISE.
    """
    try:
        yield
    except bound.OutboxFull:
        raise
    except Exception as error:
        settings = config()
        if settings.raise_errors or settings.when_full == "block":
            raise
        _Lost.error = type(error).__name__
        _Lost.add(1)
        logger.exception("could not record: %s", what)


def fill(log: str, event: dict[str, Any]) -> dict[str, Any]:
    """The event with log, time, and what the context knows and the event does not say."""
    context = current()
    request = context.request
    known = request_fields(request)
    for name in ("ip_address", "user_agent", "session_id", "correlation_id", "on_behalf_of", "purpose"):
        value = getattr(context, name)
        if value is not None:
            known[name] = value
    if log != "access":
        if "actor" not in event:
            known["actor"] = context.actor or (request_actor(request) if request is not None else None)
        if "role" not in event:
            known["role"] = context.role or (request_role(request) if request is not None else None)
    return {"log": log, "occurred_at": events.now(), **known, **event}


@lru_cache(maxsize=16)
def _insert_sql(vendor: str, quoted_table: str) -> str:
    return f"INSERT INTO {quoted_table} (created_at, dedupe_key, log, payload) VALUES (%s, %s, %s, %s)"


def _insert(connection: BaseDatabaseWrapper, row: tuple) -> None:
    """Inserts the row, with a savepoint only where a failure could break the app's transaction.

    On PostgreSQL a failed statement spoils its transaction, so the first row of each transaction has a savepoint. Later ones need none: the
    first one has locked the table against any change until the transaction ends, so what worked once works again. Savepoints are not free:
    more than 64 in a transaction slow down all others.
    """
    sql = _insert_sql(connection.vendor, connection.ops.quote_name(OutboxEvent._meta.db_table))
    params = (connection.ops.adapt_datetimefield_value(row[0]), *row[1:])
    is_first = not _has_hook(connection)
    with connection.cursor() as cursor:
        if not (is_first and connection.vendor == "postgresql" and not connection.get_autocommit()):
            cursor.execute(sql, params)
        else:
            _insert_after_savepoint(connection, cursor, sql, params)
    bound.wrote(connection)
    # In manual transaction management nobody says when something is committed: the relay finds it.
    if is_first and (connection.in_atomic_block or connection.get_autocommit()):
        _add_hook(connection)


def _insert_after_savepoint(connection: BaseDatabaseWrapper, cursor: Any, sql: str, params: tuple) -> None:
    """The INSERT between SAVEPOINT and RELEASE, in one round trip where the driver can send several statements at once."""
    statements = (f"SAVEPOINT {SAVEPOINT}", sql, f"RELEASE SAVEPOINT {SAVEPOINT}")
    try:
        if connection.settings_dict["OPTIONS"].get("server_side_binding"):
            for statement in statements:
                cursor.execute(statement, params if statement is sql else None)
        else:
            cursor.execute("; ".join(statements), params)
    except Exception:
        cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}; RELEASE SAVEPOINT {SAVEPOINT}")
        raise


def _has_hook(connection: BaseDatabaseWrapper) -> bool:
    """Whether this transaction has a row that still stands.

    Django drops the hooks of a savepoint that is rolled back, and with it the row's lock on the table goes: so the hook is the mark.
    """
    place, hook, schema = getattr(connection, "_logbook_hook", (0, None, None))
    hooks = connection.run_on_commit
    if hook is None or schema != bound.schema_of(connection):
        return False
    if place < len(hooks) and hooks[place][1] is hook:
        return True
    return any(entry[1] is hook for entry in hooks)


def _add_hook(connection: BaseDatabaseWrapper) -> None:
    schema = bound.schema_of(connection)
    hook = partial(_after_commit, connection.alias, schema)
    connection._logbook_hook = (len(connection.run_on_commit), hook, schema)
    connection.on_commit(hook, robust=True)


def _after_commit(alias: str, schema: str | None) -> None:
    """After each transaction with events: wakes the relay, drops what is too much, and tells what was lost."""
    if config().relay == "thread":
        from . import thread

        thread.wake()
    connection = connections[alias]
    # The app has gone on to another tenant: its own transactions look after it.
    if bound.schema_of(connection) != schema:
        return
    bound.drop_if_full(connection)
    _tell_lost(alias)


def _tell_lost(alias: str) -> None:
    """Records how many events could not be recorded; it is tried again after the next transaction where that cannot be recorded either."""
    count = _Lost.take()
    if not count:
        return
    error = f"{count} events could not be recorded, the last for {_Lost.error}: the log of the app says why"
    event = {"action": "events_lost", "component": {"type": "outbox"}, "error": error, "metadata": {"count": count}}
    is_told = False
    try:
        is_told = record("framework", event, alias)
    finally:
        if not is_told:
            _Lost.add(count)
