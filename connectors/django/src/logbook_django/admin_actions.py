"""Actions of Django's admin: which one was run, by whom, on which objects.

They are in the application log (`action` is "admin_action"), since they are about records. What the admin itself writes down, in its
LogEntry, is not recorded: additions, changes and deletions are data changes, which are in the application log already.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from . import events
from .conf import outbox_alias
from .outbox import guarded, record

LISTED = 100


def connect() -> None:
    """Wraps `ModelAdmin.response_action`, through which every action goes: the admin has no signal for it."""
    original = ModelAdmin.response_action
    if getattr(original, "is_logbooks", False):
        return

    @wraps(original)
    def response_action(self: ModelAdmin, request: Any, queryset: Any) -> Any:
        event = None
        with guarded("admin action"):
            event = _event(self, request, queryset)
        response = original(self, request, queryset)
        # None: nothing was chosen, or the action is not allowed.
        if event is not None and response is not None:
            with guarded("admin action"):
                record("application", event, outbox_alias(queryset.db))
        return response

    response_action.is_logbooks = True
    ModelAdmin.response_action = response_action


def _event(admin: ModelAdmin, request: Any, queryset: Any) -> dict | None:
    """The event of an action; None where only its confirmation is asked for."""
    try:
        name = request.POST.getlist("action")[int(request.POST.get("index", 0))]
    except (IndexError, ValueError):
        return None
    if not name or (name == "delete_selected" and "post" not in request.POST):
        return None
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    everything = request.POST.get("select_across") == "1"
    metadata = {"action": name, "count": queryset.count() if everything else len(chosen)}
    if not everything:
        metadata["ids"] = chosen[:LISTED]
    record_id = chosen[0] if len(chosen) == 1 and not everything else "*"
    return {"action": "admin_action", "model": events.model_name(admin.model), "record_id": record_id, "metadata": metadata}
