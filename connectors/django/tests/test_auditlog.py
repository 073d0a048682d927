"""django-auditlog as the source: its entries become events, once."""

from datetime import datetime
from decimal import Decimal

import logbook_django as logbook
import pytest
from auditlog.context import set_actor
from auditlog.models import LogEntry
from clinic.models import Invoice, Patient
from django.test import Client, override_settings
from django.utils import timezone
from logbook_django.auditlog import auditlog_event


def test_entries_become_events(source, user):
    with set_actor(user, remote_addr="198.51.100.4"):
        invoice = Invoice.objects.create(number="INV-1", password="hunter2")
        invoice.price = Decimal("12.50")
        invoice.save()
        LogEntry.objects.log_create(invoice, action=LogEntry.Action.ACCESS, force_log=True, changes={})
        invoice.delete()
    assert LogEntry.objects.count() == 4
    events = source.sent("application")
    assert [event["action"] for event in events] == ["create", "update", "access", "delete"]
    for event in events:
        assert (event["model"], event["record_name"]) == ("clinic.invoice", "INV-1")
        assert (event["actor"]["id"], event["actor"]["name"], event["ip_address"]) == (str(user.pk), "Asha Rao", "198.51.100.4")
    # auditlog's values are text; its "None" is null.
    [change] = events[1]["changes"]
    assert (change["field"], change["old"], change["new"]) == ("price", None, "12.50")
    assert {"password": "[masked]"}.items() <= {c["field"]: c["new"] for c in events[0]["changes"]}.items()
    assert "hunter2" not in str(events)


def test_an_entry_without_a_time_zone_and_with_an_excluded_field(source):
    noon = datetime(2026, 11, 27, 12, 0)
    entry = LogEntry(object_pk="1", object_repr="INV-1", action=1, timestamp=noon, changes={"unrecorded": ["a", "b"]})
    with override_settings(TIME_ZONE="Asia/Kolkata"):
        event = auditlog_event(entry, model="clinic.invoice")
    assert (event["occurred_at"], event["changes"]) == ("2026-11-27T06:30:00Z", [])


@pytest.mark.parametrize(("address", "told"), [("fe80::1%eth0", "fe80::1"), ("somewhere", None)])
def test_an_address_that_logbook_would_not_take(source, address, told):
    entry = LogEntry(object_pk="1", object_repr="INV-1", action=1, timestamp=timezone.now(), changes={}, remote_addr=address)
    assert auditlog_event(entry, model="clinic.invoice").get("ip_address") == told


def test_many_to_many_entries(source):
    with logbook.muted():
        patient = Patient.objects.create(name="Li Lei")
        invoice = Invoice.objects.create(number="INV-1")
    invoice.payers.add(patient)
    invoice.payers.remove(patient)
    added, removed = [event["changes"][0] for event in source.sent("application")]
    assert (added["field"], added["added"], added["removed"]) == ("payers", ["Li Lei"], [])
    assert (removed["added"], removed["removed"]) == ([], ["Li Lei"])


def test_the_correlation_id_of_auditlog_is_the_events(source, user):
    Client().get("/patients", {"name": "Li Lei"}, headers={"X-Correlation-ID": "abc-1"})
    [event] = source.sent("application")
    assert event["correlation_id"] == "abc-1"


def test_without_auditlog_as_the_source_own_receivers_take_over(source):
    with source.configure(AUDITLOG=False):
        from django.db.models.signals import post_save

        assert post_save.has_listeners(LogEntry)
        Invoice.objects.create(number="INV-1", price=Decimal("1.5"))
    prices = [c["new"] for event in source.sent("application") for c in event["changes"] if c["field"] == "price"]
    assert 1.5 in prices
