"""Sends batches of events to a source's own door, over one connection that is kept open.

    transport = Transport("https://logbook.example", "clinic", "billing", key)
    received = transport.send([{"log": "access", "event_type": "login", "dedupe_key": …, "epoch": …, "sequence": 1}])

The door answers once every event of the batch is durable: stored, or in quarantine where it cannot be read. Each error
below means that the batch is to be kept. To send the same batch again is always safe, because Logbook stores an event with
a known dedupe key once.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import ssl
import threading
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

MAX_EVENTS = 10_000
MAX_BYTES = 16 * 1024 * 1024
# Logbook reads smaller bodies without handing them to another thread, so there compression would slow it down.
GZIP_FROM = 64 * 1024

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SOURCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class TransportError(Exception):
    """Nothing tells that the batch is durable: keep it."""


class Unavailable(TransportError):
    """Logbook cannot be reached or has no room now: send the same batch again.

    `retry_after` is what Logbook asks to wait, in seconds; None where it says nothing.
    """

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Misconfigured(TransportError):
    """The address, the workspace, the source or the key is wrong. Somebody has to mend the configuration.

    `status` is that of the response, `detail` says in words what was wrong.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail


class Received(NamedTuple):
    """What became of a batch, in events."""

    accepted: int = 0
    """Stored now."""
    duplicates: int = 0
    """Stored before."""
    skipped: int = 0
    """No events, as the mapping of the source says."""
    rejected: int = 0
    """In quarantine."""

    def plus(self, other: Received) -> Received:
        return Received(*(one + another for one, another in zip(self, other, strict=True)))


class TooLarge(TransportError):
    """One event alone is larger than Logbook, or a proxy before it, accepts.

    `index` is its place in the batch. All events before it are durable, and `received` says what became of them.
    """

    def __init__(self, index: int, detail: str, received: Received = Received()) -> None:  # noqa: B008
        super().__init__(detail)
        self.index = index
        self.received = received


class Refused(Misconfigured):
    """A firewall before Logbook refuses one event alone, as for a text that looks like an attack; it lets others pass.

    `index` and `received` are as those of `TooLarge`.
    """

    def __init__(self, index: int, status: int, detail: str, received: Received) -> None:
        super().__init__(status, detail)
        self.index = index
        self.received = received


class Transport:
    """The way to one source. Threads may share it; they take turns.

    `url` is Logbook's public address, maybe with a path. `timeout` is in seconds and counts for connecting and for each
    time that nothing comes. Raises ValueError for an address, a workspace or a source that cannot be.
    """

    def __init__(self, url: str, workspace: str, source: str, key: str, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is not the address of a Logbook: it needs http:// or https:// and a host")
        if not SLUG.fullmatch(workspace):
            raise ValueError(f"{workspace!r} cannot be the slug of a workspace")
        if not SOURCE.fullmatch(source):
            raise ValueError(f"{source!r} cannot be the name of a source")
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the key is not one of Logbook's")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname
        self._port = parts.port
        self._path = f"{parts.path.rstrip('/')}/api/v1/workspaces/{workspace}/sources/{source}"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "User-Agent": "logbook-producer"}
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def send(self, events: Sequence[dict[str, Any]]) -> Received:
        """Sends events, each with its `log`. Raises as `send_encoded`, and TypeError or ValueError for what is not JSON."""
        return self.send_encoded([encode(event) for event in events])

    def send_encoded(self, events: Sequence[bytes]) -> Received:
        """Sends events that are JSON objects already. A batch that is too large, or is refused for one event, is sent in parts.

        Raises `Unavailable`, `Misconfigured`, `TooLarge`, `Refused`. Parts may be durable then; the whole batch may be sent again.
        """
        received = Received()
        # Places of parts in the batch, the next one last, and whether it was refused before, alone or with others.
        parts = [(0, len(events), False)] if events else []
        while parts:
            first, end, again = parts.pop()
            part = events[first:end]
            try:
                received = received.plus(self._send_part(part))
                continue
            except TooLarge as error:
                if len(part) == 1:
                    raise TooLarge(first, str(error), received) from None
            except Misconfigured as error:
                if not 400 <= error.status < 500 or error.status == 401:
                    raise
                # Logbook quarantines an event that it cannot read. Where a batch without events passes, the address and the
                # key are right, and it is the text of an event that somebody else refuses.
                try:
                    self._send_part([])
                except TooLarge:
                    raise error from None
                if len(part) == 1 and again:
                    raise Refused(first, error.status, error.detail, received) from None
                again = True
            # One event is tried twice: what refused it may have refused everything for a moment.
            middle = first + len(part) // 2
            parts += [(begin, stop, again) for begin, stop in ((middle, end), (first, middle)) if begin < stop]
        return received

    def heartbeat(self, epoch: str | None = None, sequence: int | None = None) -> None:
        """Says that the producer is alive, and how far it has counted. Raises `Unavailable`, `Misconfigured`."""
        status, answer = self._post("heartbeat", encode({"epoch": epoch, "sequence": sequence}))
        if status != 204:
            raise Misconfigured(status, f"this is no answer of Logbook: {answer[:200]!r}")

    def close(self) -> None:
        """Closes the connection. The next request opens another."""
        with self._lock:
            self._disconnect()

    def abandon(self) -> None:
        """In a forked child: closes its copy of the connection, whoever in the parent was using it."""
        self._disconnect()

    def _send_part(self, events: Sequence[bytes]) -> Received:
        if len(events) > MAX_EVENTS or sum(map(len, events)) + 2 * len(events) > MAX_BYTES:
            raise TooLarge(0, f"the limit is {MAX_EVENTS} events and {MAX_BYTES} bytes")
        # One event a line: Logbook goes on at the next line after a damaged one.
        status, answer = self._post("events", b"[" + b",\n".join(events) + b"]")
        # Some other server, or a proxy, may answer 200 as well. Only Logbook's counts say that the events are durable.
        received = _counts(answer)
        if status != 200 or received is None or sum(received) > len(events):
            raise Misconfigured(status, f"this is no answer of Logbook: {answer[:200]!r}")
        # Older servers do not count an event with the dedupe key of another one, which is in quarantine.
        return received._replace(rejected=received.rejected + len(events) - sum(received))

    def _post(self, action: str, body: bytes) -> tuple[int, bytes]:
        headers = dict(self._headers)
        if len(body) >= GZIP_FROM:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        with self._lock:
            status, answered, answer = self._request(f"{self._path}/{action}", body, headers)
        if status in (408, 425, 429) or status >= 500:
            raise Unavailable(f"{status}: {_detail(answer)}", _seconds(answered.get("Retry-After")))
        if status == 413:
            raise TooLarge(0, _detail(answer))
        if 300 <= status < 400:
            raise Misconfigured(status, f"the address redirects to {answered.get('Location')!r}; use that one")
        if status >= 400:
            raise Misconfigured(status, _detail(answer))
        return status, answer

    def _request(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        was_open = self._connection is not None and self._connection.sock is not None
        try:
            return self._exchange(path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            # A server closes a connection that was idle, which shows only when it is used. A timeout is no such case.
            if not was_open or isinstance(error, TimeoutError):
                raise Unavailable(_words(error)) from error
        try:
            return self._exchange(path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(_words(error)) from error

    def _exchange(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, bytes]:
        try:
            connection = self._connect()
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except BaseException:
            self._disconnect()
            raise

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._tls:
                self._connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def encode(event: dict[str, Any]) -> bytes:
    """An event as JSON on one line. Raises TypeError or ValueError for what is not JSON.

    Half of a surrogate pair, which no UTF-8 text can have, becomes a question mark.
    """
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")


def _counts(answer: bytes) -> Received | None:
    """What Logbook counted; None for an answer that is not Logbook's."""
    try:
        counts = json.loads(answer)
        received = Received(*(counts[name] for name in Received._fields))
    except (ValueError, TypeError, KeyError):
        return None
    return received if all(type(count) is int and count >= 0 for count in received) else None


def _detail(answer: bytes) -> str:
    """What a problem (RFC 9457) says, or the beginning of whatever else was answered."""
    try:
        problem = json.loads(answer)
        return str(problem["detail"])
    except (ValueError, TypeError, KeyError):
        return answer[:200].decode("utf-8", "replace")


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds: a number, or a date (RFC 9110)."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(int(retry_after)))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return None


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
