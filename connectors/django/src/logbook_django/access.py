"""The access log: sign-ins, failed ones, sign-outs, and axes' lock-outs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from . import events
from .outbox import guarded, record
from .requests import request_fields, request_role


def login_event(request: Any, user: Any) -> dict:
    """Somebody signed in. `metadata.backend` is the class that let them in."""
    backend = getattr(user, "backend", None)
    return {
        "event_type": "login",
        **_person(request, user),
        **_place(request, {"backend": backend} if backend else {}),
    }


def login_failed_event(request: Any, credentials: dict[str, Any]) -> dict:
    """Somebody could not sign in. Of the credentials only the name is taken."""
    locked = bool(getattr(request, "axes_locked_out", False))
    return {
        "event_type": "login_failed",
        "status": "failure",
        "status_reason": "locked out after too many failures" if locked else "wrong name or password",
        "username": _username(credentials),
        **_place(request),
    }


def logout_event(request: Any, user: Any) -> dict:
    """Somebody signed out."""
    return {"event_type": "logout", **_person(request, user), **_place(request)}


def locked_out_event(request: Any, username: str | None, ip_address: str | None) -> dict:
    """axes locked an account or an address out."""
    return {
        "event_type": "locked_out",
        "status": "denied",
        "status_reason": "too many failed sign-ins",
        "username": username,
        **_place(request),
        **({} if request is not None else {"ip_address": ip_address}),
    }


def _person(request: Any, user: Any) -> dict:
    if user is None:
        return {}
    return {"user": events.actor_of(user), "username": user.get_username(), "role": request_role(request, user)}


def _place(request: Any, metadata: dict[str, Any] | None = None) -> dict:
    if request is None:
        return {"metadata": metadata} if metadata else {}
    return {**request_fields(request), "metadata": {**(metadata or {}), "path": request.path}}


def _username(credentials: dict[str, Any]) -> str | None:
    """The name with which somebody tried to sign in, under whatever key the backend calls it."""
    for key in (get_user_model().USERNAME_FIELD, "username", "email", "phone", "mobile"):
        if credentials.get(key):
            return str(credentials[key])
    return None


def _logged_in(sender: Any, request: Any, user: Any, **_: Any) -> None:
    with guarded("login"):
        record("access", login_event(request, user))


def _login_failed(sender: Any, credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    with guarded("login_failed"):
        record("access", login_failed_event(request, credentials))


def _logged_out(sender: Any, request: Any, user: Any, **_: Any) -> None:
    with guarded("logout"):
        # Signing out without having signed in is nothing.
        if user is not None:
            record("access", logout_event(request, user))


def _locked_out(sender: Any, request: Any = None, username: str | None = None, ip_address: str | None = None, **_: Any) -> None:
    with guarded("locked_out"):
        record("access", locked_out_event(request, username, ip_address))


def connect() -> None:
    """Connects the receivers; axes' where it is installed."""
    from django.apps import apps
    from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

    user_logged_in.connect(_logged_in, dispatch_uid="logbook_login")
    user_login_failed.connect(_login_failed, dispatch_uid="logbook_login_failed")
    user_logged_out.connect(_logged_out, dispatch_uid="logbook_logout")
    if apps.is_installed("axes"):
        from axes.signals import user_locked_out

        user_locked_out.connect(_locked_out, dispatch_uid="logbook_locked_out")
