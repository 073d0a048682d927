"""What the spool on disk and the one in memory have in common: the sender finds the events that wait in runs."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import NamedTuple, Protocol

# An event may be this long; one beyond Logbook's own limit of 256 KiB goes into Logbook's quarantine.
MAX_EVENT_BYTES = 512 * 1024
# Of one batch. More than the longest event, so that a batch always has one.
MAX_BATCH_BYTES = 1024 * 1024
MAX_BATCH_EVENTS = 2000
# Which part of the bytes that may wait may be set aside.
ASIDE_PART = 4


class SpoolFull(OSError):
    """The events that wait take as much as they may."""


class Batch(NamedTuple):
    """Events to send, as JSON. `lines` and `size` say how much of the run they are, in lines and bytes."""

    events: list[bytes]
    lines: int
    size: int


class Waiting(Protocol):
    """The events of one epoch, in the order of their sequence. `batch` and `done` are for the sender alone."""

    epoch: str
    written: int
    """Events that were written, since this process has the run."""
    sent: int
    """Events of these that Logbook has."""

    def batch(self) -> Batch | None:
        """The next events: the same ones until `done` is called. None when nothing waits."""

    def done(self, batch: Batch) -> None:
        """Logbook has them."""

    def oldest(self) -> bytes | None:
        """The first event that waits, as JSON."""


class Backlog(Protocol):
    """A spool. Threads may share it."""

    on_disk: bool
    epoch: str
    sequence: int
    """The last one that was given."""

    @property
    def unreadable(self) -> int:
        """Damaged lines that were passed over."""

    def append(self, event: bytes) -> None:
        """Keeps an event with the next sequence. Raises `SpoolFull`, and OSError from the disk; then the sequence is not used.

        `event` is a JSON object with at least one member.
        """

    def skip(self) -> None:
        """Uses a sequence for an event that is lost, so that Logbook reports a gap."""

    def runs(self) -> list[Waiting]:
        """The runs of which events may wait, the own one last."""

    def adopt(self) -> int:
        """Takes over the runs of dead processes and returns their number. Raises OSError."""

    def forget_finished(self) -> None:
        """Removes the adopted runs of which nothing waits."""

    def waiting_bytes(self) -> int: ...

    def set_aside(self, event: bytes) -> None:
        """Keeps an event that cannot be sent. Raises `SpoolFull`, and OSError from the disk."""

    def close(self) -> None:
        """Leaves what waits to others."""

    def abandon(self) -> None:
        """In a forked child: lets go of what belongs to the parent."""


def finished(event: bytes, epoch: str, sequence: int) -> bytes:
    """The line of an event. No other event has this epoch and sequence, so they are its dedupe key too."""
    return b'%s,"dedupe_key":"%s-%d","epoch":"%s","sequence":%d}\n' % (event[:-1], epoch.encode(), sequence, epoch.encode(), sequence)


class MemorySpool:
    """Keeps events in memory: what waits is lost when the process is killed."""

    on_disk = False
    unreadable = 0

    def __init__(self, epoch: str, *, max_bytes: int) -> None:
        self.epoch = epoch
        self.sequence = 0
        self._max_bytes = max_bytes
        self._run = MemoryRun(epoch)
        self._lock = Lock()

    def append(self, event: bytes) -> None:
        with self._lock:
            line = finished(event, self.epoch, self.sequence + 1)
            if self.waiting_bytes() + len(line) > self._max_bytes:
                raise SpoolFull(f"{self._max_bytes} bytes of events wait for Logbook already")
            self._run.append(line)
            self.sequence += 1

    def skip(self) -> None:
        with self._lock:
            self.sequence += 1

    def runs(self) -> list[Waiting]:
        return [self._run]

    def adopt(self) -> int:
        return 0

    def forget_finished(self) -> None:
        pass

    def set_aside(self, event: bytes) -> None:
        raise SpoolFull("there is no spool on disk")

    def waiting_bytes(self) -> int:
        return self._run.written_bytes - self._run.sent_bytes

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class MemoryRun:
    """The events of this process. One thread appends while another one sends: each has counters of its own."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.written = self.written_bytes = 0
        self.sent = self.sent_bytes = 0
        self._lines: deque[bytes] = deque()

    def append(self, line: bytes) -> None:
        self._lines.append(line)
        self.written_bytes += len(line)
        self.written += 1

    def batch(self) -> Batch | None:
        events: list[bytes] = []
        size = 0
        for index in range(min(self.written - self.sent, MAX_BATCH_EVENTS)):
            line = self._lines[index]
            if size + len(line) > MAX_BATCH_BYTES:
                break
            events.append(line[:-1])
            size += len(line)
        return Batch(events, len(events), size) if events else None

    def done(self, batch: Batch) -> None:
        for _ in range(batch.lines):
            self._lines.popleft()
        self.sent_bytes += batch.size
        self.sent += batch.lines

    def oldest(self) -> bytes | None:
        try:
            return self._lines[0]
        except IndexError:
            return None
