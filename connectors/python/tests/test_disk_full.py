"""A disk without room: the caller is told, and what was kept before arrives once."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from logbook_producer import Logbook
from server import Source, ids_of, wait_for


@pytest.fixture(params=["tmpfs", "file size limit"])
def full_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder that takes some 100 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if request.param == "tmpfs":
        command = ["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("only root mounts a tmpfs, and not in every container")
        yield folder
        subprocess.run(["umount", "-l", str(folder)], check=True)
    else:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        yield folder
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(logbook: Logbook, number: int) -> bool:
    event = {"text": "x" * (number % 700)}
    return logbook.application({"action": "create", "model": "record", "record_id": str(number), "metadata": event})


def test_the_caller_is_told_and_nothing_else_is_lost(source: Source, full_disk: Path) -> None:
    source.server.kill()
    logbook = Logbook(**source.address, spool=full_disk, when_full="raise")
    kept, refused = [], 0
    for number in range(2000):
        try:
            assert write(logbook, number)
            kept.append(str(number))
        except OSError:
            refused += 1
    assert len(kept) > 50 and refused > 50
    source.server.start()
    # There is room again once Logbook has them, also where the file had reached its limit.
    assert logbook.flush(60)
    assert write(logbook, 9999)
    logbook.close()
    assert sorted(ids_of(source.feed())) == sorted([*kept, "9999"])
    assert source.state()["gaps"] == []


def test_what_is_dropped_is_a_gap_that_logbook_reports(source: Source, full_disk: Path) -> None:
    source.server.kill()
    logbook = Logbook(**source.address, spool=full_disk, heartbeat=0.1)
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
