"""The spool: events wait on disk until Logbook has them.

    SPOOL/python/WORKSPACE/SOURCE/
      4be1….lock             locked (flock) for as long as its owner lives: one `Spool` of one process
      4be1….9a07…/           the run of the epoch 9a07…, which belongs to the owner 4be1…
        00000001.ndjson      segments: one event a line, in the order of their sequence
        sent                 up to where Logbook has them: the segment, and the offset in bytes
      set-aside.ndjson       events that cannot be sent, for somebody to look at

Several processes share the folder. Each writes files of its own, so nobody waits for another. The lock of a process that
was killed is free; whoever lives renames the runs of a dead owner to its own name and sends them. A rename succeeds once,
so each run has one owner at any time.

What `append` wrote stays when the process is killed. With `sync` it also stays when the machine loses power.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from .backlog import ASIDE_PART, SpoolFull, Waiting, finished
from .runs import OwnRun, Run, fdatasync

log = logging.getLogger("logbook_producer")

NAME = re.compile(r"([0-9a-f]{16})\.(?:lock|[0-9a-f]{32})")


class Spool:
    """Writes the events of one epoch, and finds the runs that dead processes left.

    Nothing is written before the first event. `max_bytes` bounds what waits, with what was adopted, and what was set aside,
    which is at most a quarter of it. With `sync`, an event may arrive though waiting for the disk failed and `append` raised.
    """

    on_disk = True

    def __init__(self, folder: Path, epoch: str, *, max_bytes: int, sync: bool) -> None:
        self.folder = folder
        self.epoch = epoch
        self.sequence = 0
        self._max_bytes = max_bytes
        self._sync = sync
        self._synced = 0
        self._owner: Owner | None = None
        self._own: OwnRun | None = None
        self._adopted: list[Run] = []
        # Renamed, and not opened yet.
        self._taken: list[Path] = []
        # Of the runs that are no longer there.
        self._unreadable = 0
        # What could not be adopted, which is logged once.
        self._told: set[str] = set()
        # What all processes set aside, as it was when this one last looked.
        self._aside = folder / "set-aside.ndjson"
        self._aside_bytes = self._size_aside()
        # Guards everything above. The second one is held while the disk is waited for.
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()

    def append(self, event: bytes) -> None:
        with self._lock:
            line = finished(event, self.epoch, self.sequence + 1)
            if self.waiting_bytes() + self._aside_bytes + len(line) > self._max_bytes:
                raise SpoolFull(f"{self._max_bytes} bytes of events wait for Logbook or were set aside already")
            if self._own is None:
                self._own = OwnRun(self._new_owner().path_of(self.epoch), sync=self._sync)
            self._own.append(line)
            self.sequence = sequence = self.sequence + 1
        if self._sync:
            self._wait_for_disk(sequence)

    def skip(self) -> None:
        with self._lock:
            self.sequence += 1

    def runs(self) -> list[Waiting]:
        with self._lock:
            return [*self._all()]

    def set_aside(self, event: bytes) -> None:
        limit = self._max_bytes // ASIDE_PART
        descriptor = os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            rest = event + b"\n"
            self._aside_bytes = os.fstat(descriptor).st_size
            if self._aside_bytes + len(rest) > limit:
                raise SpoolFull(f"{self._aside} has {self._aside_bytes} of {limit} bytes already; look into it, and remove it")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            self._aside_bytes = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def _size_aside(self) -> int:
        try:
            return self._aside.stat().st_size
        except OSError:
            return 0

    def adopt(self) -> int:
        # Somebody may have removed it.
        self._aside_bytes = self._size_aside()
        if not self.folder.is_dir():
            return 0
        for owner in sorted({match[1] for path in self.folder.iterdir() if (match := NAME.fullmatch(path.name))}):
            with self._lock, self._telling(f"what {owner} left"):
                if self._owner is None or owner != self._owner.name:
                    for path in _take_over(self.folder, owner, self._new_owner):
                        self._taken.append(path)
        adopted = 0
        for path in [*self._taken]:
            with self._telling(str(path)):
                run = Run(path)
                with self._lock:
                    self._adopted.append(run)
                    self._taken.remove(path)
                adopted += 1
        return adopted

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Logs once that something cannot be adopted. It is tried again, and holds up nothing else."""
        try:
            yield
        except OSError as error:
            if what not in self._told:
                self._told.add(what)
                log.error("logbook: cannot take over %s: %s", what, error)

    def forget_finished(self) -> None:
        for run in [run for run in self._adopted if not run.waiting_bytes]:
            run.remove()
            with self._lock:
                self._adopted.remove(run)
                self._unreadable += run.unreadable

    @property
    def unreadable(self) -> int:
        return self._unreadable + sum(run.unreadable for run in self._adopted)

    def waiting_bytes(self) -> int:
        return sum(run.waiting_bytes for run in self._all())

    def close(self) -> None:
        with self._lock:
            own, owner, runs = self._own, self._owner, self._all()
            self._own, self._owner, self._adopted = None, None, []
        # What cannot be removed is found by the next process.
        with contextlib.suppress(OSError):
            if own:
                own.close()
            for run in runs:
                if not run.waiting_bytes:
                    run.remove()
            if owner:
                owner.release()

    def abandon(self) -> None:
        if self._own:
            self._own.close()
        if self._owner:
            self._owner.close()

    def _all(self) -> list[Run]:
        return [*self._adopted, *([self._own] if self._own else [])]

    def _new_owner(self) -> Owner:
        if self._owner is None:
            self._owner = Owner(self.folder)
        return self._owner

    def _wait_for_disk(self, sequence: int) -> None:
        # One thread waits for the disk, for all events that were written until then. The next one in turn finds, as a
        # rule, that its own was among them.
        with self._sync_lock:
            if self._synced >= sequence:
                return
            with self._lock:
                if self._own is None:
                    return
                reached, descriptor = self.sequence, self._own.duplicate()
            try:
                fdatasync(descriptor)
            finally:
                os.close(descriptor)
            self._synced = reached


class Owner:
    """A name in the spool, locked while the process lives. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        while True:
            self.name = secrets.token_hex(8)
            self._path = folder / f"{self.name}.lock"
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                if _lock(self._descriptor, self._path):
                    return
            except OSError:
                # A file system without locks, say.
                self.release()
                raise
            # Another process took the moment before it was locked for the owner's death.
            self.release()

    def path_of(self, epoch: str) -> Path:
        return self.folder / f"{self.name}.{epoch}"

    def release(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        """Closes the file alone: the lock stays for as long as the parent of a fork has it open."""
        os.close(self._descriptor)


def _lock(descriptor: int, path: Path) -> bool:
    """Locks an open file. False when somebody else has it locked or has removed it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False


def _take_over(folder: Path, owner: str, new_owner: Callable[[], Owner]) -> Iterator[Path]:
    """Renames the runs of an owner that is dead, and removes its lock, which is held meanwhile. Yields their new names."""
    lock = folder / f"{owner}.lock"
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        # It has just left, or somebody removed the file.
        yield from _rename(folder, owner, new_owner)
        return
    try:
        if _lock(descriptor, lock):
            yield from _rename(folder, owner, new_owner)
            lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _rename(folder: Path, owner: str, new_owner: Callable[[], Owner]) -> Iterator[Path]:
    failed: OSError | None = None
    for path in folder.glob(f"{owner}.*"):
        if path.suffix == ".lock":
            continue
        target = new_owner().path_of(path.suffix[1:])
        try:
            path.rename(target)
        except FileNotFoundError:
            continue  # somebody else was faster
        except OSError as error:
            failed = error
            continue
        yield target
    # The lock stays, and so it is tried again.
    if failed:
        raise failed
