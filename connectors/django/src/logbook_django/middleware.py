"""The middleware: events that are recorded during a request know who made it, from where, and in which session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction

from .context import Context, entered
from .requests import correlation_id


class LogbookMiddleware:
    """Put it anywhere in MIDDLEWARE: who has signed in is asked when an event is recorded."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self.is_async:
            return self._respond(request)
        with entered(Context(request=request, correlation_id=correlation_id(request))):
            return self.get_response(request)

    async def _respond(self, request: Any) -> Any:
        with entered(Context(request=request, correlation_id=correlation_id(request))):
            return await self.get_response(request)
