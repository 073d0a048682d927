"""`Logbook`: what an app writes its events to."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import secrets
import threading
import time
import weakref
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal

from .backlog import Backlog, MemorySpool, SpoolFull
from .producer import Producer
from .sender import TELL_EVERY, Sender
from .transport import Received, Transport

log = logging.getLogger("logbook_producer")

ENVIRONMENT = {name: f"LOGBOOK_{name.upper()}" for name in ("url", "workspace", "source", "key", "spool")}


@dataclass(frozen=True)
class Status:
    """How a producer is. Counts begin with the process."""

    enabled: bool
    """False: it is not known where to send, and nothing is kept."""
    on_disk: bool
    """Whether events wait on disk, and stay when the process is killed."""
    waiting: int
    """Events that wait, with those that were taken over from dead processes."""
    waiting_bytes: int
    oldest: datetime | None
    """When the first event that waits happened."""
    accepted: int
    duplicates: int
    """Events that Logbook had already: they were sent again because its answer was lost."""
    rejected: int
    """Events in the quarantine of the source."""
    set_aside: int
    """Events that are too large to be sent, or that a firewall before Logbook refuses: they are in `set-aside.ndjson` of the
    spool."""
    dropped: int
    """Events that could not be kept, or set aside. Logbook reports the gap."""
    unreadable: int
    """Damaged lines of the spool, as a kill in the middle of a write leaves one. No such event was acknowledged."""
    failing: bool
    """Whether the last request failed."""
    last_sent_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    epoch: str
    sequence: int
    """The last one that was given to an event."""


class Logbook(Producer):
    """Writes events to a spool and sends them in the background. Threads may share it; so may tasks of asyncio.

        logbook = Logbook(spool="/var/lib/app/logbook")    # the rest from LOGBOOK_URL, _WORKSPACE, _SOURCE, _KEY
        logbook.access({"event_type": "login", "user": {"id": "17", "name": "Asha Rao"}})

    Without an address, workspace, source or key it warns once and does nothing. No method raises because Logbook is out of
    reach.

    `spool` is a folder on a local disk; several processes may share it. None: events wait in memory, and those that wait
    are lost when the process is killed.
    `durable`: an event is kept once it survives the end of the `process`, or the loss of power (`disk`). The latter waits
    for the disk, some milliseconds: in a coroutine use `await asyncio.to_thread(logbook.access, event)`.
    `when_full`: what to do with an event for which there is no room, on disk or within `max_bytes`. `drop` counts it, logs
    an error and leaves a gap in the sequence, which Logbook reports; the call returns False. `raise` raises `SpoolFull` or
    another OSError, for an app that must not act without a record.
    `timeout` of a request and `heartbeat` are in seconds.
    """

    def __init__(
        self,
        url: str | None = None,
        workspace: str | None = None,
        source: str | None = None,
        key: str | None = None,
        spool: str | os.PathLike[str] | None = None,
        *,
        durable: Literal["process", "disk"] = "process",
        when_full: Literal["drop", "raise"] = "drop",
        max_bytes: int = 256 * 1024 * 1024,
        timeout: float = 10.0,
        heartbeat: float = 60.0,
    ) -> None:
        if durable not in ("process", "disk") or when_full not in ("drop", "raise"):
            raise ValueError("durable is process or disk, when_full is drop or raise")
        given = {"url": url, "workspace": workspace, "source": source, "key": key, "spool": spool}
        settings = {name: given[name] or os.environ.get(ENVIRONMENT[name], "").strip() for name in given}
        missing = [ENVIRONMENT[name] for name in ("url", "workspace", "source", "key") if not settings[name]]
        self._settings = settings
        self._durable = durable
        self._when_full = when_full
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._heartbeat = heartbeat
        self._enabled = not missing
        self._closed = False
        self._begin()
        if missing:
            log.warning("logbook: events are not recorded, since %s is not set", " and ".join(missing))
            return
        _living.add(self)
        atexit.register(self.close)
        self._sender.wake()

    def _begin(self) -> None:
        """Begins an epoch: at the start, and again in a forked child."""
        self._dropped = 0
        self._told_at = -TELL_EVERY
        self._counting = threading.Lock()
        epoch = secrets.token_hex(16)
        self._backlog: Backlog
        if not self._enabled:
            self._backlog = MemorySpool(epoch, max_bytes=0)
            return
        url, workspace, source, key = (str(self._settings[name]) for name in ("url", "workspace", "source", "key"))
        transport = Transport(url, workspace, source, key, self._timeout)
        on_disk = self._settings["spool"] and os.name == "posix"
        if self._settings["spool"] and not on_disk:
            log.warning("logbook: a spool needs Unix; events wait in memory")
        if on_disk:
            from .spool import Spool  # of Unix alone

            folder = Path(self._settings["spool"]).absolute() / "python" / workspace / source
            self._backlog = Spool(folder, epoch, max_bytes=self._max_bytes, sync=self._durable == "disk")
        else:
            self._backlog = MemorySpool(epoch, max_bytes=self._max_bytes)
        self._sender = Sender(self._backlog, transport, self._heartbeat)

    def status(self) -> Status:
        """How it is now. It may read the first line of what waits from disk."""
        runs = self._backlog.runs()
        times = [_occurred_at(run.oldest()) for run in runs]
        sender = self._sender if self._enabled else None
        received = sender.received if sender else Received()
        return Status(
            enabled=self._enabled,
            on_disk=self._backlog.on_disk,
            waiting=sum(max(0, run.written - run.sent) for run in runs),
            waiting_bytes=self._backlog.waiting_bytes(),
            oldest=min((time for time in times if time), default=None),
            accepted=received.accepted,
            duplicates=received.duplicates,
            rejected=received.rejected,
            set_aside=sender.set_aside if sender else 0,
            dropped=self._dropped + (sender.lost if sender else 0),
            unreadable=self._backlog.unreadable,
            failing=sender.failing if sender else False,
            last_sent_at=sender.last_sent_at if sender else None,
            last_error=sender.last_error if sender else None,
            last_error_at=sender.last_error_at if sender else None,
            epoch=self._backlog.epoch,
            sequence=self._backlog.sequence,
        )

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until Logbook has what was written so far. False when it has not after `timeout` seconds."""
        return self._sender.flush(timeout) if self._enabled else True

    def close(self, timeout: float = 5.0) -> None:
        """Sends what waits, for at most `timeout` seconds, and ends. It is called when the interpreter ends.

        What waits on disk then is sent by the next process that uses the spool. What is written later is dropped.
        """
        if self._enabled and not self._closed:
            self._closed = True
            atexit.unregister(self.close)
            self._sender.stop(timeout)
            self._backlog.close()

    def __enter__(self) -> Logbook:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _keep(self, event: bytes) -> bool:
        if not self._enabled:
            return False
        try:
            if self._closed:
                raise SpoolFull("the producer is closed")
            self._backlog.append(event)
        except OSError as error:
            if self._when_full == "raise":
                raise
            self._drop(error)
            return False
        self._sender.wake()
        return True

    def _drop(self, error: OSError) -> None:
        self._backlog.skip()
        with self._counting:
            self._dropped += 1
            if time.monotonic() - self._told_at < TELL_EVERY:
                return
            self._told_at = time.monotonic()
        log.error("logbook: an event is lost, %d so far: %s", self._dropped, error)

    def _after_fork(self) -> None:
        """The child writes a run of its own. What waits belongs to the parent, which goes on with it."""
        if self._enabled and not self._closed:
            # The parent may have been about to close the same files.
            with contextlib.suppress(OSError):
                self._backlog.abandon()
                self._sender.abandon()
            self._begin()


def _occurred_at(event: bytes | None) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(event)["occurred_at"].replace("Z", "+00:00")) if event else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


_living: weakref.WeakSet[Logbook] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for logbook in list(_living):
        logbook._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
