"""Live events and those of `logbook import zango --follow` agree."""

from __future__ import annotations

from checks import Evidence, check
from importer import ATTEMPT_FIELDS, ATTEMPTS, ENTRIES, ENTRY_FIELDS, by_row, differences, rows, told


def agree_on_actors(live: dict, imported: dict) -> bool:
    """The importer takes a row without an actor for the system's; the live event may know which task it was. Of an agent no row tells."""
    if imported["actor"]["type"] == "system":
        return live["actor"]["type"] in ("system", "service")
    if live["actor"]["type"] == "agent":
        return live["on_behalf_of"] == imported["actor"]
    return (live["actor"], live["on_behalf_of"]) == (imported["actor"], imported["on_behalf_of"])


@check
def followed(e: Evidence) -> None:
    """the importer follows the app: each row and each session that ended is one event, though it is killed and the server too"""
    expected, found = rows(e.project.postgresql), told(e.imported.events)
    assert found == expected, (found - expected, expected - found)


@check
def application(e: Evidence) -> None:
    """the importer makes the same application events of the same rows: actor, action, model, record, changes, labels, times"""
    live, imported = by_row([event for event in e.app if event["log"] == "application"], ENTRIES), e.imported.of(ENTRIES, "application")
    assert live.keys() == imported.keys() and len(live) > 10, live.keys() ^ imported.keys()
    for row, event in live.items():
        assert not differences(event, imported[row], ENTRY_FIELDS), (row, differences(event, imported[row], ENTRY_FIELDS))
        assert agree_on_actors(event, imported[row]), (row, event["actor"], imported[row]["actor"])


@check
def framework(e: Evidence) -> None:
    """the importer makes the same framework events of the same rows, but for cleared relations, where the row is wrong"""
    live = by_row([event for event in e.app if event["log"] == "framework"], ENTRIES)
    imported = {row: event for row, event in e.imported.of(ENTRIES, "framework").items() if row > e.before.entry}
    assert live.keys() == imported.keys(), live.keys() ^ imported.keys()
    for row, event in live.items():
        if "cleared" not in event["metadata"]["zango"]:
            assert not differences(event, imported[row], ENTRY_FIELDS), (row, differences(event, imported[row], ENTRY_FIELDS))
            assert agree_on_actors(event, imported[row]), (row, event["actor"], imported[row]["actor"])


@check
def access(e: Evidence) -> None:
    """the importer makes the same access events of the same rows, as far as Zango's rows say something"""
    live = by_row([event for event in e.app if event["action"] in ("login", "login_failed", "role_switched")], ATTEMPTS)
    imported = e.imported.of(ATTEMPTS)
    assert live.keys() == imported.keys(), live.keys() ^ imported.keys()
    for row, event in live.items():
        assert not differences(event, imported[row], ATTEMPT_FIELDS), (row, differences(event, imported[row], ATTEMPT_FIELDS))
        if imported[row]["target"]:
            assert event["target"] == imported[row]["target"]
