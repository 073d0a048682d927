"""What the events of a request, a job or a command have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .events import NewActor, NewPerson

# Fields that the events of all three logs have. The actor of an access event is its `user`.
SHARED = ("on_behalf_of", "purpose", "role", "ip_address", "user_agent", "session_id", "correlation_id")

_current: ContextVar[dict[str, Any]] = ContextVar("logbook_context")


@contextmanager
def context(
    *,
    actor: NewActor | None = None,
    on_behalf_of: NewPerson | None = None,
    purpose: str | None = None,
    role: str | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
    session_id: str | None = None,
    correlation_id: str | None = None,
) -> Iterator[None]:
    """Fills in these fields of the events that are written within, where an event does not have them itself.

    What is not given is that of the context around. It follows `await` and `asyncio.to_thread`, as context variables do;
    a thread that you start yourself begins without.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    token = _current.set({**_current.get({}), **given})
    try:
        yield
    finally:
        _current.reset(token)


def fields_for(log: str) -> dict[str, Any]:
    """The fields of the context, by the names that the log has for them."""
    current = _current.get(None)
    if not current:
        return {}
    fields = {name: current[name] for name in SHARED if name in current}
    if actor := current.get("actor"):
        fields["user" if log == "access" else "actor"] = actor
    return fields
