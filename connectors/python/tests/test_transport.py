"""The transport against a real Logbook, alone and behind something that answers in its place."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest

from logbook_producer import transport
from logbook_producer.transport import Misconfigured, Received, TooLarge, Transport, Unavailable
from proxy import Answer, proxy_to
from server import Source, free_port, ids_of


def event(number: int, **more: Any) -> dict[str, Any]:
    """An event that is the same each time it is made."""
    return {
        "log": "application",
        "action": "create",
        "model": "record",
        "record_id": str(number),
        "occurred_at": "2026-11-01T08:00:00Z",
        "dedupe_key": f"key-{number}",
        **more,
    }


def test_a_batch_that_is_sent_twice_is_stored_once(source: Source) -> None:
    way = Transport(**source.address)
    batch = [event(number) for number in range(3)]
    assert way.send(batch) == Received(accepted=3)
    assert way.send(batch) == Received(duplicates=3)
    assert ids_of(source.feed()) == ["0", "1", "2"]


def test_what_cannot_be_read_costs_nothing_else(source: Source) -> None:
    way = Transport(**source.address)
    poison = [event(1, action="NOT SNAKE"), event(2, unknown=1), event(3, model="\x00"), event(4, metadata={"big": 2**60})]
    assert way.send([event(0), *poison, event(5)]) == Received(accepted=2, rejected=4)
    # A key that another event has.
    assert way.send([event(1), event(1, record_name="another")]) == Received(accepted=1, rejected=1)
    # Not even what is no JSON.
    assert way.send_encoded([b'{"log":"access",', transport.encode(event(6))]) == Received(accepted=1, rejected=1)
    assert ids_of(source.feed()) == ["0", "5", "1", "6"]


def test_text_comes_as_it_was(source: Source) -> None:
    text = '\N{GRINNING FACE} 李雷 "quoted" \\ \n \u2028 half: \ud83d'
    Transport(**source.address).send([event(0, record_name=text)])
    assert source.log("application")[0]["record_name"] == text.replace("\ud83d", "?")


def test_large_bodies_are_compressed_and_larger_ones_split(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy_to(source.server.url) as proxy:
        bodies: list[bytes] = []
        proxy.instead = lambda path, body: bodies.append(body)
        way = Transport(**{**source.address, "url": proxy.url})
        way.send([event(number, metadata={"text": "x" * 500}) for number in range(300)])
        assert [body[:2] for body in bodies] == [b"\x1f\x8b"]
        # As nginx does with `client_max_body_size`.
        proxy.instead = lambda path, body: (413, {}, b"<html>too large</html>") if len(body) > 2000 else None
        assert way.send([event(number) for number in range(1000, 1040)]) == Received(accepted=40)
        assert ids_of(source.feed())[-40:] == [str(number) for number in range(1000, 1040)]
        with pytest.raises(TooLarge) as caught:
            way.send([event(2000), event(2001, record_name="x" * 2000), event(2002)])
        assert caught.value.index == 1
        way.close()
    monkeypatch.setattr(transport, "MAX_EVENTS", 7)
    assert Transport(**source.address).send([event(number) for number in range(3000, 3020)]) == Received(accepted=20)


def test_an_idle_connection_that_was_closed_is_opened_again(source: Source) -> None:
    with proxy_to(source.server.url) as proxy:
        way = Transport(**{**source.address, "url": proxy.url})
        assert way.send([event(0)]) == Received(accepted=1)
        proxy.lose_answers = 1
        # The first answer is lost on a connection that was open: the second try is silent.
        assert way.send([event(1)]) == Received(duplicates=1)
        way.close()
        proxy.lose_answers = 1
        with pytest.raises(Unavailable):
            way.send([event(2)])
        assert ids_of(source.feed()) == ["0", "1", "2"]


@pytest.mark.parametrize("change", [{"key": "lbk_nobody"}, {"source": "other"}, {"workspace": "other"}])
def test_a_wrong_configuration_is_told(source: Source, change: Any) -> None:
    way = Transport(**{**source.address, **change})
    with pytest.raises(Misconfigured) as caught:
        way.send([event(0)])
    assert caught.value.status in (401, 404)
    with pytest.raises(Misconfigured):
        way.heartbeat()


@pytest.mark.parametrize(
    "change",
    [
        {"url": "logbook.example"},
        {"url": "ftp://logbook.example"},
        {"url": "https://logbook.example?x=1"},
        {"workspace": "Clinic"},
        {"source": "../x"},
        {"key": "two words"},
        {"key": "line\n"},
    ],
)
def test_what_cannot_be_an_address_is_refused(change: Any) -> None:
    with pytest.raises(ValueError):
        Transport(**{"url": "https://logbook.example", "workspace": "clinic", "source": "billing", "key": "k", **change})


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>Please sign in to the network</html>"),
        (200, {}, b'{"accepted": 0, "duplicates": 0, "skipped": 0}'),
        (200, {}, b'{"accepted": true, "duplicates": 0, "skipped": 0, "rejected": 0}'),
        (200, {}, b'{"accepted": "1", "duplicates": 0, "skipped": 0, "rejected": 0}'),
        (200, {}, b'{"accepted": 2, "duplicates": -1, "skipped": 0, "rejected": 0}'),
        (200, {}, b'{"accepted": 2, "duplicates": 0, "skipped": 0, "rejected": 0}'),
        (200, {}, b"[]"),
        (204, {}, b""),
        (302, {"Location": "https://elsewhere.example"}, b""),
    ],
)
def test_only_logbooks_own_count_is_an_acknowledgement(source: Source, answer: Answer) -> None:
    with proxy_to(source.server.url) as proxy:
        proxy.instead = lambda path, body: answer
        way = Transport(**{**source.address, "url": proxy.url})
        with pytest.raises(Misconfigured):
            way.send([event(0)])
        way.close()


def test_what_logbook_does_not_count_is_in_quarantine(source: Source) -> None:
    with proxy_to(source.server.url) as proxy:
        way = Transport(**{**source.address, "url": proxy.url})
        for accepted in (0, 1):
            counts = f'{{"accepted": {accepted}, "duplicates": 0, "skipped": 0, "rejected": 0}}'
            proxy.instead = lambda path, body, counts=counts: (200, {}, counts.encode())  # type: ignore[misc]
            assert way.send([event(0), event(1)]) == Received(accepted=accepted, rejected=2 - accepted)
        way.close()


def test_logbook_says_when_to_try_again(source: Source) -> None:
    with proxy_to(source.server.url) as proxy:
        way = Transport(**{**source.address, "url": proxy.url})

        def asked_to_wait(status: int, headers: dict[str, str]) -> float | None:
            proxy.instead = lambda path, body: (status, headers, b"no")
            with pytest.raises(Unavailable) as caught:
                way.send([event(0)])
            return caught.value.retry_after

        assert asked_to_wait(503, {"Retry-After": "7"}) == 7
        assert asked_to_wait(429, {"Retry-After": "0"}) == 0
        assert asked_to_wait(502, {"Retry-After": "soon"}) is None
        assert asked_to_wait(500, {}) is None
        assert (asked_to_wait(503, {"Retry-After": formatdate(4_000_000_000, usegmt=True)}) or 0) > 1e8
        way.close()


def test_a_server_that_is_not_there_or_does_not_answer_is_unavailable(source: Source) -> None:
    with pytest.raises(Unavailable):
        Transport(**{**source.address, "url": f"http://127.0.0.1:{free_port()}"}).send([event(0)])
    with proxy_to(source.server.url) as proxy:
        proxy.hang.clear()
        way = Transport(**{**source.address, "url": proxy.url}, timeout=0.1)
        with pytest.raises(Unavailable):
            way.send([event(0)])
        way.close()
