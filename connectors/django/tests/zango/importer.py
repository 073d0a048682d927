"""The same app read by `logbook import zango --follow` while it works, and where that disagrees with the live events."""

from __future__ import annotations

import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from processes import Logbook, PostgreSQL, Process, wait_for
from read import Reader

WORKSPACE = "imported"
# Equal values have other masks in another workspace.
MASK = re.compile(r"\[masked:[0-9a-f]+\]")
ENTRIES, ATTEMPTS = "auditlogs_logentry", "accesslogs_appaccesslog"
ENDED = "session_expired"
# What both say of a row of the audit log.
ENTRY_FIELDS = ("log", "action", "outcome", "occurred_at", "target", "targets", "changes", "ip_address", "correlation_id")
# And of one of the access log.
ATTEMPT_FIELDS = ("log", "action", "occurred_at", "actor", "ip_address", "user_agent", "session_id")


class Follower(Process):
    """`logbook import zango --follow`. It writes to Logbook's database itself, beside the server."""

    def __init__(self, folder: Path, logbook: Logbook, postgresql: PostgreSQL) -> None:
        source = f"postgres://zango@127.0.0.1:{postgresql.port}/zango"
        argv = [logbook.program, "import", "zango", "--from", source, "--schema", "peerapp", "--workspace", WORKSPACE]
        super().__init__("follower", [*argv, "--follow", "--every", "1"], folder, env=logbook.env)
        self.postgresql = postgresql

    def wait(self, reader: Reader) -> None:
        """Waits until each row of Zango, as they are now, is an event."""
        expected = rows(self.postgresql)
        wait_for("the follower to have every row", lambda: expected <= told(reader.read(WORKSPACE)), 180)

    def end(self) -> None:
        """Ends as its operator ends it."""
        process = self.running
        self.stop(signal.SIGTERM)
        assert process.returncode == 0, (process.returncode, self.log.read_text()[-2000:])


class Imported:
    """What the follower wrote."""

    def __init__(self, reader: Reader) -> None:
        self.events = reader.events(WORKSPACE)

    def of(self, table: str, log: str | None = None) -> dict[int, dict]:
        """The events of the rows of a table, by the row's id. Ends of sessions are not among them: they are the second event of a row."""
        return by_row([event for event in self.events if log in (None, event["log"]) and event["action"] != ENDED], table)


def rows(postgresql: PostgreSQL) -> Counter:
    """Table and id of each row that is an event, and whether it is the end of a session: each once."""
    found = [(ENTRIES, row, False) for (row,) in postgresql.query(f"SELECT id FROM peerapp.{ENTRIES}")]
    ended = "is_login_successful AND session_expired_at IS NOT NULL"
    for row, has_ended in postgresql.query(f"SELECT id, {ended} FROM peerapp.{ATTEMPTS}"):
        found += [(ATTEMPTS, row, False)] + [(ATTEMPTS, row, True)] * has_ended
    return Counter(found)


def told(events: Any) -> Counter:
    """The same of the events of rows: how many there are of each."""
    origins = [(event["metadata"].get("zango"), event["action"] == ENDED) for event in events]
    return Counter((origin["table"], origin["id"], ended) for origin, ended in origins if origin)


def by_row(events: Any, table: str) -> dict[int, dict]:
    return {e["metadata"]["zango"]["id"]: e for e in events if e["metadata"].get("zango", {}).get("table") == table}


def plain(value: Any) -> Any:
    """The value without the hashes of masks."""
    if isinstance(value, str):
        return MASK.sub("[masked]", value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def masked_places(event: dict) -> set[str]:
    """Where the event is masked. Logbook does not name what was masked before it came."""
    sides = [(f"/changes/{i}/{side}", value) for i, change in enumerate(event["changes"]) for side, value in change.items()]
    return set(event["masked"]) | {place for place, value in sides if value == "[masked]"}


def differences(live: dict, imported: dict, fields: tuple[str, ...]) -> list[tuple]:
    """The fields in which two events differ: of the metadata, what the importer has. What is masked is so in both."""
    masked = [("masked", masked_places(live), masked_places(imported))]
    metadata = [(f"metadata.{name}", live["metadata"].get(name), value) for name, value in imported["metadata"].items()]
    pairs = [(name, live[name], imported[name]) for name in fields] + metadata + masked
    return [(name, plain(ours), plain(theirs)) for name, ours, theirs in pairs if plain(ours) != plain(theirs)]
