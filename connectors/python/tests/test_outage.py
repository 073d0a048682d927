"""A Logbook that is away, slow, or not the right one: the app goes on, and everything arrives in order."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from logbook_producer import Logbook, backlog, runs, sender
from proxy import proxy_to
from server import Source, ids_of, wait_for


def write(logbook: Logbook, *numbers: int, **more: Any) -> None:
    for number in numbers:
        event: Any = {"action": "create", "model": "record", "record_id": str(number), **more}
        assert logbook.application(event)


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_was_written_meanwhile_arrives_in_order(source: Source, spool: Path, on_disk: bool, caplog: pytest.LogCaptureFixture) -> None:
    source.server.kill()
    with Logbook(**source.address, spool=spool if on_disk else None) as logbook:
        write(logbook, *range(2000))
        # As long as nothing answers, too.
        wait_for("the error", lambda: logbook.status().failing)
        status = logbook.status()
        assert (status.waiting, status.on_disk) == (2000, on_disk)
        assert status.oldest and status.oldest.timestamp() == pytest.approx(time.time(), abs=30)
        assert status.last_error and "refused" in status.last_error
        assert not logbook.flush(0.1)
        source.server.start()
        write(logbook, *range(2000, 2010))
        assert logbook.flush(60)
        assert (logbook.status().waiting, logbook.status().failing) == (0, False)
    assert ids_of(source.feed()) == [str(number) for number in range(2010)]
    assert source.state()["gaps"] == []
    # Told once, however often it was tried.
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_lost_answers_double_nothing(source: Source, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_RETRY", 0.02)
    for module in (backlog, runs):
        monkeypatch.setattr(module, "MAX_BATCH_EVENTS", 10)
    for folder in (spool, None):
        with proxy_to(source.server.url) as proxy, Logbook(**{**source.address, "url": proxy.url}, spool=folder) as logbook:
            proxy.lose_answers = 4
            write(logbook, *range(100))
            assert logbook.flush(30)
            assert logbook.status().accepted < 100 and logbook.status().duplicates > 0
    assert sorted(ids_of(source.feed())) == sorted([str(number) for number in range(100)] * 2)
    assert source.state()["gaps"] == []


def test_a_poison_event_goes_to_quarantine_and_blocks_nothing(source: Source, spool: Path) -> None:
    with Logbook(**source.address, spool=spool, heartbeat=0.05) as logbook:
        write(logbook, 0)
        assert logbook.access({"event_type": "NOT SNAKE"})
        assert logbook.application({"action": "create", "model": "record", "record_id": "1", "metadata": {"big": "x" * 300_000}})
        write(logbook, 2)
        assert logbook.flush()
        assert logbook.status().rejected == 2
    assert ids_of(source.feed()) == ["0", "2"]
    assert [record["code"] for record in source.rejected()] != []
    # What is in quarantine has not come yet.
    assert [(gap["from"], gap["to"]) for gap in source.state()["gaps"]] == [(2, 3)]


def test_an_event_that_a_proxy_refuses_is_set_aside(source: Source, spool: Path) -> None:
    with proxy_to(source.server.url) as proxy:
        proxy.instead = lambda path, body: (413, {}, b"") if len(body) > 3000 else None
        with Logbook(**{**source.address, "url": proxy.url}, spool=spool) as logbook:
            write(logbook, 0)
            write(logbook, 1, metadata={"text": "x" * 3000})
            write(logbook, 2)
            assert logbook.flush()
            assert logbook.status().set_aside == 1
    assert ids_of(source.feed()) == ["0", "2"]
    assert '"record_id":"1"' in next(spool.rglob("set-aside.ndjson")).read_text()


def test_an_event_that_a_firewall_refuses_is_set_aside(source: Source, spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    with proxy_to(source.server.url) as proxy:
        proxy.instead = lambda path, body: (403, {}, b"<html>Forbidden</html>") if b"UNION SELECT" in body else None
        with Logbook(**{**source.address, "url": proxy.url}, spool=spool) as logbook:
            # Alone, and with others.
            write(logbook, 0, record_name="' UNION SELECT 1")
            assert logbook.flush()
            write(logbook, *range(1, 5))
            write(logbook, 5, 6, record_name="' UNION SELECT 1")
            write(logbook, 7)
            assert logbook.flush()
            status = logbook.status()
            assert (status.set_aside, status.accepted, status.duplicates, status.waiting, status.failing) == (3, 5, 0, 0, False)
    assert ids_of(source.feed()) == ["1", "2", "3", "4", "7"]
    aside = next(spool.rglob("set-aside.ndjson")).read_text().splitlines()
    assert [json.loads(line)["record_id"] for line in aside] == ["0", "5", "6"]
    # Each is told once, with who refused it.
    assert ["403: <html>Forbidden" in record.message for record in caplog.records] == [True, True, True]


def test_what_is_set_aside_is_bounded(source: Source, spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    def lost() -> list[str]:
        return [record.message for record in caplog.records if "it is lost" in record.message]

    with proxy_to(source.server.url) as proxy:
        proxy.instead = lambda path, body: (413, {}, b"") if len(body) > 3000 else None
        address = {**source.address, "url": proxy.url}
        with Logbook(**address, spool=spool, max_bytes=40_000) as logbook:
            for number in range(4):
                write(logbook, number, metadata={"text": "x" * 3000})
                assert logbook.flush()
            status = logbook.status()
            # A quarter of the bytes has room for three.
            assert (status.set_aside, status.dropped, status.waiting) == (3, 1, 0)
            (message,) = lost()
            assert f"{status.epoch}-4" in message and status.last_error and status.last_error in message
            file = next(spool.rglob("set-aside.ndjson"))
            assert file.stat().st_mode & 0o077 == 0
            aside = file.stat().st_size
            assert 9000 < aside < 10_000
        # It takes room of what waits, of the next process too.
        proxy.hang.clear()
        logbook = Logbook(**address, spool=spool, max_bytes=40_000, timeout=60)
        number = 4
        while logbook.application({"action": "create", "model": "record", "record_id": str(number), "metadata": {"text": "x" * 500}}):
            number += 1
        assert 39_000 < logbook.status().waiting_bytes + aside <= 40_000
        proxy.hang.set()
        logbook.close(60)
    # In memory there is no room for it at all.
    with proxy_to(source.server.url) as proxy:
        proxy.instead = lambda path, body: (413, {}, b"") if len(body) > 3000 else None
        with Logbook(**{**source.address, "url": proxy.url}) as logbook:
            write(logbook, 1000, metadata={"text": "x" * 3000})
            assert logbook.flush()
            assert (logbook.status().set_aside, logbook.status().dropped) == (0, 1)
    assert ids_of(source.feed()) == [str(other) for other in range(4, number)]


def test_what_refuses_everything_is_waited_for(source: Source, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "LAST_RETRY", 0.01)
    with proxy_to(source.server.url) as proxy:
        # Heartbeats pass: the events themselves are what tells.
        proxy.instead = lambda path, body: (403, {}, b"") if path.endswith("/events") else None
        with Logbook(**{**source.address, "url": proxy.url}, spool=spool) as logbook:
            write(logbook, *range(10))
            wait_for("some tries", lambda: len(proxy.times) > 6)
            assert (logbook.status().set_aside, logbook.status().waiting) == (0, 10)
            proxy.instead = lambda path, body: None
            assert logbook.flush()
    assert ids_of(source.feed()) == [str(number) for number in range(10)]


def test_what_refuses_for_a_moment_costs_no_event(source: Source, spool: Path) -> None:
    with proxy_to(source.server.url) as proxy:
        refusals = iter([True])
        proxy.instead = lambda path, body: (403, {}, b"") if b"record_id" in body and next(refusals, False) else None
        with Logbook(**{**source.address, "url": proxy.url}, spool=spool) as logbook:
            write(logbook, 0)
            assert logbook.flush()
            assert logbook.status().set_aside == 0
    assert ids_of(source.feed()) == ["0"]


def test_a_wrong_key_is_told_loudly_and_loses_nothing(source: Source, spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    wrong = Logbook(**{**source.address, "key": "lbk_wrong"}, spool=spool)
    # Before the first event.
    wait_for("the error", lambda: wrong.status().failing)
    write(wrong, *range(10))
    wrong.close()
    assert (wrong.status().last_error or "").startswith("401")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    with Logbook(**source.address, spool=spool) as right:
        wait_for("what waited", lambda: right.status().accepted == 10)
    assert ids_of(source.feed()) == [str(number) for number in range(10)]


def test_it_waits_as_long_as_logbook_asks(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "FIRST_RETRY", 0.01)
    with proxy_to(source.server.url) as proxy:
        proxy.instead = lambda path, body: (503, {"Retry-After": "1"}, b"") if len(proxy.times) <= 2 else None
        with Logbook(**{**source.address, "url": proxy.url}) as logbook:
            wait_for("three requests", lambda: len(proxy.times) >= 3)
            assert all(after - before >= 0.99 for before, after in pairwise(proxy.times))
            write(logbook, 1)


def test_a_logbook_that_hangs_does_not_hold_up_the_app(source: Source, spool: Path) -> None:
    with proxy_to(source.server.url) as proxy:
        proxy.hang.clear()
        logbook = Logbook(**{**source.address, "url": proxy.url}, spool=spool, timeout=30)
        begin = time.monotonic()
        write(logbook, *range(1000))
        logbook.close(timeout=0.2)
        assert time.monotonic() - begin < 5


EXITS = """
import sys
from logbook_producer import Logbook
logbook = Logbook()
for number in range(10):
    logbook.application({"action": "create", "model": "record", "record_id": str(number)})
"""


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_process_that_ends_sends_first(source: Source, spool: Path, on_disk: bool) -> None:
    environment = {**source.environment, "LOGBOOK_SPOOL": str(spool) if on_disk else ""}
    subprocess.run([sys.executable, "-c", EXITS], env=environment, check=True)
    assert ids_of(source.feed()) == [str(number) for number in range(10)]
    if on_disk:
        assert [path for path in spool.rglob("*") if path.is_file()] == []


def test_a_process_ends_without_logbook_and_the_next_one_sends(source: Source, spool: Path) -> None:
    source.server.kill()
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", EXITS], env={**source.environment, "LOGBOOK_SPOOL": str(spool)}, check=True)
    assert time.monotonic() - begin < 5
    source.server.start()
    with Logbook(**source.address, spool=spool) as logbook:
        wait_for("what waited", lambda: logbook.status().accepted == 10)
    assert ids_of(source.feed()) == [str(number) for number in range(10)]


def test_what_happens_now_does_not_wait_behind_what_a_dead_process_left(
    source: Source, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "MAX_BATCH_EVENTS", 10)
    left = EXITS.replace("Logbook()", 'Logbook(url="http://127.0.0.1:9")').replace("range(10)", "range(300)")
    subprocess.run([sys.executable, "-c", left], env={**source.environment, "LOGBOOK_SPOOL": str(spool)}, check=True)
    with Logbook(**source.address, spool=spool) as logbook:
        write(logbook, 9999)
        wait_for("all of it", lambda: logbook.status().accepted == 301)
    assert ids_of(source.feed()).index("9999") < 200


def test_it_says_that_it_is_alive(source: Source) -> None:
    with Logbook(**source.address, heartbeat=0.05):
        first = wait_for("a heartbeat", lambda: source.state()["last_heartbeat_at"])
        wait_for("the next one", lambda: source.state()["last_heartbeat_at"] > first)
    assert source.feed() == []
