"""For FastAPI, Starlette and every other ASGI app: each request is the context of its events."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

from .context import context

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class LogbookMiddleware:
    """Gives the events of a request its address, its user agent, and as correlation its `X-Request-Id` or one of its own.

        app.add_middleware(LogbookMiddleware)

    The address is that of the connection. Behind a proxy, tell the server whom to trust, as with uvicorn's
    `--forwarded-allow-ips`.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get(b"x-request-id", "")
        with context(
            ip_address=_address(scope.get("client")),
            # Logbook's limit: a longer one would put the event into quarantine.
            user_agent=headers.get(b"user-agent", "")[:2000] or None,
            correlation_id=request_id if 0 < len(request_id) <= 255 else str(uuid4()),
        ):
            await self.app(scope, receive, send)


def _address(client: tuple[str, int] | None) -> str | None:
    """The address of a client. A socket of the machine, or a test's client, has none."""
    try:
        # The zone of a link-local address (`fe80::1%eth0`) means something on this machine alone.
        return str(ipaddress.ip_address(client[0].partition("%")[0])) if client else None
    except ValueError:
        return None
