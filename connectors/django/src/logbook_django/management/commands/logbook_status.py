"""`manage.py logbook_status`: what is configured, what waits, and whether Logbook answers."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils import timezone
from logbook_producer.transport import Misconfigured, Transport, Unavailable

from logbook_django.conf import config
from logbook_django.relay import Outbox, outboxes
from logbook_django.status import status


class Command(BaseCommand):
    help = "Tells what is configured, what waits in the outbox, and whether Logbook answers. Exit code 1 when something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object for each outbox.")

    def handle(self, *_: Any, **options: Any) -> None:
        settings = config()
        if not settings.enabled:
            self.stderr.write(f"Logbook is not configured: set {', '.join(f'LOGBOOK_{name}' for name in settings.missing)}")
            sys.exit(1)
        good = True
        for outbox in outboxes():
            try:
                found = {**status(outbox), "logbook": _answer(outbox)}
            except DatabaseError as error:
                found = {"name": outbox.name, "database": outbox.using, "logbook": f"no outbox: {error}".strip()}
            good = good and found["logbook"] == "answers"
            self._show(found, options["json"])
        sys.exit(0 if good else 1)

    def _show(self, found: dict[str, Any], as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(found, default=str))
            return
        for name, value in found.items():
            if name in ("oldest", "last_sent_at", "last_error_at") and value is not None:
                value = f"{value:%Y-%m-%d %H:%M:%S} ({(timezone.now() - value).total_seconds():.0f} s ago)"
            if value not in (None, [], ""):
                self.stdout.write(f"{name:14} {value}")
        self.stdout.write("")


def _answer(outbox: Outbox) -> str:
    """Whether Logbook knows the source and its key. A heartbeat without a number tells."""
    settings = outbox.config()
    if settings.missing:
        return f"not configured: {', '.join(settings.missing)} is missing"
    try:
        Transport(settings.url, settings.workspace, settings.source, settings.key, timeout=settings.timeout).heartbeat(None, None)
    except (Misconfigured, ValueError) as error:
        return f"refuses the source's key or address: {error}"
    except Unavailable as error:
        return f"cannot be reached: {error}"
    return "answers"
