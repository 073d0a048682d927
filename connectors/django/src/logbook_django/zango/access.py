"""The access log: hooks around Zango's receivers and views, so that a sign-in and the row that Zango writes of it are one event.

Zango's receivers are called inside ours. What rows they save is noted, and the event is recorded after them, in the same transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.signals import post_save, pre_save

from ..outbox import guarded
from .hooks import wrap, wrap_receiver
from .people import plain
from .refusals import reason_of
from .signins import end_event, failure_event, lockout_event, login_event, row_event, stamp_event, switch_event, username_of
from .telling import tell, tell_apart

RECEIVERS = "zango.apps.accesslogs.signals"
FLOWS = "zango.api.app_auth.flows.v1"
# Views where somebody can fail to come in without a signal: an unknown account that asks for a code, a way in that is closed.
VIEWS = (
    "login:AppLoginViewAPIV1",
    "login_with_code:RequestLoginCodeViewAPIV1",
    "login_with_code:ConfirmLoginCodeViewAPIV1",
    "mfa:MFAVerifyViewAPIV1",
)

LOCKED = "locked out after too many failed sign-ins"


class _Rows(threading.local):
    """The rows that are saved while a hook waits for them; None outside of hooks."""

    saved: list | None = None


_rows = _Rows()


def connect() -> None:
    """Hooks the access log of the apps and of the App Panel."""
    wrap_receiver(user_logged_in, f"{RECEIVERS}:user_logged_in_handler", _login, "the rows of sign-ins are")
    wrap_receiver(user_login_failed, f"{RECEIVERS}:login_failure_handler", _login_failed, "the rows of failed sign-ins are")
    wrap_receiver(user_logged_out, f"{RECEIVERS}:user_logged_out_handler", _logout, "the rows of ended sessions are")
    for view in VIEWS:
        wrap(f"{FLOWS}.{view}.dispatch", _refusing_view, "what this view refuses is")
    wrap(f"{FLOWS}.role:SwitchRoleAPIV1.post", _switching_view, "switched roles are")
    wrap("axes.backends:AxesStandaloneBackend.authenticate", _locked_backend, "that a try was not even made is")
    wrap("axes.helpers:get_lockout_response", _lockout, "tries on locked accounts of the App Panel are")
    wrap("session_security.middleware:SessionSecurityMiddleware.process_request", _expiring, "expired sessions are, as sign-outs,")
    from zango.apps.accesslogs.models import AppAccessLog

    pre_save.connect(_row_changes, sender=AppAccessLog, dispatch_uid="logbook_zango_access_pre")
    post_save.connect(_row_saved, sender=AppAccessLog, dispatch_uid="logbook_zango_access")


@contextmanager
def _noted() -> Iterator[list]:
    """Notes the rows of the block instead of telling them, and commits them together with their event."""
    outer, _rows.saved = _rows.saved, []
    try:
        with nullcontext() if transaction.get_connection().in_atomic_block else transaction.atomic():
            yield _rows.saved
    finally:
        _rows.saved = outer


def _row_changes(sender: Any, instance: Any, **_: Any) -> None:
    if _rows.saved is None and instance.pk and instance.session_expired_at:
        with guarded("what was before a change of Zango's access log"):
            instance._logbook_ends = sender.objects.filter(pk=instance.pk, session_expired_at=None).exists()


def _row_saved(sender: Any, instance: Any, created: bool, raw: bool = False, **_: Any) -> None:
    if raw:
        return
    if _rows.saved is not None:
        if instance not in _rows.saved:
            _rows.saved.append(instance)
        return
    with guarded("a row of Zango's access log"):
        if created:
            tell("access", row_event(instance))
        if instance.user_id and instance.__dict__.pop("_logbook_ends", False):
            tell("access", stamp_event(instance))


def _told(request: Any) -> set:
    """What has been told of this request, so that nothing is told twice."""
    return request.__dict__.setdefault("_logbook_told", set())


def _login(original: Callable) -> Callable:
    def receiver(sender: Any, **sent: Any) -> None:
        with _noted() as rows:
            original(sender=sender, **sent)
            with guarded("login"):
                request = plain(sent["request"])
                _told(request).add("login")
                tell("access", login_event(request, sent["user"], rows[-1] if rows else None))

    return receiver


def _login_failed(original: Callable) -> Callable:
    def receiver(sender: Any, **sent: Any) -> None:
        request, credentials = plain(sent.get("request")), sent.get("credentials")
        with _noted() as rows:
            try:
                original(sender=sender, **sent)
            except Exception:
                with guarded("login_failed"):
                    tell_apart("access", failure_event(request, username_of(None, credentials), "the sign-in itself failed"))
                raise
            with guarded("login_failed"):
                _tell_failure(request, credentials, rows[-1] if rows else None)

    return receiver


def _tell_failure(request: Any, credentials: dict | None, row: Any) -> None:
    username = username_of(request, credentials)
    told = _told(request) if request is not None else set()
    if ("login_failed", username) in told:
        return
    told.add(("login_failed", username))
    if getattr(request, "_logbook_denied", False):
        tell("access", failure_event(request, username, LOCKED, row, denied=True))
        return
    tell("access", failure_event(request, username, "wrong name or password, or the account is inactive", row))
    if getattr(request, "axes_locked_out", False):
        tell("access", lockout_event(request, username))


def _locked_backend(original: Callable) -> Callable:
    """axes says of each failure beyond its limit that it locks; only the first one does, later ones are stopped here."""

    def authenticate(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, request, *args, **kwargs)
        except PermissionDenied:
            if request is not None:
                plain(request)._logbook_denied = True
            raise

    return authenticate


def _logout(original: Callable) -> Callable:
    def receiver(sender: Any, **sent: Any) -> None:
        with _noted() as rows:
            original(sender=sender, **sent)
            # Zango stamps a failed row when somebody signs out who has not signed in.
            if sent.get("user") is not None:
                with guarded("logout"):
                    request = plain(sent.get("request"))
                    ended_by = getattr(request, "_logbook_ended_by", "logout")
                    tell("access", end_event(request, sent["user"], rows[-1] if rows else None, ended_by))

    return receiver


def _expiring(original: Callable) -> Callable:
    def process_request(self: Any, request: Any) -> Any:
        request._logbook_ended_by = "expiry"
        try:
            return original(self, request)
        finally:
            del request._logbook_ended_by

    return process_request


def _refusing_view(original: Callable) -> Callable:
    def dispatch(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = original(self, request, *args, **kwargs)
        with guarded("login_failed"):
            if request.method == "POST" and response.status_code in (400, 403, 409, 429) and not _told(plain(request)):
                reason = reason_of(response)
                # A conflict without a reason: who has signed in signs in again.
                if reason or response.status_code != 409:
                    _told(plain(request)).add("refused")
                    reason, denied = reason or f"HTTP {response.status_code}", response.status_code in (403, 429)
                    tell("access", failure_event(plain(request), username_of(request), reason, denied=denied))
        return response

    return dispatch


def _lockout(original: Callable) -> Callable:
    def get_lockout_response(request: Any, credentials: dict | None = None, *args: Any, **kwargs: Any) -> Any:
        with guarded("login_failed"):
            if request.method == "POST" and not _told(plain(request)):
                _told(plain(request)).add("refused")
                username = username_of(request, credentials)
                tell("access", failure_event(plain(request), username, LOCKED, denied=True))
        return original(request, credentials, *args, **kwargs)

    return get_lockout_response


def _switching_view(original: Callable) -> Callable:
    def post(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        with _noted() as rows:
            old = request.session.get("role_id")
            response = original(self, request, *args, **kwargs)
            with guarded("role_switched"):
                refused = None if response.status_code < 400 else reason_of(response) or f"HTTP {response.status_code}"
                new = request.GET.get("role")
                tell("access", switch_event(plain(request), request.user, old, new, rows[-1] if rows else None, refused))
        return response

    return post
