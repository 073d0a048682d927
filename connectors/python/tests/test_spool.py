"""The spool alone: torn and damaged files, dead processes, forks, and several that want the same."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from logbook_producer import runs
from logbook_producer.runs import Run
from logbook_producer.spool import Spool, _lock

MIB = 1024 * 1024


def event(number: int) -> bytes:
    return json.dumps({"log": "access", "n": number, "text": "é\n" * random.randrange(30)}, ensure_ascii=False).encode()


def read(run: Run, restarts: bool = False) -> list[int]:
    """The numbers of a run's events, as a sender takes them; perhaps with a new process after each batch."""
    numbers: list[int] = []
    while batch := run.batch():
        assert batch == run.batch()
        numbers += [json.loads(line)["n"] for line in batch.events]
        run.done(batch)
        if restarts:
            run = Run(run.path)
    assert run.waiting_bytes == 0
    run.remove()
    assert not run.path.exists()
    return numbers


def read_all(run: Run) -> list[int]:
    """As `read`, of a run that somebody still writes."""
    numbers: list[int] = []
    while batch := run.batch():
        numbers += [json.loads(line)["n"] for line in batch.events]
        run.done(batch)
    return numbers


def make_run(folder: Path, segments: list[list[bytes]]) -> Path:
    path = folder / f"{'0' * 16}.{random.randbytes(16).hex()}"
    path.mkdir()
    for index, lines in enumerate(segments, 1):
        (path / f"{index:08}.ndjson").write_bytes(b"".join(lines))
    return path


GARBAGE: list[Callable[[], bytes]] = [
    lambda: random.randbytes(random.randrange(1, 300)).replace(b"\n", b""),
    lambda: b"\x00" * random.randrange(1, 5000),
    lambda: event(-1)[: random.randrange(1, 10)],
    lambda: b"",
    lambda: b"[]",
    lambda: b'{"n": NaN}',
    lambda: b'{"n": "\xff"}',
    lambda: b"[" * 100_000,
    lambda: b"x" * (3 * MIB),
]


@pytest.mark.parametrize("restarts", [False, True])
def test_no_whole_line_is_lost_among_damaged_ones(tmp_path: Path, restarts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(150):
        random.seed(seed)
        monkeypatch.setattr(runs, "MAX_BATCH_EVENTS", random.choice((1, 2, 7, 2000)))
        monkeypatch.setattr(runs, "MAX_BATCH_BYTES", random.choice((200, 1000, MIB)))
        numbers = iter(range(10_000))
        written = []
        segments: list[list[bytes]] = []
        for _ in range(random.randrange(4)):
            lines = []
            for _ in range(random.randrange(12)):
                if random.random() < 0.7:
                    written.append(next(numbers))
                    lines.append(event(written[-1]) + b"\n")
                else:
                    lines.append(random.choice(GARBAGE if random.random() < 0.1 else GARBAGE[:-2])() + b"\n")
            if random.random() < 0.5:
                torn = event(next(numbers))
                lines.append(torn[: random.randrange(1, len(torn))])
            segments.append(lines)
        path = make_run(tmp_path, segments)
        if random.random() < 0.3:
            (path / "sent").write_bytes(random.randbytes(random.randrange(40)))
        assert read(Run(path), restarts) == written, f"seed {seed}"


def test_a_file_may_end_anywhere(tmp_path: Path) -> None:
    lines = [event(number) + b"\n" for number in range(4)]
    whole = b"".join(lines)
    for end in range(len(whole)):
        path = make_run(tmp_path, [[whole[:end]]])
        cut = whole[:end].count(b"\n")
        # Without its newline alone, a line is whole all the same.
        cut += end > 0 and whole[end : end + 1] == b"\n"
        assert read(Run(path)) == list(range(cut)), f"cut at {end}"


def test_what_was_sent_is_not_read_again(tmp_path: Path) -> None:
    path = make_run(tmp_path, [[event(number) + b"\n" for number in range(start, start + 3000)] for start in (0, 3000)])
    run = Run(path)
    for _ in range(3):
        batch = run.batch()
        assert batch
        run.done(batch)
    sent = run.sent
    assert run.written - sent == Run(path).written
    assert read(Run(path)) == list(range(sent, 6000))


def new_spool(folder: Path, epoch: str | None = None, sync: bool = False) -> Spool:
    return Spool(folder, epoch or random.randbytes(16).hex(), max_bytes=MIB, sync=sync)


KILLED = """
import os, sys
from collections.abc import Callable
from pathlib import Path
from logbook_producer.spool import Spool, _lock
for epoch in sys.argv[2:]:
    spool = Spool(Path(sys.argv[1]), epoch, max_bytes=1 << 20, sync=False)
    spool.append(b'{"n":1}')
os.kill(os.getpid(), 9)
"""


def leave_runs(folder: Path, count: int) -> list[str]:
    """What a process left that was killed."""
    epochs = [random.randbytes(16).hex() for _ in range(count)]
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), *epochs])
    assert done.returncode == -9
    return epochs


def test_the_run_of_a_dead_process_has_one_heir(spool: Path) -> None:
    epochs = leave_runs(spool, 20)
    heirs = [new_spool(spool) for _ in range(8)]
    start = threading.Barrier(len(heirs))

    def adopt(heir: Spool) -> None:
        start.wait()
        heir.adopt()

    threads = [threading.Thread(target=adopt, args=(heir,)) for heir in heirs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for heir in heirs:
        heir.adopt()
    assert sorted(run.epoch for heir in heirs for run in heir.runs()) == sorted(epochs)
    for heir in heirs:
        heir.close()
    # Nobody has sent them, so they wait for the next one.
    last = new_spool(spool)
    assert last.adopt() == len(epochs)
    assert {path.suffix for path in spool.iterdir() if path.is_file()} == {".lock"}
    last.close()


def test_what_cannot_be_taken_over_holds_up_nothing_else(
    spool: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    epochs = leave_runs(spool, 6)
    # The lock of another user, a run that cannot be renamed, and one that cannot be opened. Tests may run as root.
    locked, fixed, closed = sorted(epochs)[:3]
    lock = next(spool.glob(f"*.{locked}")).name.partition(".")[0] + ".lock"
    real_open, real_rename, real_listdir = os.open, Path.rename, os.listdir

    def refuse_if(condition: bool) -> None:
        if condition:
            raise PermissionError(errno.EACCES, "permission denied")

    def open_file(path: Any, *arguments: Any) -> int:
        refuse_if(Path(path).name == lock)
        return real_open(path, *arguments)

    def rename(path: Path, target: Path) -> Path:
        refuse_if(path.name.endswith(fixed))
        return real_rename(path, target)

    def listdir(path: Any) -> Any:
        refuse_if(str(path).endswith(closed))
        return real_listdir(path)

    heir = new_spool(spool)
    with monkeypatch.context() as forbidden:
        forbidden.setattr(os, "open", open_file)
        forbidden.setattr(Path, "rename", rename)
        forbidden.setattr(os, "listdir", listdir)
        assert (heir.adopt(), heir.adopt()) == (3, 0)
    assert len(caplog.records) == 3
    # They are tried again.
    assert heir.adopt() == 3
    assert sorted(run.epoch for run in heir.runs()) == sorted(epochs)
    heir.close()


def test_the_living_keep_what_is_theirs(spool: Path) -> None:
    living = new_spool(spool)
    living.append(b'{"n":1}')
    assert new_spool(spool).adopt() == 0
    child = os.fork()
    if child == 0:
        # A fork has the lock open too; it must neither give it up nor keep it.
        living.abandon()
        os._exit(0 if new_spool(spool).adopt() == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert new_spool(spool).adopt() == 0
    living.close()
    assert new_spool(spool).adopt() == 1


def test_a_lock_that_was_removed_is_none(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    assert _lock(descriptor, path)
    path.unlink()
    assert not _lock(descriptor, path)
    path.touch()
    assert not _lock(descriptor, path)
    os.close(descriptor)


def test_half_a_line_is_not_read(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = new_spool(spool)
    writer.append(b'{"n":1}')
    (run,) = writer.runs()
    write, seen = os.write, []

    def write_slowly(descriptor: int, data: bytes) -> int:
        written = write(descriptor, data[:7])
        seen.append(run.batch())
        return written

    monkeypatch.setattr(os, "write", write_slowly)
    writer.append(b'{"n":2}')
    monkeypatch.undo()
    assert len(seen) > 10 and all(batch and batch.lines == 1 for batch in seen)
    assert (batch := run.batch()) and len(batch.events) == 2
    writer.close()


@pytest.mark.parametrize("sync", [False, True])
def test_a_spool_that_fails_to_open_is_opened_with_the_next_event(spool: Path, sync: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    # Each call of the system that opening makes fails once.
    for name in ("listdir", "open", "fsync"):
        real = getattr(os, name)
        for allowed in range(20):
            calls = iter(range(100))

            def fail(*arguments: Any, real: Any = real, allowed: int = allowed, calls: Any = calls) -> Any:
                if next(calls) == allowed:
                    raise OSError(errno.EMFILE, "too many open files")
                return real(*arguments)

            writer = new_spool(spool, sync=sync)
            monkeypatch.setattr(os, name, fail)
            try:
                writer.append(b'{"n":1}')
                failed = False
            except OSError:
                failed = True
                writer.append(b'{"n":1}')
            monkeypatch.undo()
            (run,) = writer.runs()
            assert (run.written, writer.sequence) == (1, 1)
            batch = run.batch()
            assert batch
            run.done(batch)
            writer.close()
            assert list(spool.iterdir()) == []
            assert len(os.listdir("/proc/self/fd")) == descriptors
            if not failed:
                break
        assert not failed and (allowed or name == "fsync")


def test_a_file_system_without_locks_costs_nothing_but_the_event(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    writer = new_spool(spool)
    descriptors = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as failing:
        failing.setattr(fcntl, "flock", fail)
        for _ in range(3):
            with pytest.raises(OSError):
                writer.append(b'{"n":1}')
    assert list(spool.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) == descriptors
    writer.append(b'{"n":1}')
    writer.close()


def test_a_segment_that_cannot_be_begun_is_tried_again(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SEGMENT_BYTES", 1)
    writer = new_spool(spool, sync=True)
    writer.append(b'{"n":1}')
    descriptors = len(os.listdir("/proc/self/fd"))

    def fail(folder: Path) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as failing:
        failing.setattr(runs, "_sync_folder", fail)
        for _ in range(2):
            with pytest.raises(OSError):
                writer.append(b'{"n":2}')
    assert len(os.listdir("/proc/self/fd")) == descriptors
    writer.append(b'{"n":2}')
    (run,) = writer.runs()
    assert isinstance(run, Run) and read_all(run) == [1, 2]
    writer.close()


def test_a_file_system_that_does_not_sync_folders_is_one(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "invalid argument")

    monkeypatch.setattr(os, "fsync", fail)
    writer = new_spool(spool, sync=True)
    writer.append(b'{"n":1}')
    writer.close()


def test_others_cannot_read_it(spool: Path) -> None:
    writer = new_spool(spool)
    writer.append(b'{"n":1}')
    for path in [spool, *spool.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    writer.close()


@pytest.mark.parametrize("sync", [False, True])
def test_threads_share_one_sequence(spool: Path, sync: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SEGMENT_BYTES", 2000)
    writer = new_spool(spool, sync=sync)

    def write() -> None:
        for _ in range(100):
            writer.append(b'{"n":0}')

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    sequences: list[int] = []
    while len(sequences) < 400:
        for run in writer.runs():
            if batch := run.batch():
                sequences += [json.loads(line)["sequence"] for line in batch.events]
                run.done(batch)
    for thread in threads:
        thread.join()
    assert sequences == list(range(1, 401))
    writer.close()
    assert list(spool.iterdir()) == []
