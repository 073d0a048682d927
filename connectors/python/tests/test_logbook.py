"""What becomes of an event on its way: fields of the context, values, epochs; and a Logbook that is not configured."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from logbook_producer import Logbook, SpoolFull
from logbook_producer.asgi import LogbookMiddleware
from server import Source, ids_of, wait_for

ASHA = {"type": "user", "id": "17", "name": "Asha Rao"}


def test_the_three_logs(source: Source, spool: Path) -> None:
    with Logbook(**source.address, spool=spool) as logbook:
        logbook.access({"event_type": "login_failed", "username": "asha", "status_reason": "wrong password"})
        logbook.application(
            {
                "action": "update",
                "model": "patient",
                "record_id": "92",
                "actor": {"type": "user", "id": "17", "name": "Asha Rao"},
                "changes": [{"field": "status", "old": "open", "new": "closed"}, {"field": "roles", "added": ["Nurse"], "removed": []}],
            }
        )
        logbook.framework({"action": "task_failed", "component": {"type": "task", "id": "report"}, "error": "out of paper"})
    (access,) = source.log("access")
    assert (access["event_type"], access["status"], access["username"]) == ("login_failed", "failure", "asha")
    (application,) = source.log("application")
    assert (application["actor"], len(application["changes"])) == (ASHA, 2)
    (framework,) = source.log("framework")
    assert (framework["status"], framework["component"]["id"]) == ("failure", "report")
    assert [(event["epoch"], event["sequence"]) for event in source.feed()] == [(access["epoch"], n) for n in (1, 2, 3)]


def test_the_context_fills_in_what_an_event_lacks(source: Source) -> None:
    with Logbook(**source.address) as logbook:
        with logbook.context(actor={"type": "agent", "id": "triage-2"}, correlation_id="r1", ip_address="198.51.100.4"):
            with logbook.context(on_behalf_of={"id": "17", "name": "Asha Rao"}, purpose="INC-4711", correlation_id="r2"):
                logbook.application({"action": "read", "model": "patient", "record_id": "1"})
            logbook.application({"action": "read", "model": "patient", "record_id": "2", "actor": {"type": "system"}})
            logbook.access({"event_type": "login"})
        logbook.application({"action": "read", "model": "patient", "record_id": "3"})
    one, two, three = source.log("application")
    assert (one["actor"]["id"], one["on_behalf_of"]["id"], one["purpose"], one["correlation_id"]) == ("triage-2", "17", "INC-4711", "r2")
    assert (two["actor"]["type"], two["on_behalf_of"], two["correlation_id"], two["ip_address"]) == ("system", None, "r1", "198.51.100.4")
    assert (three["actor"]["type"], three["correlation_id"]) == ("system", None)
    assert source.log("access")[0]["user"]["id"] == "triage-2"


def test_coroutines_have_a_context_each(source: Source) -> None:
    async def request(logbook: Logbook, number: int) -> None:
        with logbook.context(correlation_id=f"r{number}"):
            await asyncio.sleep(0)
            logbook.application({"action": "read", "model": "record", "record_id": str(number)})
            event: Any = {"action": "read", "model": "record", "record_id": f"{number}"}
            await asyncio.to_thread(logbook.application, event)

    async def requests(logbook: Logbook) -> None:
        await asyncio.gather(*(request(logbook, number) for number in range(20)))

    with Logbook(**source.address) as logbook:
        asyncio.run(requests(logbook))
    found = source.log("application")
    assert len(found) == 40
    assert all(event["correlation_id"] == f"r{event['record_id']}" for event in found)


def test_a_request_is_the_context_of_its_events(source: Source) -> None:
    async def requests(logbook: Logbook) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            logbook.access({"event_type": "login"})

        for address in ("198.51.100.4", "fe80::1%eth0", "testclient"):
            scope = {"type": "http", "client": (address, 1), "headers": [(b"x-request-id", b"r1")]}
            await LogbookMiddleware(app)(scope, None, None)  # type: ignore[arg-type]

    with Logbook(**source.address) as logbook:
        asyncio.run(requests(logbook))
    assert [event["ip_address"] for event in source.log("access")] == ["198.51.100.4", "fe80::1", None]
    assert {event["correlation_id"] for event in source.log("access")} == {"r1"}


def test_values_that_json_does_not_have(source: Source) -> None:
    class Model:
        def __str__(self) -> str:
            return "Model 7"

    values: dict[str, Any] = {
        "time": datetime(2026, 11, 1, 8, tzinfo=timezone(timedelta(hours=2))),
        "day": date(2026, 11, 1),
        "price": Decimal("1.10"),
        "uuid": UUID(int=1),
        "set": {2, 1},
        "model": Model(),
        "bytes": b"x",
    }
    strange: Any = {1: float("inf"), (1, 2): [float("nan")], None: Decimal(2)}
    when = datetime(2026, 11, 1, 8, 30, tzinfo=timezone.utc)
    with Logbook(**source.address) as logbook:
        logbook.application({"action": "read", "model": "m", "record_id": "1", "metadata": values, "occurred_at": when})
        logbook.application({"action": "read", "model": "m", "record_id": "2", "metadata": strange})
        circle: dict[str, Any] = {}
        circle["self"] = circle
        with pytest.raises(ValueError):
            logbook.application({"action": "read", "model": "m", "record_id": "3", "metadata": circle})
        with pytest.raises(ValueError):
            logbook.application({"action": "read", "model": "m", "record_id": "3", "metadata": {"x": "x" * 600_000}})
    plain = source.log("application")[0]
    assert plain["occurred_at"].startswith("2026-11-01T08:30:00")
    assert plain["metadata"] == {
        "time": "2026-11-01T08:00:00+02:00",
        "day": "2026-11-01",
        "price": "1.10",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "set": [1, 2],
        "model": "Model 7",
        "bytes": "b'x'",
    }
    assert source.log("application")[1]["metadata"] == {"1": "inf", "(1, 2)": ["nan"], "None": "2"}


def test_numbers_that_logbook_does_not_keep_exactly_are_texts(source: Source) -> None:
    class Number(IntEnum):
        LARGE = 2**60

    exact: list[Any] = [2**53, -(2**53), float(2**53), 1e-300, 0.1234567890123456, True, 0]
    large: dict[Any, Any] = {2**53 + 1: "a key"}
    with Logbook(**source.address) as logbook:
        for values in (
            {"exact": exact},
            {"int": 2**53 + 1, "negative": -(2**60), "enum": Number.LARGE, "in": {"lists": [[2**64]]}, "set": {2**60}, "keys": large},
            {"float": 2.0**53 + 2, "exponent": -1.5e300, "text": "9007199254740993 e+1"},
            {"endless": 10**5000},
        ):
            assert logbook.application({"action": "read", "model": "m", "record_id": "1", "metadata": values})
        assert logbook.flush()
        assert (logbook.status().accepted, logbook.status().rejected) == (4, 0)
    found = [event["metadata"] for event in source.log("application")]
    assert found[:3] == [
        {"exact": exact},
        {
            "int": "9007199254740993",
            "negative": "-1152921504606846976",
            "enum": "1152921504606846976",
            "in": {"lists": [["18446744073709551616"]]},
            "set": ["1152921504606846976"],
            "keys": {"9007199254740993": "a key"},
        },
        {"float": "9007199254740994.0", "exponent": "-1.5e+300", "text": "9007199254740993 e+1"},
    ]
    assert int(found[3]["endless"], 0) == 10**5000


def test_without_a_configuration_nothing_happens(caplog: pytest.LogCaptureFixture) -> None:
    threads = threading.active_count()
    with Logbook(url="http://127.0.0.1:9", key="x") as logbook:
        assert not logbook.access({"event_type": "login"})
        assert logbook.flush()
        assert logbook.status().enabled is False
    assert threading.active_count() == threads
    assert [record.message for record in caplog.records] == [
        "logbook: events are not recorded, since LOGBOOK_WORKSPACE and LOGBOOK_SOURCE is not set"
    ]


def test_what_is_written_after_the_end_is_told(source: Source) -> None:
    logbook = Logbook(**source.address)
    logbook.close()
    logbook.close()
    assert not logbook.access({"event_type": "login"})
    assert logbook.status().dropped == 1
    strict = Logbook(**source.address, when_full="raise")
    strict.close()
    with pytest.raises(SpoolFull):
        strict.access({"event_type": "login"})


FORKS = """
import os
from logbook_producer import Logbook
logbook = Logbook()

def write(name):
    logbook.application({"action": "create", "model": "record", "record_id": name})

write("before")
children = []
for child in range(4):
    pid = os.fork()
    if pid == 0:
        write(f"child {child}")
        write(f"child {child} again")
        # One ends as workers of multiprocessing do, without a word.
        if child == 0:
            os._exit(0)
        raise SystemExit(0)
    children.append(pid)
write("after")
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
write("last")
"""


@pytest.mark.parametrize("durable", ["process", "disk"])
def test_each_fork_counts_for_itself(source: Source, spool: Path, durable: str) -> None:
    program = FORKS.replace("Logbook()", f"Logbook(durable={durable!r})")
    subprocess.run([sys.executable, "-c", program], env={**source.environment, "LOGBOOK_SPOOL": str(spool)}, check=True)
    with Logbook(**source.address, spool=spool) as logbook:
        logbook.application({"action": "create", "model": "record", "record_id": "next process"})
    children = [name for child in range(4) for name in (f"child {child}", f"child {child} again")]
    assert sorted(ids_of(source.feed())) == sorted(["before", "after", "last", "next process", *children])
    state = source.state()
    assert (state["gaps"], len(state["epochs"])) == ([], 6)
    assert [path for path in spool.rglob("*") if path.is_file()] == []


LEAVES_A_CHILD = """
import os, signal
from logbook_producer import Logbook
logbook = Logbook(url="http://127.0.0.1:9")
logbook.application({"action": "create", "model": "record", "record_id": "parent"})
child = os.fork()
if child == 0:
    signal.pause()
print(child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_child_does_not_keep_its_dead_parent_alive(source: Source, spool: Path) -> None:
    environment = {**source.environment, "LOGBOOK_SPOOL": str(spool)}
    with subprocess.Popen([sys.executable, "-c", LEAVES_A_CHILD], env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.wait()
        try:
            with Logbook(**source.address, spool=spool) as logbook:
                wait_for("what the parent left", lambda: logbook.status().accepted == 1)
        finally:
            os.kill(child, signal.SIGKILL)
    assert ids_of(source.feed()) == ["parent"]


def test_the_environment_is_read(source: Source, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**source.address, "spool": str(spool)}.items():
        monkeypatch.setitem(os.environ, f"LOGBOOK_{name.upper()}", value)
    with Logbook() as logbook:
        assert logbook.access({"event_type": "login"})
        assert logbook.status().on_disk
    assert len(source.feed()) == 1
