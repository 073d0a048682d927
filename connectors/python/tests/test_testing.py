"""The stand-in, the types, and that the types are those of the contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logbook_producer.testing import RecordedLogbook

PACKAGE = Path(__file__).parent.parent


def close_patient(logbook: RecordedLogbook) -> None:
    with logbook.context(actor={"type": "user", "id": "17", "name": "Asha Rao"}):
        logbook.access({"event_type": "login"})
        logbook.application(
            {
                "action": "update",
                "model": "patient",
                "record_id": "92",
                "changes": [{"field": "status", "old": "open", "new": "closed"}],
            }
        )


def test_it_finds_what_was_written() -> None:
    logbook = RecordedLogbook()
    close_patient(logbook)
    found = logbook.assert_written(
        log="application", action="update", record_id="92", actor={"id": "17"}, changes=[{"field": "status", "new": "closed"}]
    )
    assert found["changes"][0]["old"] == "open"
    logbook.assert_written(log="access", user={"name": "Asha Rao"})
    logbook.assert_not_written(log="application", action="delete")
    assert [event["log"] for event in logbook.events] == ["access", "application"]


def test_it_says_what_differs() -> None:
    logbook = RecordedLogbook()
    with pytest.raises(AssertionError, match="no event was written"):
        logbook.assert_written(log="access")
    close_patient(logbook)
    with pytest.raises(AssertionError) as caught:
        logbook.assert_written(log="application", record_id="93", changes=[{"field": "status", "new": "open"}])
    message = str(caught.value)
    assert "none of the 2 events is such" in message
    assert "  record_id: expected '93', found '92'\n  changes[0].new: expected 'open', found 'closed'\n" in message
    assert '"model": "patient"' in message
    with pytest.raises(AssertionError, match="this event was written"):
        logbook.assert_not_written(log="access")


def test_what_logbook_would_not_read_fails_where_it_is_written() -> None:
    logbook = RecordedLogbook()
    incomplete: Any = {"action": "update", "model": "patient"}
    with pytest.raises(AssertionError, match="needs record_id"):
        logbook.application(incomplete)
    misspelt: Any = {"event_type": "login", "usr": {}}
    with pytest.raises(AssertionError, match="has no usr"):
        logbook.access(misspelt)


def test_the_types_are_those_of_the_contract() -> None:
    subprocess.run([sys.executable, PACKAGE / "generate.py", "--check"], check=True)


WRONG = """
from logbook_producer import Logbook
logbook = Logbook()
logbook.access({"event_type": "login"})
logbook.access({"event_typ": "login"})
logbook.application({"action": "update", "model": "patient", "record_id": 92})
logbook.framework({"action": "task_failed", "component": {"type": "task"}, "status": "bad"})
"""


def test_a_type_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "", "app.py"]
    found = subprocess.run(command, cwd=tmp_path, env={"MYPYPATH": str(PACKAGE / "src")}, capture_output=True, text=True).stdout
    assert {line.split(":")[1] for line in found.splitlines()} == {"5", "6", "7"}, found
