"""The relay: what it does when Logbook is away, when it is killed, and when there are two of it."""

import signal
from unittest.mock import Mock

import logbook_django as logbook
import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from logbook_django import bound, thread
from logbook_django.models import OutboxEvent, OutboxState
from logbook_django.relay import Outbox, Relay
from logbook_django.status import status
from logbook_producer.transport import Misconfigured, TooLarge, Transport, Unavailable
from servers import wait_for


def tell(count=1, action="told"):
    for number in range(count):
        logbook.record("framework", {"action": action, "component": {"type": "test", "id": str(number)}})


def numbers(events):
    return [event["sequence"] for event in events]


class LosesAnswers(Transport):
    """Sends, and then the answer does not come."""

    def send_encoded(self, events):
        super().send_encoded(events)
        raise Unavailable("the answer is lost")


class Firewall(Transport):
    """Something before Logbook that refuses requests with a text in them."""

    def __init__(self, source, text, status=403):
        super().__init__(*source.settings.values())
        self.text, self.status = text, status

    def _post(self, action, body):
        if self.text in body:
            raise TooLarge(0, "too large") if self.status == 413 else Misconfigured(self.status, "forbidden")
        return super()._post(action, body)


def drain(transport):
    relay = Relay(transport=transport)
    try:
        return relay.drain()
    finally:
        relay.release()


def test_events_wait_while_logbook_is_away(source, logbook):
    tell(3)
    logbook.stop()
    try:
        relay = Relay()
        step = relay.step()
        assert (step.sent, step.more) == (0, False)
        assert step.wait > 0
        assert "cannot be reached" in step.error
        assert status(Outbox())["rows"] == 3
        assert "cannot be reached" in status(Outbox())["last_error"]
        relay.release()
    finally:
        logbook.start()
    assert numbers(source.sent()) == [1, 2, 3]
    assert status(Outbox())["last_error"] is None


@pytest.mark.parametrize(("asked", "least", "most"), [(None, 0, 0.5), (40, 40, 40), (86_400, 300, 300)])
def test_it_waits_as_long_as_logbook_asks_up_to_five_minutes(source, asked, least, most):
    tell()
    transport = Mock(send_encoded=Mock(side_effect=Unavailable("busy", asked)))
    relay = Relay(transport=transport)
    assert least <= relay.step().wait <= most
    relay.release()


def test_a_batch_whose_answer_was_lost_is_sent_again_with_the_same_numbers(source):
    tell(3)
    relay = Relay(transport=LosesAnswers(*source.settings.values()))
    assert relay.step().error
    relay.release()
    tell(1)
    assert numbers(source.sent()) == [1, 2, 3, 4]
    assert source.state()["duplicates"] == 3
    assert source.state()["gaps"] == []


def test_a_wrong_key_is_said_and_nothing_is_lost(source, caplog):
    tell()
    with source.configure(KEY="wrong"):
        relay = Relay()
        step = relay.step()
        assert step.wait >= 60
        assert "refuses the source's key" in caplog.text
        relay.release()
    assert numbers(source.sent()) == [1]


@pytest.mark.parametrize("status", [403, 413])
def test_an_event_that_is_refused_on_its_way_costs_only_itself(source, caplog, status):
    tell(3)
    tell(1, action="refused")
    tell(4)
    assert drain(Firewall(source, b"refused", status)) == 8
    events = source.sent()
    assert numbers(events) == list(range(1, 9))
    assert [event["action"] for event in events] == [*["told"] * 3, "events_dropped", *["told"] * 4]
    assert (events[3]["outcome"], events[3]["metadata"]) == (
        "failure",
        {"count": 1, "status": status, "from": events[3]["occurred_at"], "to": events[3]["occurred_at"]},
    )
    assert (source.state()["gaps"], source.state()["duplicates"]) == ([], 0)
    assert caplog.text.count("something before Logbook refuses it") == 1


def test_an_event_that_was_replaced_before_a_crash_is_replaced_once(source, monkeypatch):
    tell(1, action="refused")
    tell()
    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_sent", Mock(side_effect=DatabaseError))
        with pytest.raises(DatabaseError):
            drain(Firewall(source, b"refused"))
    drain(Firewall(source, b"refused"))
    assert [(event["action"], event["sequence"]) for event in source.sent()] == [("events_dropped", 1), ("told", 2)]
    assert source.state()["duplicates"] == 1


@pytest.mark.parametrize("status", [403, 413])
def test_where_every_event_is_refused_all_of_them_wait(source, caplog, status):
    tell(3)
    relay = Relay(transport=Firewall(source, b"dedupe_key", status))
    for _ in range(3):
        step = relay.step()
        assert step.error.startswith("something before Logbook")
        assert step.wait >= 60
    relay.release()
    assert "dropped" not in caplog.text
    assert [event["action"] for event in source.sent()] == ["told"] * 3


def test_batches_are_bounded_by_count_and_by_bytes(source):
    tell(5)
    with source.configure(BATCH_EVENTS=2):
        relay = Relay()
        assert [relay.step().sent for _ in range(4)] == [2, 2, 1, 0]
        relay.release()
    for _ in range(3):
        logbook.record("framework", {"action": "told", "component": {"type": "test"}, "error": "e" * 1000})
    with source.configure(BATCH_BYTES=2500):
        relay = Relay()
        assert [relay.step().sent for _ in range(3)] == [2, 1, 0]
        relay.release()
    assert numbers(source.sent()) == list(range(1, 9))


def test_one_relay_works_at_a_time(source):
    tell()
    first, second = Relay(), Relay()
    assert first.step().sent == 1
    tell()
    assert second.step().standby
    first.release()
    assert second.step().sent == 1
    second.release()


def test_the_lease_of_a_dead_relay_ends(source):
    dead = Relay()
    dead.step()
    tell()
    relay = Relay()
    # LEASE_SECONDS is 1 here.
    wait_for("the lease", lambda: relay.step().sent == 1)
    relay.release()


def test_rows_that_another_relay_numbered_meanwhile_are_sent(source):
    slow = Relay()
    slow.step()
    # It stands still; another relay takes over, and dies before its batch is sent.
    OutboxState.objects.update(owner=None)
    tell(2)
    other = Relay(transport=Mock(send_encoded=Mock(side_effect=Unavailable("away"))))
    assert other.step().error
    OutboxState.objects.update(owner=None)
    # It has not noticed.
    assert slow.step().sent == 2
    slow.release()
    assert numbers(source.events()) == [1, 2]


def test_a_relay_that_lost_its_lease_numbers_nothing(source):
    slow = Relay()
    slow.step()
    OutboxState.objects.update(owner="another")
    tell()
    assert slow.step().sent == 0
    assert OutboxEvent.objects.get().sequence is None


def test_it_says_that_it_is_alive_when_nothing_waits(source):
    tell()
    with source.configure(HEARTBEAT_SECONDS=1e-9):
        source.sent()
    assert source.state()["last_heartbeat_at"] is not None
    assert source.state()["gaps"] == []


def test_a_heartbeat_before_the_first_event_is_no_gap(source):
    assert source.sent() == []
    assert source.state()["last_heartbeat_at"] is not None
    tell(2)
    assert numbers(source.sent()) == [1, 2]
    assert source.state()["gaps"] == []


def test_the_oldest_are_dropped_when_the_outbox_is_full(source, caplog):
    before = timezone.now()
    with source.configure(OUTBOX_MAX_ROWS=10):
        tell(25)
        assert OutboxEvent.objects.count() == 10
        assert "is full: dropped its" in caplog.text
    events = source.sent()
    told = events[0]
    assert (told["action"], told["outcome"], told["metadata"]["count"]) == ("events_dropped", "failure", 15)
    assert before.isoformat() <= told["metadata"]["from"] <= told["metadata"]["to"]
    assert [event["target"]["id"] for event in events[1:]] == [str(n) for n in range(15, 25)]
    # The dropped ones have numbers too, which never come.
    assert numbers(events) == list(range(16, 27))
    assert [(gap["from"], gap["to"]) for gap in source.state()["gaps"]] == [(1, 15)]


def test_two_processes_do_not_drop_the_same_excess_twice(source, monkeypatch):
    tell(25)
    count_from = bound.count_from

    def another_is_first(*arguments):
        monkeypatch.setattr(bound, "count_from", count_from)
        rows = count_from(*arguments)
        bound._gauges.clear()
        tell()
        return rows

    with source.configure(OUTBOX_MAX_ROWS=10):
        monkeypatch.setattr(bound, "count_from", another_is_first)
        tell()
    assert OutboxEvent.objects.count() == 10
    assert OutboxState.objects.get().dropped == 17


def test_the_app_leaves_dropping_to_the_relay(source, monkeypatch):
    monkeypatch.setattr(bound, "LOOK_SECONDS", 0.0)
    away = Mock(send_encoded=Mock(side_effect=Unavailable("away")), heartbeat=Mock(side_effect=Unavailable("away")))
    with source.configure(OUTBOX_MAX_ROWS=10, LEASE_SECONDS=60):
        relay = Relay(transport=away)
        assert relay.step().error
        tell(25)
        assert OutboxEvent.objects.count() == 25
        # Its next step may be a while, so it looks in between. Meanwhile another relay may try.
        relay.tend()
        assert OutboxEvent.objects.count() == 10
        assert OutboxState.objects.get().owner is None
        tell(5)
        assert OutboxEvent.objects.count() == 15
        assert relay.step().error
        # Those that it drops first are told with the first batch.
        assert OutboxEvent.objects.filter(sequence=None).count() == 0
        assert OutboxEvent.objects.count() == 11
        # It has died.
        OutboxState.objects.update(lease_until=timezone.now())
        tell()
        assert OutboxState.objects.get().dropped == 1
        relay.release()


def test_a_relay_that_waits_keeps_the_bound(source, monkeypatch):
    monkeypatch.setattr(bound, "LOOK_SECONDS", 0.1)
    with source.configure(OUTBOX_MAX_ROWS=10, KEY="wrong", RELAY="thread"):
        try:
            tell()
            # From now on it waits for a minute.
            wait_for("the error", lambda: OutboxState.objects.filter(last_error__contains="refuses the source's key"))
            tell(25)
            wait_for("the bound", lambda: OutboxEvent.objects.count() <= 10)
        finally:
            thread.stop()
    assert OutboxEvent.objects.filter(sequence=1).exists()


def test_a_full_outbox_refuses_where_no_event_may_be_lost(source, monkeypatch):
    monkeypatch.setattr(bound, "FULL_SECONDS", 3600.0)
    with source.configure(OUTBOX_MAX_ROWS=3, WHEN_FULL="block"):
        tell(3)
        with pytest.raises(logbook.OutboxFull, match="has 3 events that Logbook has not taken"):
            tell()
        assert len(source.sent()) == 3
        with pytest.raises(logbook.OutboxFull):
            tell()
        monkeypatch.setattr(bound, "FULL_SECONDS", 0.0)
        tell()
    assert len(source.sent()) == 4


def test_looking_at_the_bound_costs_no_query_for_most_events(source, django_queries):
    tell()
    with django_queries() as queries:
        tell(50)
    assert len(queries) == 50, [query["sql"] for query in queries]


def test_the_command_sends_and_ends_at_sigterm(source, manage):
    tell(3)
    relay = manage("logbook_relay", settings=source.settings)
    wait_for("the events", lambda: numbers(source.events()) == [1, 2, 3])
    relay.send_signal(signal.SIGTERM)
    assert relay.wait(30) == 0
    assert OutboxState.objects.get().owner is None


def test_once_sends_and_says_with_its_exit_code_whether_all_was_sent(source, manage):
    tell(3)
    assert manage("logbook_relay", "--once", settings=source.settings).wait(60) == 0
    assert numbers(source.events()) == [1, 2, 3]
    tell()
    assert manage("logbook_relay", "--once", settings={**source.settings, "KEY": "wrong"}).wait(60) == 1
    assert manage("logbook_relay", "--once").wait(60) == 2


def test_status_tells_what_waits_and_whether_logbook_answers(source, capsys, logbook):
    tell(2)
    with pytest.raises(SystemExit) as ended:
        call_command("logbook_status")
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert source.name in out
    assert "rows           2" in out
    assert "answers" in out
    assert source.key not in out
    with source.configure(KEY="wrong"), pytest.raises(SystemExit) as ended:
        call_command("logbook_status")
    assert ended.value.code == 1
    assert "refuses the source's key" in capsys.readouterr().out
    # Asking said nothing about numbers.
    assert source.state()["gaps"] == []
