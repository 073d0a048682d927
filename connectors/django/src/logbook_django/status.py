"""What `manage.py logbook_status` tells about an outbox."""

from __future__ import annotations

from typing import Any

from django.db.models import Min

from .models import OutboxEvent, OutboxState
from .relay import Outbox


def status(outbox: Outbox) -> dict[str, Any]:
    """Where an outbox sends, what waits in it, and how the last try went.

    `rows` and `oldest` are of the events that wait; `sequence` is the last number that was given in `epoch`; `dropped` counts events that
    were dropped and of which Logbook does not know yet. Values are None where nothing happened yet.
    """
    settings = outbox.config()
    with outbox.activate():
        waiting = OutboxEvent.objects.using(outbox.using)
        state = OutboxState.objects.using(outbox.using).filter(pk=1).first() or OutboxState(epoch="")
        return {
            "name": outbox.name,
            "database": outbox.using,
            "url": settings.url,
            "workspace": settings.workspace,
            "source": settings.source,
            "missing": settings.missing,
            "rows": waiting.count(),
            "oldest": waiting.aggregate(oldest=Min("created_at"))["oldest"],
            "epoch": state.epoch or None,
            "sequence": state.sequence,
            "sent": state.sent,
            "last_sent_at": state.last_sent_at,
            "last_error": state.last_error,
            "last_error_at": state.last_error_at,
            "dropped": state.dropped,
        }
