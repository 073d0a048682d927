"""What must have arrived. Each check is a function whose docstring says what is promised; it asserts that."""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from importer import Imported
from processes import PostgreSQL
from read import Reader
from story import Facts

from project import Project

SOURCES = {"peerapp": "peerapp", "public": "platform"}


@dataclass(frozen=True)
class Before:
    """The last rows that Zango wrote before Logbook was there."""

    entry: int
    attempt: int

    @classmethod
    def of(cls, postgresql: PostgreSQL) -> Before:
        tables = ("auditlogs_logentry", "accesslogs_appaccesslog")
        return cls(*(postgresql.query(f"SELECT coalesce(max(id), 0) FROM peerapp.{table}")[0][0] for table in tables))


@dataclass
class Evidence:
    """What the checks look at."""

    reader: Reader
    project: Project
    facts: Facts
    before: Before
    imported: Imported

    @cached_property
    def app(self) -> tuple[dict, ...]:
        return self.reader.events("peerapp")

    @cached_property
    def platform(self) -> tuple[dict, ...]:
        return self.reader.events("platform")

    def found(self, action: str, events: tuple[dict, ...] | None = None, **fields: object) -> list[dict]:
        """The events of an action whose fields are these."""
        events = self.app if events is None else events
        return [e for e in events if e["action"] == action and all(e[name] == value for name, value in fields.items())]

    def one(self, action: str, events: tuple[dict, ...] | None = None, **fields: object) -> dict:
        found = self.found(action, events, **fields)
        assert len(found) == 1, f"{len(found)} events {action} {fields}"
        return found[0]

    def rows(self, table: str) -> list[dict]:
        """The events that tell of a row of Zango."""
        return [e for e in self.app if e["metadata"].get("zango", {}).get("table") == table]

    def query(self, sql: str) -> list[tuple]:
        return self.project.postgresql.query(sql)


CHECKS: list = []


def check(function):
    CHECKS.append(function)
    return function


def run(evidence: Evidence) -> bool:
    """Runs the checks, prints what failed and how many passed, and returns whether one failed."""
    failed = 0
    for function in CHECKS:
        try:
            function(evidence)
            print(f"  ok      {function.__doc__}")
        except Exception:
            failed += 1
            print(f"  FAILED  {function.__doc__}")
            traceback.print_exc(file=sys.stdout)
    print(f"  {len(CHECKS) - failed} passed" + (f", {failed} failed" if failed else ""))
    return bool(failed)


def name_of(person: dict | None) -> str | None:
    return person["name"] if person else None


def changed(event: dict, field: str) -> dict:
    return next(change for change in event["changes"] if change["field"] == field)


def counts(events: list[dict], key: str) -> Counter:
    return Counter(event[key] for event in events)
