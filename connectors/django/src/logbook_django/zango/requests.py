"""The context of a request, from Zango's own middleware: so that the app's own `logbook_django.record` and its tasks know who acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from ..context import Context, entered
from ..outbox import guarded
from .hooks import wrap
from .people import actor_of, remote_address, request_actor, role_of, serving, session_fields


def connect() -> None:
    """Hooks the middleware that tells Zango's audit log who makes a request."""
    wrap("zango.apps.auditlogs.middleware:AuditlogMiddleware.__call__", _middleware, "who records an event of the app's own is")


def _middleware(original: Callable) -> Callable:
    def call(self: Any, request: Any) -> Any:
        serves = serving.set(request)
        context = Context()
        with guarded("the context of a request"):
            context = _context(request)
        acts = request_actor.set(context.actor)
        try:
            with entered(context):
                return original(self, request)
        finally:
            request_actor.reset(acts)
            serving.reset(serves)

    return call


def _context(request: Any) -> Context:
    who = actor_of(request)
    return Context(
        actor=who,
        role=role_of(who),
        ip_address=remote_address(request),
        correlation_id=request.headers.get(settings.AUDITLOG_CID_HEADER or "") or None,
        **session_fields(request),
    )
