"""The thread that sends what waits, in order, and never gives up."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from datetime import datetime, timezone

from .backlog import Backlog, Batch, SpoolFull, Waiting
from .transport import Misconfigured, Received, Refused, TooLarge, Transport, Unavailable

log = logging.getLogger("logbook_producer")

# All in seconds. Requests begin so far apart, unless a full batch waits: events gather in between.
PACE = 0.1
# How long to wait after an error, twice as long each time.
FIRST_RETRY, LAST_RETRY = 0.5, 30.0
# How often it is looked whether another process has died.
ADOPT_EVERY = 10.0
# When an error that goes on is logged again.
TELL_EVERY = 600.0


class Sender:
    """Sends the events of a backlog.

    `heartbeat` is how long nothing is sent until Logbook is told that the producer is alive.
    """

    def __init__(self, backlog: Backlog, transport: Transport, heartbeat: float) -> None:
        self.received = Received()
        # Events that cannot be sent: kept aside, and lost for want of room.
        self.set_aside = self.lost = 0
        self.last_sent_at: datetime | None = None
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        self._backlog = backlog
        self._transport = transport
        self._heartbeat = heartbeat
        # What is sent until it is acknowledged, the same each time.
        self._batch: tuple[Waiting, Batch, list[bytes]] | None = None
        self._turn = 0
        self._next_adoption = self._next_heartbeat = 0.0
        self._failures = 0
        self._told: tuple[type, float] | None = None
        self._stopping = False
        # The time for stopping is over.
        self._given_up = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._progress = threading.Condition()

    @property
    def failing(self) -> bool:
        """Whether the last request failed."""
        return self._failures > 0

    def wake(self) -> None:
        """Something waits. Starts the thread when it does not run yet."""
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None and not self._stopping:
                    thread = threading.Thread(target=self._run, name="logbook-producer", daemon=True)
                    try:
                        thread.start()
                        self._thread = thread
                    except RuntimeError as error:
                        # No more threads, or the interpreter is ending. What waits is tried with the next event.
                        self._failed(error)

    def flush(self, timeout: float) -> bool:
        """Waits until Logbook has everything that waits now. False after `timeout` seconds."""
        goals = [(run, run.written) for run in self._backlog.runs()]
        self._hurry.set()
        self.wake()
        with self._progress:
            return self._progress.wait_for(lambda: all(run.sent >= goal for run, goal in goals), timeout)

    def stop(self, timeout: float) -> None:
        """Sends what waits, for at most `timeout` seconds, and ends the thread.

        With a spool on disk the first error ends it: the next process sends what waits.
        """
        self._stopping = True
        self._hurry.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)
            self._given_up = True

    def abandon(self) -> None:
        """In a forked child, which has no copy of the thread."""
        self._transport.abandon()

    def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause, rest = self.step()
            except Exception as error:
                # A disk that cannot be read, or a mistake of ours: neither may end the thread.
                log.debug("logbook: in the sending thread", exc_info=True)
                pause, rest = self._failed(error), 0.0
            if self._stopping:
                if self._given_up or (self._backlog.on_disk and self._failures) or not self._backlog.waiting_bytes():
                    break
                pause = min(pause, FIRST_RETRY)
            if pause:
                self._hurry.wait(pause)
            self._hurry.clear()
            if rest:
                self._wake.wait(rest)
        self._transport.close()

    def step(self) -> tuple[float, float]:
        """Sends one batch. Returns for how many seconds to pause, and for how many to rest if no event comes."""
        now = time.monotonic()
        if now >= self._next_adoption:
            self._next_adoption = now + ADOPT_EVERY
            if adopted := self._backlog.adopt():
                log.info("logbook: took over the events of %d processes that ended", adopted)
        # Read before it is known that nothing waits: a heartbeat must not count what is written meanwhile.
        sequence = self._backlog.sequence
        self._batch = self._batch or self._next_batch()
        try:
            if self._batch:
                is_full = self._send(*self._batch)
            elif now >= self._next_heartbeat:
                self._transport.heartbeat(self._backlog.epoch, sequence)
        except (Unavailable, Misconfigured) as error:
            return self._failed(error), 0.0
        if self._failures:
            log.info("logbook: Logbook is reachable again")
        self._failures, self._told = 0, None
        if self._batch or now >= self._next_heartbeat:
            self._next_heartbeat = now + self._heartbeat
        if self._batch:
            self._batch = None
            return (0.0 if is_full else PACE), 0.0
        self._backlog.forget_finished()
        return 0.0, max(0.01, min(self._next_heartbeat, self._next_adoption) - now)

    def _next_batch(self) -> tuple[Waiting, Batch, list[bytes]] | None:
        """The runs take turns, so that the long backlog of a dead process does not hold up what happens now."""
        runs = self._backlog.runs()
        self._turn += 1
        for index in range(len(runs)):
            run = runs[(self._turn + index) % len(runs)]
            if batch := run.batch():
                return run, batch, list(batch.events)
        return None

    def _send(self, run: Waiting, batch: Batch, events: list[bytes]) -> bool:
        """Sends a batch and returns whether more waits in its run. Raises as the transport."""
        while events:
            try:
                received = self._transport.send_encoded(events)
            except (TooLarge, Refused) as error:
                why = f"is refused on its way ({error})" if isinstance(error, Refused) else "is too large to be sent"
                self._set_aside(events[error.index], why)
                # Those before it are durable.
                del events[: error.index + 1]
                self._count(error.received)
            else:
                self._count(received)
                break
        run.done(batch)
        self.last_sent_at = datetime.now(timezone.utc)
        with self._progress:
            self._progress.notify_all()
        return run.written - run.sent >= len(batch.events)

    def _set_aside(self, event: bytes, why: str) -> None:
        """Keeps an event that cannot be sent. May raise OSError; then it is tried again."""
        name = json.loads(event).get("dedupe_key")
        try:
            self._backlog.set_aside(event)
        except SpoolFull as error:
            self.lost += 1
            self._note(f"the event {name}, of {len(event)} bytes, {why}; it is lost: {error}")
            log.error("logbook: %s", self.last_error)
        else:
            self.set_aside += 1
            log.error("logbook: the event %s, of %d bytes, %s; it was set aside", name, len(event), why)

    def _note(self, error: str) -> None:
        self.last_error = error
        self.last_error_at = datetime.now(timezone.utc)

    def _count(self, received: Received) -> None:
        self.received = self.received.plus(received)
        if received.rejected:
            log.warning("logbook: %d events could not be read; they are in the source's quarantine", received.rejected)

    def _failed(self, error: Exception) -> float:
        """Notes an error and returns for how many seconds to pause."""
        self._failures += 1
        self._note(str(error) or type(error).__name__)
        now = time.monotonic()
        if self._told is None or self._told[0] is not type(error) or now - self._told[1] > TELL_EVERY:
            self._told = (type(error), now)
            if isinstance(error, Unavailable):
                log.warning("logbook: Logbook cannot be reached, events wait: %s", error)
            else:
                log.error("logbook: events cannot be sent and wait: %s", error)
        if isinstance(error, Misconfigured):
            return LAST_RETRY
        pause: float = min(LAST_RETRY, FIRST_RETRY * 2 ** min(self._failures - 1, 10))
        if isinstance(error, Unavailable) and error.retry_after is not None:
            return min(max(error.retry_after, FIRST_RETRY), 10 * LAST_RETRY)
        # Many producers that lost Logbook at once do not come back at once.
        return pause * random.uniform(0.5, 1.0)
