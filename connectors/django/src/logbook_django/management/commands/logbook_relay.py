"""`manage.py logbook_relay`: sends what is in the outbox to Logbook."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from logbook_django.conf import config
from logbook_django.loop import Loop

LEVELS = {0: logging.ERROR, 1: logging.INFO, 2: logging.DEBUG, 3: logging.DEBUG}


class Command(BaseCommand):
    help = (
        "Sends the events in the outbox to Logbook, until SIGTERM or SIGINT. "
        "Exit code: 0 sent or ended as asked, 1 with --once when events are left, 2 not configured."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Send what is there, then end.")
        parser.add_argument("--database", action="append", default=[], help="Only the outboxes in this database; may be repeated.")

    def handle(self, *_: Any, once: bool, database: list[str], verbosity: int, **__: Any) -> None:
        log = _log_to_stderr(verbosity)
        settings = config()
        if not settings.enabled:
            self.stderr.write(f"Logbook is not configured: set {', '.join(f'LOGBOOK_{name}' for name in settings.missing)}")
            sys.exit(2)
        loop = Loop(database)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, loop.stop)
        if once:
            sys.exit(0 if loop.once() else 1)
        log.info("the relay works; it sends to %s", settings.url)
        loop.forever()
        log.info("the relay has ended")


def _log_to_stderr(verbosity: int) -> logging.Logger:
    """The package's logger, which writes to standard error unless the project says where it writes."""
    log = logging.getLogger("logbook_django")
    log.setLevel(LEVELS[verbosity])
    if not log.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s logbook: %(message)s"))
        log.addHandler(handler)
    return log
