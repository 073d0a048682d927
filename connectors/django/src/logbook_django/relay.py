"""The relay: numbers committed rows of an outbox, sends them to Logbook, and deletes what Logbook has.

    app          BEGIN  insert row  COMMIT
    relay          claim the lease -> number a batch, COMMIT -> send -> 2xx -> delete the batch
                                                       |        |
                                       killed here: the next relay finds the numbers and sends the same batch again;
                                       Logbook knows its dedupe keys and stores nothing twice

A row that commits late gets a later number, since only committed rows are numbered. One relay works at a time: it holds a lease in the
state row, by the database's clock. The lease saves work; what keeps the numbers right is that numbering locks the state row and checks
its owner.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import connections, transaction
from django.db.models import F, Q
from django.db.models.functions import Length, Now
from django.utils import timezone
from logbook_producer.transport import Misconfigured, Received, Refused, TooLarge, Transport, Unavailable

from . import bound, events
from .bound import locked_state, new_epoch
from .conf import Config, config
from .models import OutboxEvent, OutboxState

logger = logging.getLogger("logbook_django")

# Between tries while Logbook cannot be reached: doubled from the first to the second, and varied so that relays do not come all at once.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# The longest that Logbook, or a proxy before it, may ask to wait: nobody can wake a relay that waits.
LONGEST_RETRY_AFTER = 300.0
# Between tries while the configuration is wrong.
MISCONFIGURED_PAUSE = 60.0


@dataclass(frozen=True)
class Outbox:
    """An outbox to send from.

    `using` is the database. `activate` returns a context manager in which this outbox is the current one: of a tenant's schema.
    `settings` has URL, WORKSPACE, SOURCE or KEY where this outbox has its own.
    """

    name: str = "default"
    using: str = "default"
    activate: Callable[[], AbstractContextManager[Any]] = field(default=contextlib.nullcontext, compare=False)
    settings: dict[str, str] = field(default_factory=dict, hash=False)

    def config(self) -> Config:
        """The settings of the app with those of this outbox."""
        return replace(config(), **{name.lower(): value for name, value in self.settings.items()})


@dataclass(frozen=True)
class Step:
    """What a step did: `sent` events; `more` may wait; `wait` seconds until the next step makes sense; `error` where it failed."""

    sent: int = 0
    more: bool = False
    wait: float = 0.0
    error: str | None = None
    standby: bool = False


def outboxes() -> list[Outbox]:
    """The outboxes to send from: those of the setting OUTBOXES, else one for each of DATABASES."""
    settings = config()
    if settings.outboxes:
        return list(settings.outboxes())
    return [Outbox(alias, alias) for alias in settings.databases]


def encoded(row: OutboxEvent) -> bytes:
    """A numbered row as it is sent: its JSON object with dedupe key and numbers at the end."""
    numbers = json.dumps({"dedupe_key": row.dedupe_key, "epoch": row.epoch, "sequence": row.sequence}, separators=(",", ":"))
    return f"{row.payload[:-1]},{numbers[1:]}".encode()


def replacement(row: OutboxEvent, outbox: str, status: int) -> bytes:
    """The `events_dropped` that is sent with the number of a refused row. It is made anew after a crash, so the row tells all of it."""
    moment = events.moment(row.created_at)
    event = {
        "log": "framework",
        "occurred_at": moment,
        "action": "events_dropped",
        "component": {"type": "outbox", "name": outbox},
        "error": f"something before Logbook answered {status} to this event of the {row.log} log, and lets others pass",
        "metadata": {"count": 1, "from": moment, "to": moment, "status": status},
    }
    # A caller's own key may be what is refused.
    key = uuid.uuid5(uuid.NAMESPACE_OID, row.dedupe_key)
    return encoded(OutboxEvent(payload=events.to_json(event), dedupe_key=str(key), epoch=row.epoch, sequence=row.sequence))


class Relay:
    """Sends from one outbox. Not for several threads at once."""

    def __init__(self, outbox: Outbox | None = None, transport: Any = None) -> None:
        self.outbox = outbox or Outbox()
        self.settings = self.outbox.config()
        self._transport = transport
        self.owner = uuid.uuid4().hex
        self._claimed_at: float | None = None
        # Numbered rows that Logbook may not have yet.
        self._batch: list[OutboxEvent] | None = None
        self._failures = 0
        self._heard_at: float | None = None
        # When the bound of the outbox was looked at.
        self._looked_at: float | None = None

    def step(self) -> Step:
        """One batch: claims the lease where it has to, numbers, sends, deletes. Raises only errors of the database."""
        with self.outbox.activate():
            if not self._has_lease():
                return Step(wait=self.settings.lease_seconds / 3, standby=True)
            self._keep_bound()
            # Those of another relay too, which may have had the lease for a while.
            self._batch = self._batch or self._numbered()
            if not self._batch:
                self._batch = self._number()
                if self._batch is None:  # another relay has taken the lease
                    self.forget()
                    return Step(more=True)
            try:
                return self._send() if self._batch else self._idle()
            except Unavailable as error:
                return self._failed(f"Logbook cannot be reached: {error}", min(error.retry_after or 0.0, LONGEST_RETRY_AFTER))
            except Refused as error:
                return self._failed(f"something before Logbook refuses every event: {error}", MISCONFIGURED_PAUSE, logging.ERROR)
            except Misconfigured as error:
                return self._failed(f"Logbook refuses the source's key or address: {error}", MISCONFIGURED_PAUSE, logging.ERROR)
            except TooLarge as error:
                return self._failed(f"something before Logbook has no room for any event: {error}", MISCONFIGURED_PAUSE, logging.ERROR)
            except ValueError as error:
                return self._failed(f"the configuration is wrong: {error}", MISCONFIGURED_PAUSE, logging.ERROR)

    def tend(self) -> None:
        """Looks after the bound of the outbox while the relay waits after an error. Raises only errors of the database."""
        if self.is_idle or not self._is_time_to_look():
            return
        with self.outbox.activate():
            # Another relay may try meanwhile; without one, the app knows that it need not do this itself.
            lease = Now() + timedelta(seconds=max(self.settings.lease_seconds, 3 * bound.LOOK_SECONDS))
            if self._states().filter(Q(owner=None) | Q(owner=self.owner), pk=1).update(owner=None, lease_until=lease):
                self.forget()
                self._keep_bound()

    def drain(self) -> int:
        """Steps until nothing waits, and returns how many events were sent. Raises Unavailable when one fails or another relay works."""
        sent = 0
        while (step := self.step()).more:
            sent += step.sent
        if step.error or step.standby:
            raise Unavailable(step.wait, step.error or "another relay holds the lease")
        return sent

    @property
    def is_idle(self) -> bool:
        """Whether it waits for events, not for the end of a pause after an error."""
        return not self._failures

    def forget(self) -> None:
        """Forgets what it knows of the outbox, so that the next step asks: after an error of the database, or without the lease."""
        self._claimed_at, self._batch = None, None

    def release(self) -> None:
        """Gives the lease back, so that another relay need not wait for its end."""
        if self._claimed_at is not None:
            with self.outbox.activate():
                self._states().filter(pk=1, owner=self.owner).update(owner=None, lease_until=None)
            self.forget()

    @property
    def transport(self) -> Any:
        """The way to Logbook. Raises ValueError where the settings cannot be right."""
        if self._transport is None:
            if self.settings.missing:
                raise ValueError(f"{', '.join(self.settings.missing)} is missing")
            where = (self.settings.url, self.settings.workspace, self.settings.source, self.settings.key)
            self._transport = Transport(*where, timeout=self.settings.timeout)
        return self._transport

    def _states(self) -> Any:
        return OutboxState.objects.using(self.outbox.using)

    def _events(self) -> Any:
        return OutboxEvent.objects.using(self.outbox.using)

    def _has_lease(self) -> bool:
        """Whether this relay may work: claims the lease, or extends it when a third of it is over."""
        now = time.monotonic()
        if self._claimed_at is not None and now - self._claimed_at < self.settings.lease_seconds / 3:
            return True
        if self._claimed_at is None:
            self._states().get_or_create(pk=1, defaults={"epoch": new_epoch()})
        lease = Now() + timedelta(seconds=self.settings.lease_seconds)
        free = Q(owner=None) | Q(owner=self.owner) | Q(lease_until__lt=Now())
        claimed = self._states().filter(free, pk=1).update(owner=self.owner, lease_until=lease)
        if claimed:
            self._claimed_at = now
        else:
            self.forget()
        return bool(claimed)

    def _is_time_to_look(self) -> bool:
        is_time = self._looked_at is None or time.monotonic() - self._looked_at >= bound.LOOK_SECONDS
        return is_time and self.settings.when_full == "drop_oldest"

    def _keep_bound(self) -> None:
        """Drops what is too much, now and then, where WHEN_FULL says so."""
        if not self._is_time_to_look():
            return
        self._looked_at = time.monotonic()
        max_rows = self.settings.outbox_max_rows
        if bound.most(self.outbox.using) > max_rows:
            bound.drop_excess(self.outbox.using, max_rows, bound.RELAY_ROWS)

    def _numbered(self) -> list[OutboxEvent]:
        """The numbered rows: of a batch that was just numbered, or that was not deleted before an error or a relay's end."""
        return list(self._events().filter(sequence__isnull=False).order_by("epoch", "sequence"))

    def _number(self) -> list[OutboxEvent] | None:
        """Numbers the next committed rows, in the order of their ids. None when another relay has the lease."""
        waiting = self._events().filter(sequence=None).order_by("id")
        if not waiting.exists():
            return []
        with transaction.atomic(using=self.outbox.using):
            state = locked_state(self.outbox.using)
            if state.owner != self.owner:
                return None
            if state.dropped:
                self._tell_dropped(state)
            size, last = 0, None
            for row_id, length in waiting.values_list("id", Length("payload"))[: self.settings.batch_events]:
                size += length
                if last is not None and size > self.settings.batch_bytes:
                    break
                last = row_id
            if last is not None:
                state.sequence += self._number_up_to(last, state)
            state.save(using=self.outbox.using, update_fields=["sequence", "dropped", "dropped_from", "dropped_to"])
        return self._numbered()

    def _number_up_to(self, last: int, state: OutboxState) -> int:
        """Numbers the rows that have no number and an id up to `last`, in one statement, and returns how many."""
        connection = connections[self.outbox.using]
        table = connection.ops.quote_name(OutboxEvent._meta.db_table)
        ranked = f"SELECT id, row_number() OVER (ORDER BY id) AS place FROM {table} WHERE sequence IS NULL AND id <= %s"
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET epoch = %s, sequence = %s + ranked.place FROM ({ranked}) AS ranked WHERE {table}.id = ranked.id",
                (state.epoch, state.sequence, last),
            )
            return cursor.rowcount

    def _tell_dropped(self, state: OutboxState) -> None:
        """Writes the numbered row of an event that tells of dropped ones. They get numbers too, so that Logbook sees them missing."""
        first = state.sequence + 1
        state.sequence += state.dropped + 1
        span = {"from": events.json_value(state.dropped_from), "to": events.json_value(state.dropped_to)}
        numbers = {"epoch": state.epoch, "first_sequence": first, "last_sequence": state.sequence - 1}
        event = {
            "log": "framework",
            "occurred_at": events.now(),
            "action": "events_dropped",
            "component": {"type": "outbox", "name": self.outbox.name},
            "error": f"the outbox was full: its {state.dropped} oldest events were dropped",
            "metadata": {"count": state.dropped, **span, **numbers},
        }
        state.dropped, state.dropped_from, state.dropped_to = 0, None, None
        self._events().create(
            dedupe_key=str(uuid.uuid4()), log="framework", payload=events.to_json(event), epoch=state.epoch, sequence=state.sequence
        )

    def _send(self) -> Step:
        """Sends the batch, and deletes it when Logbook has it."""
        rows = self._batch
        try:
            received = self.transport.send_encoded([encoded(row) for row in rows])
        except (TooLarge, Refused) as error:
            return self._replace(rows, error)
        return self._sent(rows, received)

    def _sent(self, rows: list[OutboxEvent], received: Received) -> Step:
        """Deletes rows that Logbook has, which are the first of the batch."""
        with transaction.atomic(using=self.outbox.using):
            self._states().filter(pk=1).update(sent=F("sent") + len(rows), last_sent_at=timezone.now())
            self._events().filter(id__in=[row.id for row in rows])._raw_delete(self.outbox.using)
        self._batch = self._batch[len(rows) :]
        self._reached()
        last = rows[-1]
        logger.debug("%s: sent %d events, up to sequence %d of epoch %s", self.outbox.name, len(rows), last.sequence, last.epoch)
        if received.rejected:
            logger.error("%s: Logbook took %d events into the source's quarantine", self.outbox.name, received.rejected)
        return Step(sent=len(rows), more=True)

    def _replace(self, rows: list[OutboxEvent], error: TooLarge | Refused) -> Step:
        """Sends `events_dropped` in the place of an event that something before Logbook refuses, so that others need not wait behind it.

        The event is given up when Logbook has the other one. Where that is refused too, all events are, and all of them wait.
        """
        row = rows[error.index]
        status = 413 if isinstance(error, TooLarge) else error.status
        received = self.transport.send_encoded([replacement(row, self.outbox.name, status)])
        what = f"an event of {len(row.payload)} characters for the {row.log} log, dedupe key {row.dedupe_key}"
        logger.error("%s: dropped %s: something before Logbook refuses it: %s", self.outbox.name, what, error)
        return self._sent(rows[: error.index + 1], error.received.plus(received))

    def _idle(self) -> Step:
        """Nothing waits: says from time to time that the source is alive, and how far it has counted."""
        now = time.monotonic()
        if self._heard_at is None or now - self._heard_at >= self.settings.heartbeat_seconds:
            state = self._states().get(pk=1)
            self.transport.heartbeat(state.epoch, state.sequence)
            self._reached()
        return Step(wait=self.settings.poll_seconds)

    def _reached(self) -> None:
        """Notes that Logbook answered, and says so where it did not before."""
        if self._heard_at is None or self._failures:
            logger.info("%s: connected to %s, source %s", self.outbox.name, self.settings.url, self.settings.source)
            self._states().filter(pk=1).update(last_error=None, last_error_at=None)
        self._failures, self._heard_at = 0, time.monotonic()

    def _failed(self, error: str, least: float = 0.0, level: int = logging.WARNING) -> Step:
        """Notes the error for `logbook_status`, and says how long to wait: as Logbook asks, else longer each time."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1.0)
        self._failures += 1
        wait = max(pause, least)
        self._states().filter(pk=1).update(last_error=error[:2000], last_error_at=timezone.now())
        logger.log(level, "%s: %s; the events wait in the outbox, next try in %.1f s", self.outbox.name, error, wait)
        return Step(error=error, wait=wait)
