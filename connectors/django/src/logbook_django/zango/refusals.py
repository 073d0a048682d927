"""What admins ask of the App Panel and do not get: a role whose name is taken, a user that does not exist, an app that is not theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..outbox import guarded
from .hooks import wrap
from .people import SYSTEM, circumstances
from .telling import tell_apart
from .tenants import has_outbox, tenant_with_uuid

VIEW = "zango.core.api.base:ZangoGenericPlatformAPIView"
# What the views are about, by the beginning of their names; the longer ones first.
KINDS = {
    "PlatformUser": "platform_user", "UserRole": "role", "User": "user", "Policy": "policy", "AppTask": "task", "App": "app",
    "Theme": "theme", "SAMLProvider": "saml_configuration", "Secrets": "secret", "Packages": "package",
}  # fmt: skip
# Asked for with POST, and told when they fail by the function itself.
SYNCED = ("sync_policies", "sync_tasks")


def connect() -> None:
    """Hooks the base class of the App Panel's views."""
    what = "what the App Panel refuses is"
    wrap(f"{VIEW}.finalize_response", _finalize, what)
    wrap(f"{VIEW}.handle_exception", _handle, what)


def _finalize(original: Callable) -> Callable:
    def finalize_response(self: Any, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        with guarded("what the App Panel refuses"):
            if response.status_code >= 400:
                _tell(self, request, reason_of(response) or f"HTTP {response.status_code}", denied=response.status_code in (401, 403))
        return original(self, request, response, *args, **kwargs)

    return finalize_response


def _handle(original: Callable) -> Callable:
    def handle_exception(self: Any, error: Exception) -> Any:
        try:
            return original(self, error)
        except Exception:
            with guarded("what the App Panel refuses"):
                _tell(self, self.request, f"{type(error).__name__}: {error}", denied=False)
            raise

    return handle_exception


def _tell(view: Any, request: Any, error: str, *, denied: bool) -> None:
    if request.method not in ("POST", "PUT", "PATCH", "DELETE") or request.GET.get("action") in SYNCED:
        return
    known = circumstances()
    # Whoever has not signed in is nobody's admin.
    if known["actor"] == SYSTEM:
        return
    name = type(view).__name__
    kind = next((kind for beginning, kind in KINDS.items() if name.startswith(beginning)), None) or re.sub(r"\W|view.*", "", name.lower())
    verb = {"DELETE": "deleted", "POST": "updated" if "Detail" in name else "created"}.get(request.method, "updated")
    own_id = next((value for key, value in view.kwargs.items() if key != "app_uuid" or kind == "app"), None)
    event = {
        "action": f"{kind}_{verb}",
        "component": {"type": kind, "id": own_id, "name": _given_name(request)},
        "status": "denied" if denied else "failure",
        "error": error,
        **known,
    }

    def schema() -> str | None:
        tenant = tenant_with_uuid(view.kwargs["app_uuid"]) if "app_uuid" in view.kwargs else None
        return tenant.schema if tenant and has_outbox(tenant.schema) else None

    tell_apart("framework", event, schema)


def _given_name(request: Any) -> str | None:
    try:
        name = request.data.get("name")
    except Exception:  # what came cannot be read, or is a list
        return None
    return name if isinstance(name, str) else None


def reason_of(response: Any) -> str | None:
    """The message of a response that refuses, in the shapes that Zango and the REST framework have."""
    try:
        body = response.data if hasattr(response, "data") else json.loads(response.content)
        if "detail" in body:
            return str(body["detail"])
        body = body.get("response", body)
        messages = [error.get("message") for error in body.get("errors", [])] or [body.get("message")]
        return "; ".join(str(message) for message in messages if message) or None
    except Exception:  # a page, or nothing
        return None
