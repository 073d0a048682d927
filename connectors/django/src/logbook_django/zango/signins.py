"""Events of the access log: of Zango's rows, and of what Zango writes no row for. Rows become what `logbook import zango` makes of them."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django.apps import apps
from django.db.models import Q
from django.db.transaction import TransactionManagementError

from ..events import json_value
from .entries import moment
from .people import SESSION_KEY, remote_address, session_id, somebody, user

TABLE = "accesslogs_appaccesslog"
NAMES = ("username", "email", "phone", "mobile")


def login_event(request: Any, account: Any, row: Any) -> dict:
    """Somebody signed in, with Zango's row where it wrote one. Begins the session that all that follows belongs to."""
    session = f"zango-{row.pk}" if row else f"zango-{uuid.uuid4().hex}"
    if hasattr(request, "session"):
        request.session[SESSION_KEY] = session
    person = somebody(account)
    return {
        "event_type": "login",
        "user": person,
        "username": (row and row.username) or _signs_in_as(account),
        "role": _role_at_login(request, account, row),
        "session_id": session,
        **_place(request, row, "login"),
    }


def failure_event(request: Any, username: str | None, reason: str, row: Any = None, *, denied: bool = False) -> dict:
    """Somebody could not sign in. Denied: it was not even tried, as the account or address is locked, or this way in is closed."""
    event = {
        "event_type": "login_failed",
        "status": "denied" if denied else "failure",
        "status_reason": reason,
        # Zango's own rows have no name where somebody signs in with an email address.
        "username": username or (row and row.username) or None,
        **_place(request, row, "login_failed"),
    }
    account = _account(username) if username else None
    event["metadata"]["known_account"] = account is not None
    if account is not None:
        event["targets"] = [account]
    return event


def lockout_event(request: Any, username: str | None) -> dict:
    """axes locked an account or an address."""
    return {
        "event_type": "locked_out",
        "status": "denied",
        "status_reason": "too many failed sign-ins",
        "username": username,
        **_place(request, None, ""),
    }


def end_event(request: Any, account: Any, row: Any, ended_by: str) -> dict:
    """A session ended: by its user, or since nobody used it. `row` is the one that Zango stamped.

    Zango stamps the user's last open session, which is another one where they have two.
    """
    session = session_id(request) or (f"zango-{row.pk}" if row else None)
    place = _place(request, None, "")
    own = int(session.removeprefix("zango-")) if session and session.removeprefix("zango-").isdecimal() else None
    if own is not None:
        place["metadata"]["zango"] = {"table": TABLE, "id": own, **({"stamped": row.pk} if row and row.pk != own else {})}
    place["metadata"]["ended_by"] = ended_by
    role = _role(getattr(request, "session", {}).get("role_id"))
    return {
        "event_type": "session_expired" if ended_by == "expiry" else "logout",
        "user": somebody(account),
        "username": _signs_in_as(account),
        "role": role and role["name"],
        "session_id": session,
        **place,
    }


def switch_event(request: Any, account: Any, old: Any, new: Any, row: Any, refused: str | None) -> dict:
    """Somebody chose another role. Zango lets them choose roles that they do not have; `metadata.assigned` tells."""
    role = _role(new)
    place = _place(request, row, "role_switched")
    place["metadata"] |= {"from": _role(old), "to": role or {"id": json_value(new)}}
    event = {
        "event_type": "role_switched",
        "user": somebody(account),
        "role": role and role["name"],
        "session_id": session_id(request),
        **place,
    }
    if refused:
        return {**event, "status": "failure", "status_reason": refused}
    event["metadata"]["assigned"] = account.roles.filter(pk=new).exists()
    return event


def row_event(row: Any) -> dict:
    """A row that other code than the sign-in wrote."""
    types = {"login": "login" if row.is_login_successful else "login_failed", "switch_role": "role_switched"}
    event = {
        "event_type": types.get(row.attempt_type) or re.sub(r"[^a-z0-9_]", "_", (row.attempt_type or "login").lower()),
        "status": "success" if row.is_login_successful else "failure",
        "user": user(row.user) if row.user_id else None,
        "username": row.username or None,
        "role": row.role.name if row.role_id else None,
        **_place(None, row, "attempt"),
    }
    if row.is_login_successful:
        event["session_id"] = f"zango-{row.pk}"
    return event


def stamp_event(row: Any) -> dict:
    """Other code than the sign-out stamped the end of a session on its row, which does not say how it ended."""
    return {
        "event_type": "session_expired",
        "occurred_at": moment(row.session_expired_at),
        "dedupe_key": f"zango:{TABLE}:{row.pk}:end:{moment(row.session_expired_at)}",
        "user": user(row.user) if row.user_id else None,
        "username": row.username or None,
        "session_id": f"zango-{row.pk}",
        "metadata": {"zango": {"table": TABLE, "id": row.pk}, "ended_by": "logout_or_expiry"},
    }


def username_of(request: Any, credentials: dict | None = None) -> str | None:
    """The name with which somebody tries to sign in: of the credentials, the form or the JSON of the request."""
    for source in (credentials or {}, getattr(request, "POST", None) or {}, _json(request)):
        for name in NAMES:
            if isinstance(source.get(name), str) and source[name]:
                return source[name]
    return None


def _json(request: Any) -> dict:
    try:
        body = json.loads(request.body)
    except Exception:  # read as a stream before, or no JSON
        return {}
    return body if isinstance(body, dict) else {}


def _place(request: Any, row: Any, what: str) -> dict:
    """Where it came from and when; of the row where there is one, so that it agrees with an import."""
    metadata: dict[str, Any] = {}
    if row is not None:
        metadata["zango"] = {"table": TABLE, "id": row.pk, **({"role_id": str(row.role_id)} if row.role_id else {})}
        for name in ("path_info", "http_accept"):
            if getattr(row, name, None):
                metadata[name] = getattr(row, name)
        return {
            "occurred_at": moment(row.attempt_time),
            "dedupe_key": f"zango:{TABLE}:{row.pk}:{what}:{moment(row.attempt_time)}",
            "ip_address": row.ip_address,
            "user_agent": row.user_agent or None,
            "metadata": metadata,
        }
    if request is None:
        return {"metadata": metadata}
    metadata["path_info"] = request.path_info
    return {"ip_address": remote_address(request), "user_agent": request.META.get("HTTP_USER_AGENT"), "metadata": metadata}


def _signs_in_as(account: Any) -> str | None:
    """The name with which somebody signs in; Django's user behind a platform admin has none."""
    account = getattr(account, "platform_user", account)
    name = getattr(account, "email", None) or getattr(account, "mobile", None)
    return str(name) if name else None


def _role_at_login(request: Any, account: Any, row: Any) -> str | None:
    """The role of the row, else the one that was chosen, else the only one there is."""
    if row is not None and row.role_id:
        return row.role.name
    if account._meta.label_lower != "appauth.appusermodel":
        return None
    chosen = _role(getattr(request, "session", {}).get("role_id"))
    if chosen:
        return chosen["name"]
    roles = list(account.roles.filter(is_active=True).values_list("name", flat=True)[:2])
    return roles[0] if len(roles) == 1 else None


def _role(identifier: Any) -> dict | None:
    if not str(identifier or "").isdecimal():
        return None
    role = apps.get_model("appauth", "UserRoleModel").objects.filter(pk=identifier).first()
    return {"id": str(role.pk), "name": role.name} if role else None


def _account(username: str) -> dict | None:
    """The account that somebody tried, as a target; None where there is none of that name."""
    from django.db import connection

    # The App Panel's users are in the public schema, which every app can read; so ask whose sign-in this is.
    is_app = getattr(connection.tenant, "tenant_type", None) == "app"
    model = apps.get_model("appauth", "AppUserModel") if is_app else apps.get_model("platformauth", "PlatformUserModel")
    try:
        found = model.objects.filter(Q(email=username) | Q(mobile=username)).first()
    except (ValueError, TransactionManagementError):  # no text that a database can have; or it can no longer be asked
        return None
    return {"type": "user" if is_app else "platform_user", "id": str(found.pk), "name": found.name} if found else None
