"""The loop around the relays of all outboxes, for the command and the thread."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Collection

from django.db import DatabaseError, InterfaceError, close_old_connections

from .relay import Outbox, Relay, Step, outboxes

logger = logging.getLogger("logbook_django")

# How often the list of outboxes is asked for again: new tenants.
OUTBOXES_SECONDS = 30.0
# A pause while the app's database does not answer.
DATABASE_SECONDS = 5.0
# The longest sleep, so that `stop` is noticed soon. A signal handler cannot wake a sleeper safely; it sets a flag.
LONGEST_SLEEP = 0.5


class Loop:
    """Sends from the outboxes, or from those in the databases `only`."""

    def __init__(self, only: Collection[str] = ()) -> None:
        self.only = only
        self.stopping = False
        self._woken = threading.Event()
        self._relays: dict[Outbox, Relay] = {}
        self._due: dict[Outbox, float] = {}
        self._listed_at: float | None = None

    def stop(self, *_: object) -> None:
        """Ends the loop after the running step. It may be a signal's handler."""
        self.stopping = True

    def wake(self) -> None:
        """Looks for events now instead of at the next poll."""
        self._woken.set()

    def forever(self) -> None:
        """Sends until `stop`."""
        try:
            while not self.stopping:
                self._list()
                if self._woken.is_set():
                    self._woken.clear()
                    # An outbox that waits after an error goes on waiting.
                    self._due.update({outbox: 0.0 for outbox, relay in self._relays.items() if relay.is_idle})
                for outbox in list(self._relays):
                    if self._due[outbox] <= time.monotonic() and not self.stopping:
                        self._due[outbox] = time.monotonic() + self._step(outbox).wait
                    else:
                        self._tend(outbox)
                pause = min(self._due.values(), default=OUTBOXES_SECONDS) - time.monotonic()
                if pause > 0:
                    self._woken.wait(min(pause, LONGEST_SLEEP))
        finally:
            self._release()

    def once(self) -> bool:
        """Sends until nothing waits or an outbox cannot be sent. Returns whether everything was sent, or another relay does so."""
        try:
            self._list()
            return all([self._finish(outbox) for outbox in self._relays])
        finally:
            self._release()

    def _finish(self, outbox: Outbox) -> bool:
        # The lease of a relay that was killed ends by itself; that of one that works is extended.
        patience = time.monotonic() + self._relays[outbox].settings.lease_seconds + 1
        while not self.stopping:
            step = self._step(outbox)
            if step.error:
                return False
            if step.standby and time.monotonic() > patience:
                logger.info("%s: another relay is at work", outbox.name)
                return True
            if step.standby:
                self._woken.wait(LONGEST_SLEEP)
            elif not step.more:
                return True
        return False

    def _step(self, outbox: Outbox) -> Step:
        try:
            return self._relays[outbox].step()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("%s: the app's database does not answer: %s", outbox.name, error)
        except Exception:
            logger.exception("%s: the relay failed", outbox.name)
        close_old_connections()
        self._relays[outbox].forget()
        return Step(error="see the log", wait=DATABASE_SECONDS)

    def _tend(self, outbox: Outbox) -> None:
        try:
            self._relays[outbox].tend()
        except Exception as error:
            logger.warning("%s: the bound of the outbox is not kept: %s", outbox.name, error)
            close_old_connections()

    def _list(self) -> None:
        """Takes outboxes that are new, and leaves those that are gone."""
        if self._listed_at is not None and time.monotonic() - self._listed_at < OUTBOXES_SECONDS:
            return
        try:
            wanted = [outbox for outbox in outboxes() if not self.only or outbox.using in self.only]
        except Exception:
            logger.exception("the list of outboxes cannot be read")
            close_old_connections()
            wanted = list(self._relays)
        self._listed_at = time.monotonic()
        for outbox in set(self._relays) - set(wanted):
            with contextlib.suppress(Exception):
                self._relays[outbox].release()
            del self._relays[outbox], self._due[outbox]
        for outbox in wanted:
            if outbox not in self._relays:
                self._relays[outbox] = Relay(outbox)
                self._due[outbox] = 0.0

    def _release(self) -> None:
        for relay in self._relays.values():
            with contextlib.suppress(Exception):
                relay.release()
