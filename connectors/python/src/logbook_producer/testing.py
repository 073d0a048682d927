"""A stand-in for tests: it keeps events in memory, and says what was written."""

from __future__ import annotations

import json
from typing import Any

from .events import NewAccessEvent, NewApplicationEvent, NewFrameworkEvent
from .producer import Producer

TYPES: dict[str, Any] = {"access": NewAccessEvent, "application": NewApplicationEvent, "framework": NewFrameworkEvent}


class RecordedLogbook(Producer):
    """Takes the place of a `Logbook`. `events` has what would have been sent.

    An event that lacks a field or has one that Logbook does not know is an AssertionError where it is written; Logbook would
    put it into quarantine.

        logbook = RecordedLogbook()
        close_patient(logbook, "92")
        logbook.assert_written(log="application", action="update", record_id="92", changes=[{"field": "status", "new": "closed"}])
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def assert_written(self, log: str | None = None, **fields: Any) -> dict[str, Any]:
        """Asserts that an event with these fields was written, and returns the first one.

        Of an object, such as `actor`, only the members that are given are compared; of a list, such as `changes`, each item.
        """
        expected = {**({"log": log} if log else {}), **fields}
        closest: tuple[list[str], dict[str, Any]] | None = None
        for event in self.events:
            differences = _differences(expected, event, "")
            if not differences:
                return event
            if closest is None or len(differences) < len(closest[0]):
                closest = (differences, event)
        if closest is None:
            raise AssertionError("no event was written")
        lines = "\n".join(f"  {line}" for line in closest[0])
        raise AssertionError(
            f"none of the {len(self.events)} events is such. The closest differs in\n{lines}\nand is\n{_pretty(closest[1])}"
        )

    def assert_not_written(self, log: str | None = None, **fields: Any) -> None:
        """Asserts that no event with these fields was written."""
        expected = {**({"log": log} if log else {}), **fields}
        for event in self.events:
            if not _differences(expected, event, ""):
                raise AssertionError(f"this event was written\n{_pretty(event)}")

    def flush(self, timeout: float = 10.0) -> bool:
        return True

    def close(self, timeout: float = 5.0) -> None:
        pass

    def _keep(self, event: bytes) -> bool:
        written = json.loads(event)
        shape = TYPES[written["log"]]
        missing = shape.__required_keys__ - written.keys()
        unknown = written.keys() - shape.__required_keys__ - shape.__optional_keys__ - {"log"}
        assert not missing, f"an event of the {written['log']} log needs {', '.join(sorted(missing))}\n{_pretty(written)}"
        assert not unknown, f"an event of the {written['log']} log has no {', '.join(sorted(unknown))}\n{_pretty(written)}"
        self.events.append(written)
        return True


def _differences(expected: Any, found: Any, path: str) -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key, value in expected.items() for line in _differences(value, found.get(key), f"{path}.{key}".lstrip("."))]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for index, (one, other) in pairs for line in _differences(one, other, f"{path}[{index}]")]
    return [] if expected == found else [f"{path}: expected {expected!r}, found {found!r}"]


def _pretty(event: dict[str, Any]) -> str:
    return json.dumps(event, indent=2, ensure_ascii=False)
