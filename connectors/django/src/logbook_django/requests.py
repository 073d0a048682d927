"""What a request tells: address, user agent, session, correlation id, and who makes it."""

from __future__ import annotations

import ipaddress
import re
import uuid
from typing import Any

from django.utils.crypto import salted_hmac

from . import events
from .conf import config
from .context import current

CORRELATION_HEADER = "HTTP_X_CORRELATION_ID"
# A client may choose the id, so it is bounded and has no character that means something to a log or a page.
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:@/+=-]{1,128}")
ANONYMOUS = {"type": "user", "name": "anonymous"}


def client_ip(request: Any) -> str | None:
    """The client's address in canonical form, None where it is none.

    It is REMOTE_ADDR. Where that is one of TRUSTED_PROXIES, it is the last address of X-Forwarded-For that is not.
    """
    address = _address(request.META.get("REMOTE_ADDR"))
    proxies = config().trusted_proxies
    if not proxies or address is None:
        return str(address) if address else None
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while hops and any(address in network for network in proxies):
        hop = _address(hops.pop())
        if hop is None:
            break
        address = hop
    return str(address)


def canonical(address: str | None) -> str | None:
    """An address in canonical form, None where it is none."""
    found = _address(address)
    return str(found) if found else None


def _address(text: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # The zone of a link-local address (`fe80::1%eth0`) means something on one machine alone.
        address = ipaddress.ip_address((text or "").strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def session_hash(session_key: str | None) -> str | None:
    """An id of a session that signs nobody in: a keyed hash of its key."""
    if not session_key:
        return None
    return salted_hmac("logbook_django.session", session_key, algorithm="sha256").hexdigest()[:32]


def correlation_id(request: Any) -> str:
    """The X-Correlation-ID that came with the request where it is well-formed, else a new one."""
    given = request.META.get(CORRELATION_HEADER, "")
    return given if _CORRELATION_ID.fullmatch(given) else uuid.uuid4().hex


def request_fields(request: Any) -> dict:
    """`ip_address`, `user_agent`, `session_id` and `correlation_id` of a request; None where there is none."""
    if request is None:
        return {}
    context = current()
    return {
        "ip_address": client_ip(request),
        "user_agent": request.META.get("HTTP_USER_AGENT"),
        "session_id": session_hash(getattr(getattr(request, "session", None), "session_key", None)),
        # That of the middleware, so that all events of one request share it.
        "correlation_id": context.correlation_id if context.request is request else None,
    }


def request_actor(request: Any) -> dict:
    """Who makes the request, as the setting ACTOR says; somebody who has not signed in is the user "anonymous"."""
    user = getattr(request, "user", None)
    actor_of = config().actor
    return (actor_of(user, request) if actor_of else events.actor_of(user)) or ANONYMOUS


def request_role(request: Any, user: Any = None) -> str | None:
    """The role of a user as the setting ROLE says; None without that setting. Without `user`, of the one who makes the request."""
    role_of = config().role
    user = user if user is not None else getattr(request, "user", None)
    if role_of is None or user is None or not getattr(user, "is_authenticated", False):
        return None
    role = role_of(user, request)
    return None if role is None else str(role)
