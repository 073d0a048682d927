"""What is committed is sent, once; what is rolled back is not."""

import logbook_django as logbook
import pytest
from django.db import transaction
from logbook_django.models import OutboxEvent


def told(action="told", **more):
    return {"action": action, "component": {"type": "test"}, **more}


def test_an_event_arrives_with_its_numbers_and_leaves_the_outbox(source):
    assert logbook.record("framework", told())
    [event] = source.sent()
    assert (event["log"], event["action"], event["sequence"]) == ("framework", "told", 1)
    assert not OutboxEvent.objects.exists()


def test_a_rolled_back_event_is_not_sent_and_leaves_no_hole(source):
    with pytest.raises(LookupError), transaction.atomic():
        logbook.record("framework", told("rolled_back"))
        raise LookupError
    with transaction.atomic():
        logbook.record("framework", told("first"))
        with pytest.raises(LookupError), transaction.atomic():
            logbook.record("framework", told("inner_rolled_back"))
            raise LookupError
        logbook.record("framework", told("second"))
    assert [(e["action"], e["sequence"]) for e in source.sent()] == [("first", 1), ("second", 2)]
