"""What `Logbook` and the stand-in for tests have in common: an event, with what the context adds, as JSON."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

from .backlog import MAX_EVENT_BYTES
from .context import context, fields_for
from .events import NewAccessEvent, NewApplicationEvent, NewFrameworkEvent

# The package counts, and makes a dedupe key of its count.
OWN = ("dedupe_key", "epoch", "sequence")
# JSON numbers are doubles in RFC 8785. Logbook refuses larger ones, which may not be exact.
MAX_EXACT = 2**53
# What a larger one looks like, in JSON of Python. Texts may look like it too.
LARGE = re.compile(r"[0-9](?:[0-9]{15}|e\+)")


class Producer(ABC):
    """Writes events of the three logs.

    Each method returns True when the event is kept and will be sent. Values that JSON does not have are written as texts:
    times in ISO 8601, others by `str`; so are numbers beyond 2^53, which JSON does not keep exactly. ValueError is raised
    for an event of more than 512 KiB and for one that contains itself.
    """

    def access(self, event: NewAccessEvent) -> bool:
        """Who came in: a sign-in, a sign-out, a failed sign-in."""
        return self._record("access", event)

    def application(self, event: NewApplicationEvent) -> bool:
        """What changed in the data: a record was created, updated, deleted, or this was denied."""
        return self._record("application", event)

    def framework(self, event: NewFrameworkEvent) -> bool:
        """What the platform did: a job failed, a release was applied."""
        return self._record("framework", event)

    context = staticmethod(context)

    def _record(self, log: str, event: Mapping[str, Any]) -> bool:
        composed: dict[str, Any] = {"log": log, "occurred_at": None, **fields_for(log), **event}
        if composed["occurred_at"] is None:
            composed["occurred_at"] = datetime.now(timezone.utc)
        for name in OWN:
            composed.pop(name, None)
        encoded = encode(composed)
        if len(encoded) > MAX_EVENT_BYTES:
            raise ValueError(f"an event has at most {MAX_EVENT_BYTES // 1024} KiB, this one has {len(encoded) // 1024}")
        return self._keep(encoded)

    @abstractmethod
    def _keep(self, event: bytes) -> bool:
        """Keeps an event that is a JSON object."""


def encode(event: dict[str, Any]) -> bytes:
    """An event as JSON. Raises ValueError for one that contains itself."""
    try:
        text = _encoder.encode(event)
        is_plain = not LARGE.search(text)
    except (TypeError, ValueError):
        # Keys that are no texts, or numbers that JSON does not have.
        is_plain = False
    if not is_plain:
        text = _encoder.encode(_plain(event, depth=0))
    return text.encode("utf-8", "replace")


def _other(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return [_plain(inner, depth=0) for inner in sorted(value, key=str)]
    return str(value)


_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_other)


def _digits(number: float) -> str:
    """A number as text. Python writes no integer of more than some thousand digits in decimals."""
    if isinstance(number, float):
        return float.__repr__(number)
    try:
        return int.__repr__(number)
    except ValueError:
        return hex(number)


def _plain(value: Any, depth: int) -> Any:
    if depth > 100:
        raise ValueError("an event that contains itself is no event")
    if isinstance(value, (int, float)) and not abs(value) <= MAX_EXACT:
        return _digits(value)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, depth + 1) for inner in value]
    return value
