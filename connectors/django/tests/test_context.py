"""Who acts, for whom, why and from where."""

import asyncio

import logbook_django as logbook
import pytest
from django.test import AsyncClient, Client


def tell():
    logbook.record("framework", {"action": "told", "component": {"type": "test"}})


def test_a_request_tells_who_acts_and_from_where(source, user):
    client = Client()
    with logbook.muted():
        client.force_login(user)
    client.get("/patients", {"name": "Li Lei"}, headers={"User-Agent": "Firefox", "X-Correlation-ID": "abc-1"}, REMOTE_ADDR="198.51.100.4")
    [event] = source.sent("application")
    assert (event["actor"]["type"], event["actor"]["id"], event["actor"]["name"]) == ("user", str(user.pk), "Asha Rao")
    assert (event["ip_address"], event["user_agent"], event["correlation_id"]) == ("198.51.100.4", "Firefox", "abc-1")
    assert event["session_id"]


def test_somebody_who_has_not_signed_in_is_not_the_system(source):
    Client().get("/patients", {"name": "Li Lei"})
    [event] = source.sent("application")
    assert (event["actor"]["type"], event["actor"]["id"], event["actor"]["name"]) == ("user", None, "anonymous")


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "né", "a\tb"])
def test_a_correlation_id_that_is_not_well_formed_is_replaced(source, given):
    Client().get("/patients", {"name": "Li Lei"}, HTTP_X_CORRELATION_ID=given)
    [event] = source.sent("application")
    assert len(event["correlation_id"]) == 32


def test_acting_says_who_for_whom_and_why(source, user):
    with logbook.acting(actor={"type": "agent", "id": "triage-2"}, on_behalf_of=user, purpose="INC-4711", correlation_id="c-1"):
        tell()
        with logbook.acting(purpose="INC-4712"):
            tell()
    tell()
    first, inner, outside = source.sent()
    assert (first["actor"]["id"], first["on_behalf_of"]["name"], first["purpose"], first["correlation_id"]) == (
        "triage-2",
        "Asha Rao",
        "INC-4711",
        "c-1",
    )
    assert (inner["actor"]["id"], inner["purpose"]) == ("triage-2", "INC-4712")
    assert (outside["actor"]["type"], outside["purpose"]) == ("system", None)


def test_what_an_event_says_itself_wins(source):
    with logbook.acting(actor={"type": "agent", "id": "triage-2"}, purpose="INC-4711"):
        event = {"action": "told", "component": {"type": "test"}, "actor": {"type": "service", "id": "x"}, "purpose": None}
        logbook.record("framework", event)
    [event] = source.sent()
    assert (event["actor"]["id"], event["purpose"]) == ("x", None)


def test_blocks_of_different_tasks_do_not_mix(source):
    async def act(name, turn, others):
        with logbook.acting(purpose=name):
            turn.set()
            await others.wait()
            return logbook.current().purpose

    async def both():
        a, b = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(act("a", a, b), act("b", b, a))

    assert asyncio.run(both()) == ["a", "b"]


def test_an_asynchronous_view(source):
    asyncio.run(AsyncClient().get("/patients/async", {"name": "Li Lei"}, headers={"X-Correlation-ID": "abc-1"}))
    created, told = source.sent()
    assert (created["action"], told["action"]) == ("create", "added")
    assert created["correlation_id"] == told["correlation_id"] == "abc-1"
    assert told["actor"]["name"] == "anonymous"
