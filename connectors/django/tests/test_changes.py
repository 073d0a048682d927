"""The application log from Django's signals: what was created, changed and deleted."""

from decimal import Decimal

import logbook_django as logbook
import pytest
from clinic.models import OldPatient, Patient, Ward
from django.db import connection, transaction
from django.db.models import F
from logbook_django.models import OutboxEvent


@pytest.fixture
def ward(source):
    with logbook.muted():
        return Ward.objects.create(name="Ward 3")


@pytest.fixture
def patient(source):
    with logbook.muted():
        return Patient.objects.create(name="Li Lei", age=41, weight=Decimal("70.5"))


def changes(event):
    return {change["field"]: change for change in event["changes"]}


def values(event):
    return {change["field"]: (change["old"], change["new"]) for change in event["changes"]}


def test_a_creation_has_the_values_with_their_types(source, ward):
    patient = Patient.objects.create(name="Li Lei", age=41, weight=Decimal("70.50"), ward=ward, unrecorded="x", access_token="t")
    [event] = source.sent("application")
    assert (event["action"], event["model"], event["record_id"], event["record_name"]) == (
        "create",
        "clinic.patient",
        str(patient.pk),
        "Li Lei",
    )
    assert values(event) == {
        "id": (None, patient.pk),
        "name": (None, "Li Lei"),
        "status": (None, "open"),
        "age": (None, 41),
        "weight": (None, 70.5),
        "access_token": (None, "[masked]"),
        "ward_id": (None, ward.pk),
    }
    assert changes(event)["ward_id"]["new_label"] == "Ward 3"


def test_an_update_has_what_changed(source, patient):
    patient.age, patient.status = "42", "open"
    patient.save()
    [event] = source.sent("application")
    assert (event["action"], values(event)) == ("update", {"age": (41, 42)})


def test_a_save_that_changes_nothing_is_no_event(source, patient):
    patient.age = "41"
    patient.unrecorded = "changed"
    patient.save()
    assert source.sent() == []


def test_old_values_are_those_of_the_database(source, patient):
    stale = Patient(pk=patient.pk, name="Li Lei", age=43, weight=Decimal("70.5"))
    stale.save()
    assert values(source.sent("application")[0]) == {"age": (41, 43)}


def test_only_the_saved_fields_count(source, patient):
    patient.age, patient.name = 50, "not saved"
    patient.save(update_fields=["age"])
    deferred = Patient.objects.only("name").get(pk=patient.pk)
    deferred.name = "Li"
    deferred.save()
    assert [values(event) for event in source.sent("application")] == [{"age": (41, 50)}, {"name": ("Li Lei", "Li")}]


def test_what_the_database_computes_is_read_back(source, patient):
    patient.age = F("age") + 1
    patient.save()
    assert values(source.sent("application")[0]) == {"age": (41, 42)}


def test_a_deletion_has_the_last_values(source, patient):
    pk = patient.pk
    patient.delete()
    [event] = source.sent("application")
    assert (event["action"], event["record_id"], event["record_name"]) == ("delete", str(pk), "Li Lei")
    assert values(event)["age"] == (41, None)


def test_a_deleted_queryset_tells_of_each_object(source, patient, ward):
    with logbook.muted():
        Patient.objects.create(name="Han Meimei")
    Patient.objects.all().delete()
    assert {(e["action"], e["record_name"]) for e in source.sent("application")} == {("delete", "Li Lei"), ("delete", "Han Meimei")}


def test_a_proxy_counts_as_its_model(source, patient):
    proxy = OldPatient.objects.get()
    proxy.age = 80
    proxy.save()
    [event] = source.sent("application")
    assert (event["model"], values(event)) == ("clinic.oldpatient", {"age": (41, 80)})


def test_many_to_many_changes_have_ids_and_names(source, patient, ward):
    with logbook.muted():
        other = Ward.objects.create(name="Ward 4")
    patient.wards.add(ward, other)
    patient.wards.remove(ward)
    patient.wards.clear()
    added, removed, cleared = [event["changes"][0] for event in source.sent("application")]
    assert (added["field"], added["added"], added["removed"], added["new_label"]) == ("wards", [ward.pk, other.pk], [], "Ward 3, Ward 4")
    assert (removed["added"], removed["removed"], removed["old_label"]) == ([], [ward.pk], "Ward 3")
    assert (cleared["added"], cleared["removed"], cleared["old_label"]) == ([], [other.pk], "Ward 4")


def test_the_other_side_of_a_many_to_many_is_the_same_change(source, patient, ward):
    ward.visitors.add(patient)
    ward.visitors.clear()
    added, cleared = source.sent("application")
    for event in (added, cleared):
        assert (event["model"], event["record_id"]) == ("clinic.patient", str(patient.pk))
    assert added["changes"][0]["added"] == cleared["changes"][0]["removed"] == [ward.pk]


def test_a_change_shares_the_fate_of_its_transaction(source, patient):
    with pytest.raises(LookupError), transaction.atomic():
        patient.age = 99
        patient.save()
        raise LookupError
    assert source.sent() == []


def test_an_update_costs_one_query_for_the_old_values_and_one_for_the_event(source, patient, django_queries):
    patient.age = 42
    with transaction.atomic():
        logbook.record("framework", {"action": "first", "component": {"type": "test"}})
        with django_queries() as queries:
            patient.save()
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "UPDATE", "INSERT"]


def test_the_first_event_of_a_transaction_has_a_savepoint_in_the_same_round_trip(source, django_queries):
    with django_queries() as queries, transaction.atomic():
        logbook.record("framework", {"action": "first", "component": {"type": "test"}})
    statements = [query["sql"] for query in queries if "INSERT INTO" in query["sql"]]
    assert len(statements) == 1
    assert statements[0].startswith("SAVEPOINT" if connection.vendor == "postgresql" else "INSERT")


def test_what_is_not_configured_costs_nothing(patient, django_queries, settings_without_logbook):
    patient.age = 42
    with django_queries() as queries:
        patient.save()
    assert ["logbook" in query["sql"] for query in queries] == [False]
    assert not OutboxEvent.objects.exists()


def test_an_unregistered_model_is_not_recorded(source, patient):
    logbook.unregister(Patient)
    try:
        patient.age = 1
        patient.save()
        Patient.objects.update(age=2)
        assert source.sent() == []
    finally:
        logbook.register(Patient)


def test_registering_says_which_fields(source, patient):
    logbook.register(Patient, include=["age", "status"], exclude=["status"])
    try:
        patient.age, patient.status, patient.name = 42, "closed", "Li"
        patient.save()
        assert values(source.sent("application")[0]) == {"age": (41, 42)}
    finally:
        logbook.register(Patient)
