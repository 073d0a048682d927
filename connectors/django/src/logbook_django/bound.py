"""The bound of the outbox. Counting its rows for each event would be slow, so each process looks only now and then."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F

from .conf import config
from .models import OutboxEvent, OutboxState

logger = logging.getLogger("logbook_django")

# A process looks after 1 % of the bound in new rows, or this many seconds.
LOOK_SECONDS = 5.0
# How long "full" is believed.
FULL_SECONDS = 1.0
# Rows that one transaction drops at most.
DROP_ROWS = 10_000


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
    """Drops the oldest rows beyond OUTBOX_MAX_ROWS, in a transaction of its own, where WHEN_FULL says so and it is time to look."""
    settings = config()
    gauge = _gauge(connection)
    if settings.when_full != "drop_oldest" or not gauge.is_due(settings.outbox_max_rows):
        return
    rows = count_from(connection.alias, settings.outbox_max_rows + 1)
    gauge.looked(False)
    if rows > settings.outbox_max_rows:
        # One per cent more, so that the next row does not come here again.
        dropped = drop_oldest(connection.alias, rows - settings.outbox_max_rows + settings.outbox_max_rows // 100)
        logger.error("the outbox of the database %r is full: dropped its %d oldest events", connection.alias, dropped)


def count_from(alias: str, least: int) -> int:
    """The number of rows, exactly from `least` on; below it, an upper bound that two look-ups in the primary key give."""
    ids = OutboxEvent.objects.using(alias).values_list("id", flat=True)
    first = ids.order_by("id").first()
    if first is None:
        return 0
    upper = ids.order_by("-id").first() - first + 1
    return upper if upper < least else OutboxEvent.objects.using(alias).count()


def drop_oldest(alias: str, count: int) -> int:
    """Deletes the oldest `count` rows that have no number yet, remembers how many and from when, and returns how many."""
    with transaction.atomic(using=alias):
        state = locked_state(alias)
        waiting = OutboxEvent.objects.using(alias).filter(sequence=None)
        oldest = list(waiting.order_by("id").values_list("id", "created_at")[: min(count, DROP_ROWS)])
        if not oldest:
            return 0
        dropped = waiting.filter(id__lte=oldest[-1][0])._raw_delete(alias)
        times = [created_at for _, created_at in oldest]
        state.dropped += dropped
        state.dropped_from = min([*times, *filter(None, [state.dropped_from])])
        state.dropped_to = max([*times, *filter(None, [state.dropped_to])])
        state.save(using=alias, update_fields=["dropped", "dropped_from", "dropped_to"])
    return dropped


def locked_state(alias: str) -> OutboxState:
    """The state row, locked until the transaction ends. It is made where it is missing, with a new epoch.

    An UPDATE locks on every database. On SQLite it has to be the first statement: a transaction that has read cannot always write.
    """
    states = OutboxState.objects.using(alias)
    if not states.filter(pk=1).update(sequence=F("sequence")):
        states.get_or_create(pk=1, defaults={"epoch": new_epoch()})
        states.filter(pk=1).update(sequence=F("sequence"))
    return states.get(pk=1)


def new_epoch() -> str:
    """A name for a run of the counter."""
    return uuid.uuid4().hex[:16]
