"""The framework log."""

from __future__ import annotations

import json

from checks import SOURCES, Evidence, check, name_of

ADMIN = "Default Super Admin"


def is_app(event: dict) -> bool:
    return (event["target"]["type"], event["target"]["name"]) == ("app", "peerapp")


@check
def policies(e: Evidence) -> None:
    """synced policies are in the log when it worked and when it did not, with the error and the admin, or the system on the command line"""
    synced = e.found("policies_synced")
    assert [(s["outcome"], name_of(s["actor"])) for s in synced] == [
        ("failure", ADMIN), ("success", ADMIN), ("success", ADMIN), ("success", None), ("failure", None),
    ], synced  # fmt: skip
    assert synced[1]["metadata"] == {"total": 1, "added": ["ClinicAccess"], "removed": []}
    assert "policies.json: Expecting property name" in synced[0]["outcome_reason"]
    assert all(is_app(event) for event in synced) and synced[3]["actor"]["type"] == "system"


@check
def synced_tasks(e: Evidence) -> None:
    """synced tasks are named"""
    event = e.found("tasks_synced")[0]
    assert (event["metadata"]["added"], name_of(event["actor"])) == (["clinic.tasks.failing", "clinic.tasks.nightly"], ADMIN)


@check
def packages(e: Evidence) -> None:
    """an installed package is in the log with what it brought; one that could not be is a failure, though Zango answers success"""
    told = e.found("package_installed")
    assert [(event["outcome"], event["metadata"]["package"], name_of(event["actor"]), is_app(event)) for event in told] == [
        ("success", "lab", ADMIN, True), ("failure", "crud", ADMIN, True), ("failure", "lab", ADMIN, True),
    ]  # fmt: skip
    installed, failed, again = told
    assert (installed["outcome_reason"], again["outcome_reason"]) == (None, "Package already installed")
    assert installed["metadata"] == {"package": "lab", "version": "1.0.0"}
    assert "Package could not be installed" in failed["outcome_reason"] and not failed["outcome_reason"].startswith("Package")
    policies, tasks = e.found("policies_synced")[2], e.found("tasks_synced")[1]
    assert (policies["metadata"]["added"], tasks["metadata"]["added"]) == (["LabAccess"], ["packages.lab.results.tasks.fetch"])
    assert policies["sequence"] < tasks["sequence"] < installed["sequence"]


@check
def releases(e: Evidence) -> None:
    """a release is in the log with its version, when it worked and when it did not"""
    applied = [(event["outcome"], event["metadata"]["version"], is_app(event)) for event in e.found("release_applied")]
    assert applied == [("success", "1.0.0", True), ("failure", "1.1.0", True)]
    states = [c["new"] for event in e.found("release_updated") for c in event["changes"] if c["field"] == "status"]
    assert states == ["in_progress", "released", "in_progress", "failed"]


@check
def failed_tasks(e: Evidence) -> None:
    """a failed task is in the log of its app, by its own name, with the error and on behalf of whoever enqueued it"""
    event = e.one("task_failed")
    assert event["outcome_reason"].startswith("ValueError: the lab does not answer\n\nTraceback")
    assert (event["target"]["type"], event["target"]["name"]) == ("task", "clinic.tasks.failing")
    assert event["target"]["id"] == str(e.query("SELECT id FROM peerapp.tasks_apptask WHERE name = 'clinic.tasks.failing'")[0][0])
    assert (event["on_behalf_of"]["name"], event["correlation_id"]) == ("Asha Rao", "request-6")


@check
def failed_audit_rows(e: Evidence) -> None:
    """a row of the audit log that Zango could not write is in the log, though the request was rolled back"""
    event = e.one("audit_write_failed")
    assert (event["outcome_reason"], event["target"]["type"]) == ("ValueError: it has no name", "unprintable")
    assert name_of(event["actor"]) == "Asha Rao"


@check
def people_and_roles(e: Evidence) -> None:
    """users, roles, policies, tasks and secrets that an admin changes have the importer's names and the admin"""
    made = ("role_created", "role_updated", "policy_created", "policy_updated", "user_created", "task_created", "secret_created")
    for action in made:
        events = e.found(action, outcome="success")
        assert events and {name_of(event["actor"]) for event in events} == {ADMIN}, action
    assert {event["target"]["name"] for event in e.found("role_created", outcome="success")} == {"Nurse", "Doctor"}
    attached = [change["added"] for event in e.found("role_updated", outcome="success") for change in event["changes"]]
    assert attached == [["AllowFromAnywhere"], ["AllowFromAnywhere"]]


@check
def refused(e: Evidence) -> None:
    """what an admin asked for and did not get is a failure with its reason; what was not theirs to ask for is denied"""
    taken, unknown = e.one("role_created", outcome="failure"), e.one("user_updated", outcome="failure")
    denied = e.one("role_updated", outcome="denied")
    assert (taken["target"]["name"], name_of(taken["actor"])) == ("Nurse", ADMIN) and "already exists" in taken["outcome_reason"]
    assert (unknown["target"]["id"], unknown["outcome_reason"]) == ("4711", "AppUserModel matching query does not exist.")
    assert (denied["target"]["id"], denied["target"]["name"], name_of(denied["actor"])) == (str(e.facts.roles["Nurse"]), "Mine", "Lim")


@check
def cleared_relations(e: Evidence) -> None:
    """a cleared relation names what was linked, where Zango's row names every object that there is"""
    cleared = [event for event in e.found("user_updated") if "cleared" in event["metadata"].get("zango", {})]
    assert len(cleared) == 2
    for event in cleared:
        assert (event["changes"], event["metadata"]["zango"]["objects_named"]) == ([{"field": "roles", "added": [], "removed": []}], 4)


@check
def secrets(e: Evidence) -> None:
    """no password hash is in any event, nor was one in an outbox, though Zango's audit log has them"""
    hashes = f"SELECT count(*) FROM peerapp.auditlogs_logentry WHERE changes::text LIKE '%pbkdf2%' AND id > {e.before.entry}"
    assert e.query(hashes)[0][0] > 2
    written = [payload for schema in SOURCES for payload in e.project.watched(schema)]
    assert len(written) >= len(e.app) + len(e.platform)
    for text in (json.dumps([e.app, e.platform]), *written):
        assert "pbkdf2" not in text and "Str0ng@Pass1" not in text and "s3cr3t" not in text, text


@check
def apps(e: Evidence) -> None:
    """a new app, its set-up and a new admin are in the platform's log, changed settings in the app's"""
    created, deployed = (e.one(action, e.platform) for action in ("app_created", "app_deployed"))
    assert (created["target"], name_of(created["actor"])) == (deployed["target"], ADMIN)
    assert (deployed["outcome"], deployed["actor"]["type"], deployed["on_behalf_of"]["name"]) == ("success", "service", ADMIN)
    e.one("platform_user_created", e.platform, actor=created["actor"])
    updated = e.one("app_updated")
    assert (updated["changes"], name_of(updated["actor"])) == ([{"field": "timezone", "old": None, "new": "Asia/Kolkata"}], ADMIN)
