"""What the outbox adds to a save that django-auditlog records: prints time per save without and with it, and their ratio.

    TEST_DATABASE=postgresql target/tools/django/bin/python connectors/django/tests/overhead.py

Both are measured in one run, in turns, so that what else the machine does counts for both. A save is one request's: an UPDATE in a
transaction of its own. Nothing is sent meanwhile. TEST_FSYNC=on makes PostgreSQL wait for the disk, as it does unless it is told not to.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS, SAVES = int(os.environ.get("TEST_ROUNDS", 30)), 100


def measure() -> None:
    from clinic.models import Invoice
    from django.conf import settings
    from django.db import transaction
    from django.test import override_settings
    from logbook_django.models import OutboxEvent

    invoice = Invoice.objects.create(number="INV-1", price=0)

    def saves(first: int) -> float:
        began = time.perf_counter()
        for price in range(first, first + SAVES):
            with transaction.atomic():
                invoice.price = price
                invoice.save()
        return (time.perf_counter() - began) / SAVES * 1e6

    sending = {**settings.LOGBOOK, "URL": "http://127.0.0.1:1", "WORKSPACE": "w", "SOURCE": "s", "KEY": "k", "RAISE": True}
    alone, both = [], []
    for number in range(ROUNDS + 2):
        with override_settings(LOGBOOK={}):
            alone.append(saves(2 * number * SAVES + 1))
        with override_settings(LOGBOOK=sending):
            both.append(saves((2 * number + 1) * SAVES + 1))
    assert OutboxEvent.objects.count() == len(both) * SAVES
    # The first rounds prepare what later ones find ready.
    alone, both = alone[2:], both[2:]
    # Of neighbours, since the machine changes from one minute to the next.
    ratio = statistics.median(after / before for before, after in zip(alone, both, strict=True))
    times = f"{statistics.median(alone):.0f} µs with auditlog alone, {statistics.median(both):.0f} µs with the outbox too"
    print(f"{os.environ['TEST_DATABASE']}: {times}: {ratio:.2f}")


def in_project(measure: Callable[[], None]) -> None:
    """Runs it in the test project, on a database of its own."""
    from servers import PostgreSQL

    os.environ.setdefault("TEST_DATABASE", "sqlite")
    folder = Path(tempfile.mkdtemp(prefix="logbook-overhead-"))
    os.environ["TEST_FOLDER"], os.environ["DJANGO_SETTINGS_MODULE"] = str(folder), "settings"
    tests = Path(__file__).parent
    sys.path[:0] = [str(tests / "project"), str(tests.parent / "src"), str(tests.parents[1] / "python" / "src")]
    postgresql = None
    try:
        if os.environ["TEST_DATABASE"] == "postgresql":
            postgresql = PostgreSQL(folder, os.environ.get("TEST_FSYNC", "off"))
            os.environ["TEST_PGPORT"] = str(postgresql.port)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", run_syncdb=True, verbosity=0)
        measure()
    finally:
        if postgresql:
            postgresql.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    in_project(measure)
