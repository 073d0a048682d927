"""The admin: what it changes is told once, and its actions by name."""

import logbook_django as logbook
from clinic.models import Patient
from django.test import Client


def run(client, name, *patients, **more):
    return client.post("/admin/clinic/patient/", {"action": name, "_selected_action": [p.pk for p in patients], **more})


def test_actions_are_told_by_name_and_edits_once(source, user):
    client = Client()
    with logbook.muted():
        client.force_login(user)
        patients = [Patient.objects.create(name=name) for name in ("Li Lei", "Han Meimei")]
    run(client, "close", *patients)
    run(client, "delete_selected", *patients)  # only asks
    run(client, "delete_selected", patients[0], post="yes")
    run(client, "", *patients)
    events = source.sent("application")
    assert [event["action"] for event in events] == ["bulk_update", "admin_action", "delete", "admin_action"]
    closed, deleted = events[1], events[3]
    assert (closed["record_id"], closed["metadata"]) == ("*", {"action": "close", "count": 2, "ids": [str(p.pk) for p in patients]})
    assert (deleted["record_id"], deleted["metadata"]["action"]) == (str(patients[0].pk), "delete_selected")
    assert {event["actor"]["name"] for event in events} == {"Asha Rao"}


def test_an_edit_in_the_admin_is_one_event(source, user):
    client = Client()
    with logbook.muted():
        client.force_login(user)
        patient = Patient.objects.create(name="Li Lei")
    client.post(f"/admin/clinic/patient/{patient.pk}/change/", {"name": "Li", "status": "open", "age": "42"})
    [event] = source.sent("application")
    assert {change["field"]: change["new"] for change in event["changes"]} == {"name": "Li", "age": 42}
