"""Bulk operations are told as such: one event for each call, in the same transaction."""

import io
from decimal import Decimal

import logbook_django as logbook
import pytest
from auditlog.registry import auditlog
from clinic.models import Invoice, Patient, Ward
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from logbook_django.registry import registration_of


@pytest.fixture
def patients(source):
    with logbook.muted():
        ward = Ward.objects.create(name="Ward 3")
        return [Patient.objects.create(name=name, ward=ward) for name in ("Li Lei", "Han Meimei", "Asha Rao")]


def test_an_update_tells_filter_count_and_values(source, patients):
    Patient.objects.filter(Q(name="Li Lei") | Q(name__startswith="Han"), ward=patients[0].ward).exclude(status="closed").update(
        status="closed", access_token="t", unrecorded="x"
    )
    [event] = source.sent("application")
    assert (event["action"], event["model"], event["record_id"]) == ("bulk_update", "clinic.patient", "*")
    ward = patients[0].ward_id
    assert event["metadata"] == {
        "count": 2,
        "filter": f"(name = 'Li Lei' OR name startswith 'Han') AND ward_id = {ward} AND NOT (status = 'closed')",
        "fields": ["access_token", "status", "unrecorded"],
        "values": {"status": "closed", "access_token": "[masked]"},
    }


def test_the_filter_hides_secrets(source, patients):
    Patient.objects.filter(access_token="hunter2").update(age=1)
    Patient.objects.filter(Q(access_token="hunter2") | Q(age=None)).update(age=F("id") + 1)
    [event] = source.sent("application")
    assert event["metadata"]["filter"] == "access_token = [masked] OR age IS NULL"
    assert event["metadata"]["values"] == {"age": "F(id) + Value(1)"}


@pytest.fixture
def registered():
    """Registers a model differently, until the test ends."""
    before = {}

    def register(model, **fields):
        before.setdefault(model, registration_of(model))
        logbook.register(model, **fields)

    yield register
    for model, registration in before.items():
        logbook.register(model, include=registration.include, exclude=registration.exclude)


def test_values_of_excluded_fields_are_in_no_filter(source, patients, registered):
    registered(Patient, exclude=["status"])
    Patient.objects.filter(~Q(unrecorded="HIV") | Q(unrecorded__isnull=True)).update(age=1, status="HIV")
    Patient.objects.filter(status__in=["HIV"]).update(age=2)
    Patient.objects.exclude(status="closed").update(age=3)
    # A relation leads to it.
    Ward.objects.filter(patient__name="Li Lei", patient__status="HIV").update(name="Ward 5")
    found = [event["metadata"] for event in source.sent("application")]
    assert [metadata["filter"] for metadata in found] == [
        "NOT (unrecorded = [masked]) OR unrecorded IS [masked]",
        "status IN [masked]",
        "NOT (status = [masked])",
        "name = 'Li Lei' AND status = [masked]",
    ]
    assert [metadata["values"] for metadata in found] == [{"age": 1}, {"age": 2}, {"age": 3}, {"name": "Ward 5"}]


def test_with_a_list_of_included_fields_only_those_and_the_id_are_seen(source, patients, registered):
    registered(Patient, include=["age"])
    Patient.objects.filter(pk=patients[0].pk, name="Li Lei").update(age=3, status="closed")
    [event] = source.sent("application")
    assert event["metadata"]["filter"] == f"name = [masked] AND id = {patients[0].pk}"
    assert event["metadata"]["values"] == {"age": 3}


def test_what_auditlog_excludes_or_masks_is_not_seen(source, monkeypatch):
    with logbook.muted():
        invoice = Invoice.objects.create(number="4711")
        invoice.payers.add(Patient.objects.create(name="Li Lei"))
    for kind, values in (("exclude_fields", {"price": "1.00"}), ("mask_fields", {"price": "1.00", "number": "[masked]"})):
        with monkeypatch.context() as patch:
            patch.setitem(auditlog._registry[Invoice], kind, ["number"])
            Invoice.objects.filter(number="4711").update(price=Decimal("1.00"), number="4711")
            Patient.objects.filter(invoice__number="4711").update(age=1)
        updated, over_a_relation = source.sent("application")[-2:]
        assert (updated["metadata"]["filter"], updated["metadata"]["values"]) == ("number = [masked]", values)
        assert over_a_relation["metadata"]["filter"] == "number = [masked]"


def test_an_expression_with_conditions_shows_none_of_their_values(source, patients):
    worse = Case(When(unrecorded="HIV", then=Value("closed")), default=F("status"))
    Patient.objects.filter(status=worse).update(status=worse, age=F("id") + 1)
    [event] = source.sent("application")
    assert event["metadata"]["filter"] == "status = <Case>"
    assert event["metadata"]["values"] == {"status": "<Case>", "age": "F(id) + Value(1)"}


def test_bulk_create_and_bulk_update_tell_ids(source, patients):
    created = Patient.objects.bulk_create([Patient(name=f"new {n}") for n in range(150)])
    for patient in created:
        patient.age = 1
    Patient.objects.bulk_update(created, ["age"], batch_size=50)
    create, update = source.sent("application")
    assert (create["action"], create["metadata"]["count"], create["metadata"]["ids"]) == ("bulk_create", 150, [p.pk for p in created[:100]])
    assert (update["action"], update["metadata"]["count"], update["metadata"]["fields"]) == ("bulk_update", 150, ["age"])


def test_an_update_of_nothing_is_no_event(source, patients):
    Patient.objects.filter(name="nobody").update(age=1)
    assert source.sent() == []


def test_a_related_manager_and_a_queryset_of_the_app_are_recorded_too(source, patients):
    patients[0].ward.patient_set.update(age=5)
    Patient.objects.open().update(age=6)
    assert [event["metadata"]["count"] for event in source.sent("application")] == [3, 3]


def test_adding_to_the_other_side_of_a_foreign_key_is_a_bulk_operation(source, patients):
    with logbook.muted():
        other = Ward.objects.create(name="Ward 4")
    other.patient_set.add(*patients)
    [event] = source.sent("application")
    assert (event["metadata"]["count"], event["metadata"]["values"]) == (3, {"ward_id": other.pk})


def test_a_bulk_operation_shares_the_fate_of_its_transaction(source, patients):
    with pytest.raises(LookupError), transaction.atomic():
        Patient.objects.update(age=1)
        raise LookupError
    assert source.sent() == []


def test_the_models_of_auditlog_are_recorded_too(source):
    Invoice.objects.bulk_create([Invoice(number="1")])
    assert [event["action"] for event in source.sent("application")] == ["bulk_create"]


def test_a_recorded_manager_changes_no_migration(source):
    out = io.StringIO()
    call_command("makemigrations", "auth", "--check", "--dry-run", stdout=out)
    assert "No changes" in out.getvalue()
    assert type(User.objects).__name__ == "UserManager"
