"""The application log."""

from __future__ import annotations

import json

from checks import Evidence, changed, check, name_of


@check
def records(e: Evidence) -> None:
    """a record's changes have who made them, in which role, session and request, and what changed"""
    target = {"type": "patient", "id": str(e.facts.patient), "name": "李雷"}
    created, updated, deleted = (e.one(action, target=target) for action in ("create", "update", "delete"))
    assert [name_of(event["actor"]) for event in (created, updated, deleted)] == ["Asha Rao"] * 3
    assert [event["role"] for event in (created, updated, deleted)] == ["Nurse", "Nurse", "Doctor"]
    assert (created["correlation_id"], updated["correlation_id"]) == ("request-1", "request-2")
    assert changed(updated, "address") == {"field": "address", "old": "12 MG Road", "new": "99 Park Street"}
    assert changed(updated, "details") == {"field": "details", "old": {"bed": 4}, "new": {"bed": 7, "ward": None}}
    assert changed(updated, "modified_by")["new_label"] == "Asha Rao"
    e.one("delete", target={"type": "visit", "id": str(e.facts.visit), "name": f"visit {e.facts.visit} open"})


@check
def bulk_operations(e: Evidence) -> None:
    """a bulk operation is one event"""
    assert e.facts.bulk == {"created": 5, "updated": 5, "deleted": 1}
    bulk = [event for event in e.app if event["target"] and event["target"]["id"] == "*"]
    assert [event["action"] for event in bulk] == ["bulk_create", "bulk_update", "bulk_update", "bulk_update"]
    created, updated, excluded, objects = (event["metadata"] for event in bulk)
    assert (created["count"], len(created["ids"])) == (5, 5)
    assert (updated["count"], updated["fields"], updated["values"]) == (5, ["address"], {"address": "told once"})
    assert updated["filter"] == "name startswith 'bulk'"
    assert (excluded["fields"], excluded["values"], excluded["filter"]) == (["phone"], {}, "phone = [masked]")
    assert (objects["count"], objects["fields"], objects["ids"]) == (5, ["name"], created["ids"])
    assert {(name_of(event["actor"]), event["role"], event["correlation_id"]) for event in bulk} == {("Asha Rao", "Nurse", "request-4")}


@check
def own_code(e: Evidence) -> None:
    """the app's own events have who makes the request; what it does for somebody else is told so, beside Zango's row"""
    own, ward = e.one("report_sent"), e.one("create", correlation_id="request-7")
    session = e.found("login")[0]["session_id"]
    assert (name_of(own["actor"]), own["role"], own["session_id"], own["correlation_id"]) == ("Asha Rao", "Nurse", session, "request-7")
    assert (ward["actor"]["type"], name_of(ward["actor"]), name_of(ward["on_behalf_of"]), ward["purpose"]) == (
        "agent", "Triage assistant", "Asha Rao", "INC-4711",
    )  # fmt: skip


@check
def relations(e: Evidence) -> None:
    """many-to-many changes of the app's records, of which Zango writes no row, say what came and what went"""
    target = {"type": "patient", "id": str(e.facts.other), "name": "Meera Pillai"}
    sets = [event for event in e.found("update", target=target) if "added" in event["changes"][0]]
    assert [(event["changes"][0]["added"], event["changes"][0]["removed"]) for event in sets] == [
        (["East", "West"], []), ([], ["East"]), ([], ["West"]),
    ]  # fmt: skip
    assert {event["correlation_id"] for event in sets} == {"request-3"}
    assert [wards["name"] for wards in sets[0]["targets"]] == ["East", "West"]


@check
def excluded(e: Evidence) -> None:
    """a model or a field that the app keeps out of Zango's audit log is in no event"""
    assert "+9198" not in json.dumps(e.app)
    assert not [event for event in e.app if event["target"] and event["target"]["type"] == "draft"]


@check
def in_tasks(e: Evidence) -> None:
    """what a task changes is the task's deed, on behalf of whoever enqueued it, with the request's correlation id"""
    for name, request, made in (
        ("clinic.tasks.nightly", "request-5", e.one("update", log="application", correlation_id="request-5")),
        ("clinic.tasks.failing", "request-6", e.one("create", log="application", correlation_id="request-6")),
    ):
        assert made["actor"] == {"type": "service", "id": name, "name": name}, made["actor"]
        assert (made["on_behalf_of"]["name"], made["correlation_id"]) == ("Asha Rao", request)
