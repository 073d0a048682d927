"""The bound of the outbox. Counting its rows for each event would be slow, so each process looks only now and then."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.db.models.functions import Now

from .conf import config
from .models import OutboxEvent, OutboxState

logger = logging.getLogger("logbook_django")

# A process looks after 1 % of the bound in new rows, or this many seconds.
LOOK_SECONDS = 5.0
# How long "full" is believed.
FULL_SECONDS = 1.0
# Rows that are dropped at most: in one transaction, which locks out others; after a commit of the app; and by a relay.
DROP_ROWS, APP_ROWS, RELAY_ROWS = 1_000, 10_000, 100_000

# Between such transactions of a relay.
GIVE_WAY_SECONDS = 0.02


class OutboxFull(RuntimeError):
    """The outbox has OUTBOX_MAX_ROWS rows, and WHEN_FULL is "block": the change must not be made without its event."""


@dataclass
class Gauge:
    """What this process knows about the size of one outbox."""

    written: int = 0
    looked_at: float = 0.0
    full: bool = False

    def is_due(self, max_rows: int) -> bool:
        """Whether it is time to look again."""
        age = time.monotonic() - self.looked_at
        if self.full:
            return age >= FULL_SECONDS
        return self.written >= max(1, max_rows // 100) or (self.written > 0 and age >= LOOK_SECONDS)

    def looked(self, full: bool) -> None:
        """Notes what was found."""
        self.written, self.looked_at, self.full = 0, time.monotonic(), full


_gauges: dict[tuple[str, str | None], Gauge] = {}


def schema_of(connection: BaseDatabaseWrapper) -> str | None:
    """The tenant's schema where django-tenants sets one: each has an outbox of its own."""
    return getattr(connection, "schema_name", None)


def _gauge(connection: BaseDatabaseWrapper) -> Gauge:
    return _gauges.setdefault((connection.alias, schema_of(connection)), Gauge())


def wrote(connection: BaseDatabaseWrapper) -> None:
    """Notes a written row."""
    _gauge(connection).written += 1


def refuse_if_full(connection: BaseDatabaseWrapper) -> None:
    """Raises OutboxFull when the outbox has OUTBOX_MAX_ROWS rows, as far as this process knows: within 1 % and a few seconds."""
    max_rows = config().outbox_max_rows
    gauge = _gauge(connection)
    if gauge.is_due(max_rows) or not gauge.looked_at:
        gauge.looked(count_from(connection.alias, max_rows) >= max_rows)
    if gauge.full:
        raise OutboxFull(
            f"the outbox of the database {connection.alias!r} has {max_rows} events that Logbook has not taken; "
            "WHEN_FULL is 'block', so nothing is changed without its event: see manage.py logbook_status"
        )


def drop_if_full(connection: BaseDatabaseWrapper) -> None:
    """Drops the oldest rows beyond OUTBOX_MAX_ROWS, where WHEN_FULL says so, it is time to look, and no relay looks after the outbox.

    It runs in the app's own work, after a commit, and counting a million rows takes some time.
    """
    settings = config()
    gauge = _gauge(connection)
    if settings.when_full != "drop_oldest" or not gauge.is_due(settings.outbox_max_rows):
        return
    gauge.looked(False)
    alias = connection.alias
    if most(alias) > settings.outbox_max_rows and not OutboxState.objects.using(alias).filter(pk=1, lease_until__gt=Now()).exists():
        drop_excess(alias, settings.outbox_max_rows, APP_ROWS, wait=False)


def count_from(alias: str, least: int) -> int:
    """The number of rows, exactly from `least` on; below it, an upper bound."""
    upper = most(alias)
    return upper if upper < least else OutboxEvent.objects.using(alias).count()


def most(alias: str) -> int:
    """The most rows that there can be. Two look-ups in the primary key give it; what was rolled back left holes."""
    ids = OutboxEvent.objects.using(alias).values_list("id", flat=True)
    first = ids.order_by("id").first()
    return 0 if first is None else ids.order_by("-id").first() - first + 1


def drop_excess(alias: str, max_rows: int, limit: int, wait: bool = True) -> int:
    """Deletes the oldest rows beyond `max_rows` that have no number yet, at most `limit`, and returns how many.

    Counting takes long, so nobody is locked out meanwhile. Whoever drops or numbers rows leaves a trace in the state, which tells under the
    lock whether the count is still good. Without `wait` it does nothing where another process has the lock.
    """
    states = OutboxState.objects.using(alias)
    before = states.filter(pk=1).values_list("dropped", "sequence").first() or (0, 0)
    excess = count_from(alias, max_rows + 1) - max_rows
    if excess <= 0:
        return 0
    # One per cent more, so that the next row does not come here again.
    left = limit = min(excess + max_rows // 100, limit)
    while left > 0:
        with transaction.atomic(using=alias):
            state = locked_state(alias, wait)
            if state is None or (state.dropped, state.sequence) != before:
                break
            dropped = _drop_oldest(alias, min(left, DROP_ROWS), state)
        if not dropped:
            break
        left -= dropped
        before = (state.dropped, state.sequence)
        if wait and left > 0:
            # SQLite has one writer, and the app is to have its turn.
            time.sleep(GIVE_WAY_SECONDS)
    if left < limit:
        logger.error("the outbox of the database %r is full: dropped its %d oldest events", alias, limit - left)
    return limit - left


def _drop_oldest(alias: str, count: int, state: OutboxState) -> int:
    """Deletes the oldest rows that have no number, remembers in the locked state how many and from when, and returns how many."""
    waiting = OutboxEvent.objects.using(alias).filter(sequence=None)
    oldest = list(waiting.order_by("id").values_list("id", "created_at")[:count])
    if not oldest:
        return 0
    dropped = waiting.filter(id__lte=oldest[-1][0])._raw_delete(alias)
    times = [created_at for _, created_at in oldest]
    state.dropped += dropped
    state.dropped_from = min([*times, *filter(None, [state.dropped_from])])
    state.dropped_to = max([*times, *filter(None, [state.dropped_to])])
    state.save(using=alias, update_fields=["dropped", "dropped_from", "dropped_to"])
    return dropped


def locked_state(alias: str, wait: bool = True) -> OutboxState | None:
    """The state row, locked until the transaction ends. It is made where it is missing, with a new epoch.

    An UPDATE locks on every database. On SQLite it has to be the first statement: a transaction that has read cannot always write. Without
    `wait` it is None where another transaction has the lock, if the database can tell.
    """
    states = OutboxState.objects.using(alias)
    if not wait and connections[alias].features.has_select_for_update_skip_locked:
        state = states.select_for_update(skip_locked=True).filter(pk=1).first()
        if state is not None or states.filter(pk=1).exists():
            return state
    if not states.filter(pk=1).update(sequence=F("sequence")):
        states.get_or_create(pk=1, defaults={"epoch": new_epoch()})
        states.filter(pk=1).update(sequence=F("sequence"))
    return states.get(pk=1)


def new_epoch() -> str:
    """A name for a run of the counter."""
    return uuid.uuid4().hex[:16]
