"""Celery: tasks act as a service on behalf of whoever enqueued them, and failed ones are in the framework log."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from celery import signals

from . import events
from .conf import config
from .context import Context, current, entered
from .outbox import fill, guarded, record

HEADER = "logbook"
# The last lines of a traceback say what happened.
TRACEBACK = 8000
# Tasks whose end somebody else tells: names.
OWN_TASKS: set[str] = set()

_ATTRIBUTE = "_logbook_context"


def _enqueued(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Sends along who enqueues, for whom, why, and the correlation id."""
    with guarded("enqueued task"):
        if headers is None or not config().enabled:
            return
        known = fill("framework", {})
        context = current()
        passed = {
            "actor": known.get("actor"),
            "on_behalf_of": known.get("on_behalf_of"),
            "purpose": known.get("purpose"),
            "correlation_id": context.correlation_id,
        }
        headers[HEADER] = {name: value for name, value in passed.items() if value is not None}


def _started(task_id: str, task: Any, **_: Any) -> None:
    """Makes the task's context the current one."""
    with guarded("started task"):
        request = task.request
        passed = request.get(HEADER) or {}
        if not passed and request.called_directly is False and request.is_eager:
            # An eager task runs inside of what enqueued it.
            known = fill("framework", {})
            passed = {**known, "correlation_id": current().correlation_id}
        context = Context(
            actor={"type": "service", "id": task.name, "name": task.name},
            on_behalf_of=passed.get("on_behalf_of") or passed.get("actor"),
            purpose=passed.get("purpose"),
            correlation_id=passed.get("correlation_id") or request.root_id or task_id,
        )
        block = entered(context)
        block.__enter__()
        setattr(request, _ATTRIBUTE, block)


def _ended(task: Any, **_: Any) -> None:
    """Leaves the task's context."""
    block: AbstractContextManager | None = getattr(task.request, _ATTRIBUTE, None)
    if block is not None:
        block.__exit__(None, None, None)


def _failed(sender: Any, task_id: str, exception: BaseException, einfo: Any = None, **_: Any) -> None:
    with guarded("task_failed"):
        if sender.name in OWN_TASKS:
            return
        traceback = str(getattr(einfo, "traceback", "") or "")[-TRACEBACK:]
        error = f"{type(exception).__name__}: {events.cut(str(exception), 2000)}"
        record("framework", {"action": "task_failed", "error": f"{error}\n\n{traceback}".strip(), **_task(sender, task_id)})


def _succeeded(sender: Any, **_: Any) -> None:
    with guarded("task_succeeded"):
        if config().celery_success and sender.name not in OWN_TASKS:
            record("framework", {"action": "task_succeeded", **_task(sender, sender.request.id)})


def _task(task: Any, task_id: str) -> dict:
    """Which task it was. Its arguments may be anything, secrets too, and are not told."""
    return {
        "component": {"type": "task", "id": task.name, "name": task.name},
        "metadata": {"task_id": task_id, "root_id": task.request.root_id, "retries": task.request.retries},
    }


def connect() -> None:
    """Connects the receivers."""
    signals.before_task_publish.connect(_enqueued, dispatch_uid="logbook", weak=False)
    signals.task_prerun.connect(_started, dispatch_uid="logbook", weak=False)
    signals.task_postrun.connect(_ended, dispatch_uid="logbook", weak=False)
    signals.task_failure.connect(_failed, dispatch_uid="logbook", weak=False)
    signals.task_success.connect(_succeeded, dispatch_uid="logbook", weak=False)
