"""What is committed is sent, once; what is rolled back is not; and recording fails no work of the app."""

import hashlib
import json
import os
import socket
import threading
import time
from contextlib import ExitStack
from datetime import datetime, timezone

import logbook_django as logbook
import pytest
from clinic.models import Patient, Work
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client, override_settings
from logbook_django import events, outbox, relay, thread
from logbook_django.models import OutboxEvent
from servers import wait_for


def told(action="told", **more):
    return {"action": action, "component": {"type": "test"}, **more}


def test_an_event_arrives_with_its_numbers_and_leaves_the_outbox(source):
    assert logbook.record("framework", told())
    [event] = source.sent()
    assert (event["log"], event["action"], event["sequence"]) == ("framework", "told", 1)
    assert not OutboxEvent.objects.exists()


def test_a_rolled_back_event_is_not_sent_and_leaves_no_hole(source):
    with pytest.raises(LookupError), transaction.atomic():
        logbook.record("framework", told("rolled_back"))
        raise LookupError
    with transaction.atomic():
        logbook.record("framework", told("first"))
        with pytest.raises(LookupError), transaction.atomic():
            logbook.record("framework", told("inner_rolled_back"))
            raise LookupError
        logbook.record("framework", told("second"))
    assert [(e["action"], e["sequence"]) for e in source.sent()] == [("first", 1), ("second", 2)]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time, so no transaction commits late")
def test_an_event_that_is_committed_late_gets_a_later_number(source):
    written, may_commit = threading.Event(), threading.Event()

    def write_late():
        with transaction.atomic():
            logbook.record("framework", told("written_first"))
            written.set()
            may_commit.wait(30)
        connections.close_all()

    late = threading.Thread(target=write_late)
    late.start()
    written.wait(30)
    logbook.record("framework", told("committed_first"))
    assert [e["action"] for e in source.sent()] == ["committed_first"]
    may_commit.set()
    late.join()
    assert [(e["action"], e["sequence"]) for e in source.sent()] == [("committed_first", 1), ("written_first", 2)]
    assert source.state()["gaps"] == []


def test_a_dedupe_key_of_the_caller_is_kept(source):
    logbook.record("framework", told(dedupe_key="once"))
    assert len(source.sent()) == 1
    logbook.record("framework", told(dedupe_key="other"))
    assert len(source.sent()) == 2
    assert source.state()["duplicates"] == 0


def test_an_event_with_a_key_that_is_known_does_not_hold_up_the_others(source):
    """Recorded a second time it has a new time, which makes it another event."""
    for _ in range(2):
        logbook.record("framework", told(dedupe_key="invoice-7"))
    logbook.record("framework", told("next"))
    with pytest.raises(AssertionError, match="dedupe"):
        source.sent()
    assert not OutboxEvent.objects.exists()
    assert [event["action"] for event in source.events()] == ["told", "next"]
    assert len(source.rejected()) == 1
    # It is as good as any other day.
    logbook.record("framework", told("later"))
    with pytest.raises(AssertionError, match="dedupe"):
        source.sent()
    assert [event["action"] for event in source.events()] == ["told", "next", "later"]


def test_an_event_with_its_own_key_and_time_is_stored_once(source):
    for _ in range(2):
        logbook.record("framework", told(dedupe_key="invoice-7", occurred_at="2026-11-27T12:00:00Z"))
    logbook.record("framework", told("next"))
    relay.Relay().drain()
    assert [event["action"] for event in source.events()] == ["told", "next"]
    # Servers that compare the sequence too have put it into quarantine.
    assert source.state()["duplicates"] + len(source.rejected()) == 1


def test_an_event_that_cannot_be_recorded_is_logged_and_told_later(source, caplog):
    with source.configure(RAISE=False):
        assert not logbook.record("nonsense", told("no_such_log"))
        assert "could not record" in caplog.text
        with transaction.atomic():
            logbook.record("framework", told("next"))
    first, lost = source.sent()
    assert first["action"] == "next"
    assert (lost["action"], lost["outcome"], lost["metadata"]["count"]) == ("events_lost", "failure", 1)


def test_the_number_of_lost_events_waits_until_it_can_be_told(source):
    with source.configure(RAISE=False):
        assert not logbook.record("nonsense", told())
        with ExitStack() as after:
            with transaction.atomic():
                logbook.record("framework", told("first"))
                # The commit is muted, and what is done after it.
                after.enter_context(logbook.muted())
        is_open = iter([True, False])
        with source.configure(RAISE=False, GATE=lambda using: next(is_open)):
            logbook.record("framework", told("second"))
        logbook.record("framework", told("third"))
    *others, lost = source.sent()
    assert [event["action"] for event in others] == ["first", "second", "third"]
    assert (lost["action"], lost["metadata"]["count"]) == ("events_lost", 1)


@pytest.fixture
def no_outbox():
    """A database whose migration of the outbox was forgotten."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE logbook_outboxevent RENAME TO elsewhere")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO logbook_outboxevent")


@pytest.mark.parametrize("in_transaction", [True, False])
def test_a_failed_insert_does_not_break_the_apps_transaction(source, no_outbox, caplog, in_transaction):
    with source.configure(RAISE=False):
        if in_transaction:
            with transaction.atomic():
                Work.objects.create(key="kept")
        else:
            Work.objects.create(key="kept")
    assert Work.objects.filter(key="kept").exists()
    assert "could not record" in caplog.text
    outbox._Lost.count = 0


def test_recording_in_a_broken_transaction_raises_nothing(source, caplog):
    with source.configure(RAISE=False), transaction.atomic():
        transaction.set_rollback(True)
        assert not logbook.record("framework", told())
    assert "could not record" in caplog.text
    outbox._Lost.count = 0
    assert source.sent() == []


@pytest.mark.skipif(connection.vendor == "sqlite", reason="only PostgreSQL aborts a transaction when a statement fails")
def test_recording_in_an_aborted_transaction_raises_nothing(source, caplog):
    with source.configure(RAISE=False), transaction.atomic():
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")
        assert not logbook.record("framework", told())
        transaction.set_rollback(True)
    assert "could not record" in caplog.text
    outbox._Lost.count = 0


def test_with_raise_an_error_is_raised(source):
    with pytest.raises(ValueError, match="there is no log 'nonsense'"):
        logbook.record("nonsense", told())


def test_nothing_is_recorded_inside_muted_and_without_configuration(source, settings_without_logbook):
    assert not logbook.record("framework", told())
    with source.configure(), logbook.muted():
        assert not logbook.record("framework", told())
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("half \ud83d of a pair", "half \N{REPLACEMENT CHARACTER} of a pair"),
        (float("nan"), "nan"),
        (2**60, str(2**60)),
        (1e20, "1e+20"),
        (-float(2**53), -(2**53)),
        ({"of": [float("-inf"), 2.0**53 + 2, 1.5]}, {"of": ["-inf", "9007199254740994.0", 1.5]}),
        (b"bytes", f"5 bytes, sha256:{hashlib.sha256(b'bytes').hexdigest()[:32]}"),
        ({1: {"b", "a"}}, {"1": ["a", "b"]}),
    ],
)
def test_any_value_becomes_json(source, value, stored):
    logbook.record("framework", told(metadata={"value": value}))
    [event] = source.sent()
    assert event["metadata"]["value"] == stored


@pytest.mark.parametrize("occurred_at", [datetime(2026, 11, 27, 12), datetime(2026, 11, 27, 6, 30, tzinfo=timezone.utc)])
def test_a_time_without_a_zone_is_in_that_of_the_project(source, occurred_at):
    with override_settings(USE_TZ=False, TIME_ZONE="Asia/Kolkata"):
        logbook.record("framework", told(occurred_at=occurred_at))
    [event] = source.sent()
    assert event["occurred_at"].startswith("2026-11-27T06:30:00")


def test_what_is_too_long_is_cut_and_arrives(source):
    logbook.record("framework", told(error="e" * 30_000, purpose="p" * 5000, metadata={"m": "m" * 100_000}))
    logbook.record(
        "application",
        {
            "action": "update",
            "model": "m",
            "record_id": "i" * 400,
            "record_name": "n" * 4000,
            "changes": [events.change(f"f{n}", None, "v" * 70_000) for n in range(1200)],
        },
    )
    source.sent()
    [framework], [application] = source.log("framework"), source.log("application")
    assert len(framework["error"]) == 20_000
    assert framework["metadata"] == {"cut": "metadata", "names": ["m"]}
    assert len(application["changes"]) == 1000
    assert application["metadata"]["cut"].startswith("values beyond")
    assert len(application["record_id"]) == 255


def test_a_thread_sends_by_itself_after_the_first_commit(source):
    with source.configure(RELAY="thread", POLL_SECONDS=0.1):
        try:
            with transaction.atomic():
                logbook.record("framework", told("first"))
            wait_for("the first event", lambda: [e["action"] for e in source.events()] == ["first"])
            logbook.record("framework", told("second"))
            wait_for("the second event", lambda: [e["action"] for e in source.events()] == ["first", "second"])
        finally:
            thread.stop()


def test_requests_do_not_wait_for_a_logbook_that_does_not_answer(source, user):
    client = Client()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with source.configure(URL=url, RELAY="thread", TIMEOUT=60):
            began = time.monotonic()
            for number in range(20):
                assert client.get("/patients", {"name": f"patient {number}"}).status_code == 200
            took = time.monotonic() - began
            assert thread._running is not None
    # One answer would have taken a minute.
    assert took < 30
    thread.stop()
    assert Patient.objects.count() == 20
    assert len(source.sent("application")) == 20


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite must not be open in a process that forks")
def test_a_forked_process_has_a_thread_of_its_own(source):
    with source.configure(RELAY="thread"):
        try:
            logbook.record("framework", told("before"))
            wait_for("the thread", lambda: thread._running)
            connections.close_all()
            child = os.fork()
            if child == 0:
                try:
                    logbook.record("framework", told("after"))
                    pid, running, _ = thread._running
                    os._exit(0 if pid == os.getpid() and running.is_alive() else 1)
                finally:
                    os._exit(2)
            assert os.waitpid(child, 0)[1] == 0
            wait_for("both events", lambda: {e["action"] for e in source.events()} == {"before", "after"})
        finally:
            thread.stop()


def test_the_payload_in_the_outbox_is_the_event(source):
    logbook.record("framework", told())
    row = OutboxEvent.objects.get()
    assert json.loads(row.payload)["action"] == "told"
    assert (row.log, row.epoch, row.sequence) == ("framework", None, None)
