"""The same app read by `logbook import zango`, and where it disagrees with the live events."""

from __future__ import annotations

import re
from typing import Any

from processes import Logbook, PostgreSQL
from read import Reader

WORKSPACE = "imported"
# Equal values have other masks in another workspace.
MASK = re.compile(r"\[masked:[0-9a-f]+\]")
ENTRIES, ATTEMPTS = "auditlogs_logentry", "accesslogs_appaccesslog"
# What both say of a row of the audit log.
ENTRY_FIELDS = ("log", "action", "outcome", "occurred_at", "target", "targets", "changes", "ip_address", "correlation_id", "masked")
# And of one of the access log.
ATTEMPT_FIELDS = ("log", "action", "occurred_at", "actor", "ip_address", "user_agent", "session_id")


class Imported:
    """A workspace that the importer filled while the server was stopped."""

    def __init__(self, logbook: Logbook, postgresql: PostgreSQL) -> None:
        logbook.stop()
        source = f"postgres://zango@127.0.0.1:{postgresql.port}/zango"
        logbook.command("import", "zango", "--from", source, "--schema", "peerapp", "--workspace", WORKSPACE)
        logbook.start()
        self.events = Reader(logbook).events(WORKSPACE)

    def of(self, table: str, log: str | None = None) -> dict[int, dict]:
        """The events of the rows of a table, by the row's id. Ends of sessions are not among them: they are the second event of a row."""
        return by_row([event for event in self.events if log in (None, event["log"]) and event["action"] != "session_expired"], table)


def by_row(events: Any, table: str) -> dict[int, dict]:
    return {e["metadata"]["zango"]["id"]: e for e in events if e["metadata"].get("zango", {}).get("table") == table}


def plain(value: Any) -> Any:
    """The value without the hashes of masks."""
    if isinstance(value, str):
        return MASK.sub("[masked]", value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def differences(live: dict, imported: dict, fields: tuple[str, ...]) -> list[tuple]:
    """The fields in which two events differ: of the metadata, what the importer has."""
    metadata = [(f"metadata.{name}", live["metadata"].get(name), value) for name, value in imported["metadata"].items()]
    pairs = [(name, live[name], imported[name]) for name in fields] + metadata
    return [(name, plain(ours), plain(theirs)) for name, ours, theirs in pairs if plain(ours) != plain(theirs)]
