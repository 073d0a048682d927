"""Who acts, for whom, why and from where: what events of the running request, task or block have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from . import events


@dataclass(frozen=True)
class Context:
    """What `acting` and the middleware know. None is unknown. `request` is the running HTTP request."""

    actor: dict | None = None
    on_behalf_of: dict | None = None
    purpose: str | None = None
    correlation_id: str | None = None
    role: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    session_id: str | None = None
    request: Any = None


_current: ContextVar[Context] = ContextVar("logbook_context", default=Context())  # noqa: B039 (it is frozen)
_muted: ContextVar[bool] = ContextVar("logbook_muted", default=False)


def current() -> Context:
    """The context of the running code."""
    return _current.get()


def is_muted() -> bool:
    """Whether the running code is inside `muted()`."""
    return _muted.get()


@contextmanager
def acting(
    *,
    actor: Any = None,
    on_behalf_of: Any = None,
    purpose: str | None = None,
    correlation_id: str | None = None,
    role: str | None = None,
    ip_address: str | None = None,
    user_agent: str | None = None,
    session_id: str | None = None,
) -> Iterator[Context]:
    """Events that are recorded inside the block have these values, unless they have their own.

    `actor` and `on_behalf_of` are users, or dicts of `type` (user, admin, service, system, agent), `id` and `name`. Blocks nest: what an
    inner one leaves out is the outer one's.
    """
    given = {
        "actor": events.person(actor),
        "on_behalf_of": events.person(on_behalf_of),
        "purpose": purpose,
        "correlation_id": correlation_id,
        "role": role,
        "ip_address": ip_address,
        "user_agent": user_agent,
        "session_id": session_id,
    }
    with entered(replace(current(), **{name: value for name, value in given.items() if value is not None})) as context:
        yield context


@contextmanager
def entered(context: Context) -> Iterator[Context]:
    """Makes this the context of the block, with nothing of the one outside."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


@contextmanager
def muted() -> Iterator[None]:
    """Nothing is recorded inside the block: for imports that Logbook need not see."""
    token = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(token)
