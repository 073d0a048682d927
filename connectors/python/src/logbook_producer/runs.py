"""The files of one run: segments of events, one a line, and how far they were sent."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections import deque
from pathlib import Path

from .backlog import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, Batch

# A segment is deleted when all of it was sent, so a run that has nothing to send takes less than this.
SEGMENT_BYTES = 4 * 1024 * 1024
SEGMENT = re.compile(r"(\d{8})\.ndjson")
# From the folder around the spool down to the run.
FOLDERS = 5
POSITION = re.compile(rb"(\d{8}) (\d{16})\n")

fdatasync = getattr(os, "fdatasync", os.fsync)


class Run:
    """A run that a dead process left: it is only read.

    A process may be killed, and a machine lose power, in the middle of a line. What is no JSON object is passed over and
    counted; no whole line is lost with it. Every method may raise OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch = path.name.partition(".")[2]
        self.sent = self.sent_bytes = 0
        self.unreadable = 0
        self._segments = deque(sorted(int(match[1]) for name in os.listdir(path) if (match := SEGMENT.fullmatch(name))))
        segment, self._offset = self._read_position()
        while self._segments and self._segments[0] < segment:
            self._delete(self._segments.popleft())
        if self._segments and self._segments[0] > segment:
            self._offset = 0
        self.written, self.written_bytes = self._count()

    @property
    def waiting_bytes(self) -> int:
        return self.written_bytes - self.sent_bytes

    def batch(self) -> Batch | None:
        while self._segments:
            segment = self._segments[0]
            chunk = self._read(segment, self._end(segment))
            if not chunk:
                if not self._finish(segment):
                    return None
                continue
            lines = chunk.split(b"\n", MAX_BATCH_EVENTS)
            # The last part has no newline: it is the beginning of the next batch. Alone, it is what a killed process left
            # of a line, or damage without an end.
            rest = lines.pop() if len(lines) > 1 else b""
            batch = Batch([line for line in lines if _is_whole(line)], len(lines), len(chunk) - len(rest))
            if batch.events:
                return batch
            self.done(batch)
        return None

    def done(self, batch: Batch) -> None:
        self._offset += batch.size
        self.unreadable += batch.lines - len(batch.events)
        self.sent_bytes += batch.size
        self.sent += batch.lines
        self._write_position()

    def oldest(self) -> bytes | None:
        try:
            return self._read(self._segments[0], None).partition(b"\n")[0] or None
        except (IndexError, FileNotFoundError):
            return None  # it was sent a moment ago

    def remove(self) -> None:
        """Deletes the files of a run of which nothing waits."""
        for segment in self._segments:
            self._delete(segment)
        (self.path / "sent").unlink(missing_ok=True)
        self.path.rmdir()

    def _end(self, segment: int) -> int | None:
        """Up to where a segment may be read; None: to its end."""
        return None

    def _finish(self, segment: int) -> bool:
        """Deletes a segment that was sent. False when the next event would come into this one."""
        if self._offset >= self._file(segment).stat().st_size:
            self._segments.popleft()
            self._delete(segment)
            self._offset = 0
        return True

    def _file(self, segment: int) -> Path:
        return self.path / f"{segment:08}.ndjson"

    def _delete(self, segment: int) -> None:
        self._file(segment).unlink(missing_ok=True)

    def _read(self, segment: int, end: int | None) -> bytes:
        most = MAX_BATCH_BYTES if end is None else min(MAX_BATCH_BYTES, max(0, end - self._offset))
        with open(self._file(segment), "rb", buffering=0) as file:
            file.seek(self._offset)
            return file.read(most) or b""

    def _count(self) -> tuple[int, int]:
        """The lines and bytes that were not sent yet."""
        lines = size = 0
        for index, segment in enumerate(self._segments):
            with open(self._file(segment), "rb") as file:
                file.seek(0 if index else self._offset)
                chunk = b"\n"
                for chunk in iter(lambda: file.read(MAX_BATCH_BYTES), b""):
                    lines += chunk.count(b"\n")
                    size += len(chunk)
                lines += not chunk.endswith(b"\n")
        return lines, size

    def _read_position(self) -> tuple[int, int]:
        try:
            position = POSITION.match((self.path / "sent").read_bytes())
        except FileNotFoundError:
            position = None
        return (int(position[1]), int(position[2])) if position else (0, 0)

    def _write_position(self) -> None:
        # Where this fails, events are sent again after a restart, and stored once.
        with contextlib.suppress(OSError):
            # One write over the same bytes, so that a kill leaves the old position or the new one.
            file = os.open(self.path / "sent", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, b"%08d %016d\n" % (self._segments[0], self._offset))
            finally:
                os.close(file)


class OwnRun(Run):
    """The run that this process writes. `append` belongs to one thread at a time, reading to another one."""

    def __init__(self, path: Path, *, sync: bool) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        self._sync = sync
        self._descriptor = -1
        # The segment that is written, and up to where it has whole lines.
        self._reach = (0, 0)
        try:
            super().__init__(path)
            self._next_segment()
            if sync:
                # Each folder of the spool may be new, and is an entry of the one above.
                for parent in [*path.parents][:FOLDERS]:
                    with contextlib.suppress(PermissionError):
                        _sync_folder(parent)
        except OSError:
            # The next event tries it again, and must find nothing.
            with contextlib.suppress(OSError):
                if self._descriptor != -1:
                    self.close()
                    self._delete(self._reach[0])
                path.rmdir()
            raise

    def append(self, line: bytes) -> None:
        """Writes a line. After an OSError nothing of it is there."""
        if self._reach[1] >= SEGMENT_BYTES:
            self._next_segment()
        try:
            self._write(line)
        except OSError:
            # A full disk gets back what this segment takes, if all of it was sent.
            segment, size = self._reach
            if not size or self.waiting_bytes:
                raise
            self._next_segment()
            os.truncate(self._file(segment), 0)
            self._write(line)
        self.written_bytes += len(line)
        self.written += 1

    def duplicate(self) -> int:
        """Another descriptor of the segment that is written, to be closed by the caller."""
        return os.dup(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)

    def _write(self, line: bytes) -> None:
        segment, size = self._reach
        rest = line
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            if len(rest) < len(line):
                os.ftruncate(self._descriptor, size)
            raise
        self._reach = (segment, size + len(line))

    def _next_segment(self) -> None:
        segment, before = self._reach[0] + 1, self._descriptor
        if self._sync and before != -1:
            fdatasync(before)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._file(segment), flags, 0o600)
        try:
            if self._sync:
                _sync_folder(self.path)
        except OSError:
            os.close(descriptor)
            self._delete(segment)
            raise
        self._descriptor = descriptor
        self._segments.append(segment)
        self._reach = (segment, 0)
        if before != -1:
            os.close(before)

    def _end(self, segment: int) -> int | None:
        written, size = self._reach
        return size if segment == written else None

    def _finish(self, segment: int) -> bool:
        return segment != self._reach[0] and super()._finish(segment)


def _is_whole(line: bytes) -> bool:
    """Whether a line is a JSON object, so that it can be sent with others."""
    try:
        return isinstance(_decoder.decode(line.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_decoder = json.JSONDecoder(parse_constant=_no_number)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems do not sync folders.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)
