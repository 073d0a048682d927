"""A disk without room: the caller is told, and what was kept before arrives once."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from logbook_producer import Logbook
from server import Source, ids_of, wait_for


class FullDisk(NamedTuple):
    """A folder that takes some 100 KiB, and how to give it twice as much."""

    folder: Path
    grow: Callable[[], object]


@pytest.fixture(params=["tmpfs", "file size limit"])
def full_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FullDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o"]
        if subprocess.run([*mount, "size=128k,mode=700", "tmpfs", folder], capture_output=True).returncode != 0:
            pytest.skip("only root mounts a tmpfs, and not in every container")
        yield FullDisk(folder, lambda: subprocess.check_call([*mount, "remount,size=256k", "tmpfs", folder]))
        subprocess.run(["umount", "-l", folder], check=True)
    else:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        yield FullDisk(folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1])))
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(logbook: Logbook, number: int) -> bool:
    event = {"text": "x" * (number % 700)}
    return logbook.application({"action": "create", "model": "record", "record_id": str(number), "metadata": event})


def test_the_caller_is_told_and_nothing_else_is_lost(source: Source, full_disk: FullDisk) -> None:
    source.server.kill()
    logbook = Logbook(**source.address, spool=full_disk.folder, when_full="raise")
    kept: list[int] = []

    def fill(numbers: range) -> None:
        refused = []
        for number in numbers:
            try:
                assert write(logbook, number)
                kept.append(number)
            except OSError:
                refused.append(number)
        assert kept[-1] >= numbers.start + 50 and refused[-1] == numbers[-1]

    fill(range(1000))
    # Somebody makes room, and what follows is no part of a line that was cut off.
    full_disk.grow()
    fill(range(1000, 2000))
    source.server.start()
    # There is room again once Logbook has them, also where the file had reached its limit.
    assert logbook.flush(60)
    assert write(logbook, 9999)
    logbook.close()
    assert sorted(ids_of(source.feed())) == sorted(map(str, [*kept, 9999]))
    assert source.state()["gaps"] == []


def test_what_is_dropped_is_a_gap_that_logbook_reports(source: Source, full_disk: FullDisk) -> None:
    source.server.kill()
    logbook = Logbook(**source.address, spool=full_disk.folder, heartbeat=0.1)
    kept = [str(number) for number in range(2000) if write(logbook, number)]
    status = logbook.status()
    assert 50 < len(kept) < 1950
    assert (status.waiting, status.dropped, status.sequence) == (len(kept), 2000 - len(kept), 2000)
    source.server.start()
    assert logbook.flush(60)
    # The last ones that were dropped are seen through a heartbeat.
    wait_for("the gaps", lambda: sum(gap["to"] - gap["from"] + 1 for gap in source.state()["gaps"]) == status.dropped)
    logbook.close()
    assert sorted(ids_of(source.feed())) == sorted(kept)


def test_what_waits_is_bounded(source: Source, spool: Path) -> None:
    source.server.kill()
    for folder in (spool, None):
        logbook = Logbook(**source.address, spool=folder, max_bytes=20_000)
        while write(logbook, 699):
            assert logbook.status().waiting < 40
        assert logbook.status().waiting_bytes > 18_000
        logbook.close(timeout=0)
    source.server.start()


def test_an_app_starts_and_runs_without_its_spool(source: Source, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    logbook = Logbook(**source.address, spool=in_the_way)
    assert not write(logbook, 1) and not write(logbook, 2)
    assert (logbook.status().dropped, logbook.status().waiting) == (2, 0)
    assert len([record for record in caplog.records if "an event is lost" in record.message]) == 1
    # It is tried again each time.
    in_the_way.unlink()
    assert write(logbook, 3)
    assert logbook.flush()
    logbook.close()
    assert ids_of(source.feed()) == ["3"]
