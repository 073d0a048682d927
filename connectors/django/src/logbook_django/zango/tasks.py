"""Celery tasks: those of apps run inside one task of Zango's, which is told by the name of the app's task and in the app's workspace.

The core's receivers come first: they make the task's context the current one, and leave it after.
"""

from __future__ import annotations

from contextvars import Token
from dataclasses import replace
from typing import Any

from celery import signals
from django.apps import apps
from django_tenants.utils import get_public_schema_name, schema_context

from .. import celery, context
from ..conf import config
from ..events import cut
from ..outbox import guarded
from .panel import setting_up
from .people import set_correlation_id, task_actor
from .telling import tell
from .tenants import Tenant, component, tenant_named

# Runs the tasks of apps: its arguments are the app and the task.
EXECUTOR = "zango.core.tasks.zango_task_executor"
# Makes the schema and the workspace of a new app; says in its result how that went.
SET_UP = "zango.apps.shared.tenancy.tasks.initialize_workspace"

_ATTRIBUTE = "_logbook_zango"


def connect() -> None:
    """Connects the receivers, after those of the core."""
    celery.OWN_TASKS.update((EXECUTOR, SET_UP))
    signals.task_prerun.connect(_started, dispatch_uid="logbook_zango", weak=False)
    signals.task_postrun.connect(_ended, dispatch_uid="logbook_zango", weak=False)
    signals.task_failure.connect(_failed, dispatch_uid="logbook_zango", weak=False)
    signals.task_success.connect(_succeeded, dispatch_uid="logbook_zango", weak=False)


def _started(task_id: str, task: Any, args: Any = (), **_: Any) -> None:
    """Says in the context which of the app's tasks runs. Rows of Zango's audit log get the correlation id too."""
    with guarded("started task"):
        known = context.current()
        name = _named(task, args)
        who = {"type": "service", "id": name, "name": name}
        if hasattr(task.request, celery._ATTRIBUTE):
            # The core leaves its own context at the end, and this one with it.
            context._current.set(replace(known, actor=who))
        tokens: list[Token] = [task_actor.set(who), set_correlation_id(known.correlation_id or task_id)]
        if task.name == SET_UP:
            tokens.append(setting_up.set(True))
        setattr(task.request, _ATTRIBUTE, tokens)


def _ended(task: Any, **_: Any) -> None:
    for token in getattr(task.request, _ATTRIBUTE, ()):
        token.var.reset(token)


def _failed(sender: Any, task_id: str, exception: BaseException, args: Any = (), einfo: Any = None, **_: Any) -> None:
    with guarded("task_failed"):
        if sender.name in celery.OWN_TASKS:
            traceback = str(getattr(einfo, "traceback", "") or "")[-celery.TRACEBACK :]
            error = f"{type(exception).__name__}: {cut(str(exception), 2000)}"
            _tell_task("task_failed", sender, task_id, args, error=f"{error}\n\n{traceback}".strip())


def _succeeded(sender: Any, result: Any = None, **_: Any) -> None:
    with guarded("task_succeeded"):
        request = sender.request
        if sender.name == SET_UP:
            failed = isinstance(result, dict) and result.get("result") == "failure"
            _tell_set_up(request, str(result.get("error") or "failed") if failed else None)
        elif sender.name == EXECUTOR and config().celery_success:
            _tell_task("task_succeeded", sender, request.id, request.args)


def _named(task: Any, args: Any) -> str:
    return str(args[1]) if task.name == EXECUTOR and args and len(args) > 1 else task.name


def _tell_task(action: str, task: Any, task_id: str, args: Any, **more: Any) -> None:
    """An app's task, in the log of the app; one of an app that does not exist, in that of the platform."""
    name = _named(task, args)
    tenant = tenant_named(str(args[0])) if task.name == EXECUTOR and args else None
    event = {
        "action": action,
        "actor": {"type": "service", "id": name, "name": name},
        "component": {"type": "task", "id": _task_id(tenant, name), "name": name},
        "metadata": {"task_id": task_id, "root_id": task.request.root_id, "retries": task.request.retries},
        **more,
    }
    tell("framework", event, tenant.schema if tenant else get_public_schema_name())


def _task_id(tenant: Tenant | None, name: str) -> str | None:
    """The id of a task as the rows of the audit log have it."""
    if tenant is None:
        return None
    with schema_context(tenant.schema):
        found = apps.get_model("tasks", "AppTask").objects.filter(name=name).values_list("pk", flat=True).first()
    return None if found is None else str(found)


def _tell_set_up(request: Any, error: str | None) -> None:
    """An app was set up, or not: in the log of the platform, since the app has none before."""
    found = apps.get_model("tenancy", "TenantModel").objects.filter(uuid=request.args[0]).first()
    tenant = Tenant(found.pk, found.name, found.schema_name) if found else None
    event: dict[str, Any] = {"action": "app_deployed", "component": component(tenant), "metadata": {"task_id": request.id}}
    if error:
        last = error.strip().splitlines()[-1].strip()
        event["error"] = f"{last}\n\n{error}"
    tell("framework", event, get_public_schema_name())
