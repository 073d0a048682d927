"""How long the app waits on a full outbox while Logbook is away: prints the longest transactions, without a relay and with one.

    TEST_DATABASE=postgresql target/tools/django/bin/python connectors/django/tests/full_outbox.py

A transaction is one request's: it records one event. The outbox is at its bound, and its ids have holes, as after transactions that were
rolled back.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

from overhead import in_project

ROWS, SAVES = int(os.environ.get("TEST_ROWS", 1_000_000)), int(os.environ.get("TEST_SAVES", 30_000))


def measure() -> None:
    from django.conf import settings
    from django.db.models.functions import Now
    from django.test import override_settings
    from logbook_django.loop import Loop
    from logbook_django.models import OutboxEvent, OutboxState

    logging.getLogger("logbook_django").addHandler(logging.NullHandler())
    logging.getLogger("logbook_django").propagate = False
    away = {"URL": "http://127.0.0.1:1", "WORKSPACE": "w", "SOURCE": "s", "KEY": "k", "OUTBOX_MAX_ROWS": ROWS, "LEASE_SECONDS": 15}
    with override_settings(LOGBOOK={**settings.LOGBOOK, **away}):
        fill()
        report("without a relay", saves())
        fill()
        loop = Loop()
        thread = threading.Thread(target=loop.forever)
        thread.start()
        while not OutboxState.objects.filter(lease_until__gt=Now()).exists():
            time.sleep(0.01)
        try:
            report("with a relay", saves())
        finally:
            loop.stop()
            thread.join()
        print(f"{OutboxEvent.objects.count()} rows in the end")


def fill() -> None:
    """ROWS rows; every tenth id is missing."""
    from django.db import connection
    from logbook_django.models import OutboxEvent

    OutboxEvent.objects.all()._raw_delete("default")
    payload = '{"log":"framework","action":"told","component":{"type":"test"},"occurred_at":"2026-11-27T12:00:00Z"}'
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) SELECT i FROM n"
    if connection.vendor == "postgresql":
        numbers = "SELECT i FROM generate_series(1, %s) AS n(i)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM logbook_outboxevent")
        cursor.execute(
            f"INSERT INTO logbook_outboxevent (id, created_at, dedupe_key, log, payload) SELECT i * 10 / 9, CURRENT_TIMESTAMP, i, "
            f"'framework', '{payload}' FROM ({numbers}) AS numbers",
            (ROWS,),
        )
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval(pg_get_serial_sequence('logbook_outboxevent', 'id'), max(id)) FROM logbook_outboxevent")
            cursor.execute("VACUUM ANALYZE logbook_outboxevent")


def saves() -> list[float]:
    """How long each transaction took, in seconds."""
    import logbook_django
    from django.db import transaction
    from logbook_django import bound

    bound._gauges.clear()
    took = []
    for number in range(SAVES):
        began = time.perf_counter()
        with transaction.atomic():
            logbook_django.record("framework", {"action": "told", "component": {"type": "test", "id": str(number)}})
        took.append(time.perf_counter() - began)
    return took


def report(what: str, took: list[float]) -> None:
    longest = sorted(took, reverse=True)
    median, slow = longest[len(took) // 2] * 1e3, sum(1 for time in took if time > 0.02)
    worst = ", ".join(f"{time * 1e3:.0f}" for time in longest[:5])
    print(f"{os.environ['TEST_DATABASE']}, {what}: median {median:.2f} ms; {slow} of {SAVES} took more than 20 ms; longest {worst} ms")


if __name__ == "__main__":
    sys.exit(in_project(measure))
