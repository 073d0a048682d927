"""Users, platform admins and roles as events name them, and who the running request or task belongs to."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from django.apps import apps

from ..context import current
from ..requests import canonical, client_ip

SYSTEM = {"type": "system"}

# The key of Zango's session under which the id of the session stands in Logbook: one for a sign-in and all that follows.
SESSION_KEY = "logbook_session_id"

# The running task as an actor: for what nobody else did.
task_actor: ContextVar[dict | None] = ContextVar("logbook_zango_task_actor", default=None)
# The running request, and who made it as its context says: an actor of `acting` is another one.
serving: ContextVar[Any] = ContextVar("logbook_zango_request", default=None)
request_actor: ContextVar[dict | None] = ContextVar("logbook_zango_request_actor", default=None)


def person_name(person: Any) -> str | None:
    """A person's name; without one, the address or the number they sign in with."""
    for field in ("name", "email", "mobile"):
        if value := getattr(person, field, None):
            return str(value)
    return None


def user(app_user: Any) -> dict:
    """A user of an app as an actor."""
    return {"type": "user", "id": str(app_user.pk), "name": person_name(app_user)}


def admin(platform_user: Any) -> dict:
    """A user of the App Panel as an actor."""
    return {"type": "admin", "id": str(platform_user.pk), "name": person_name(platform_user)}


def somebody(account: Any) -> dict | None:
    """Whoever Django says has signed in: a user of an app, or a platform admin behind one of Django's own users."""
    if account is None or not getattr(account, "is_authenticated", False):
        return None
    if account._meta.label_lower == "appauth.appusermodel":
        return user(account)
    if account._meta.label_lower == "platformauth.platformusermodel":
        return admin(account)
    platform_user = getattr(account, "platform_user", None)
    return admin(platform_user) if platform_user else {"type": "admin", "id": f"auth_user:{account.pk}", "name": account.get_username()}


def named_user(identifier: int, known: Any = None) -> str | None:
    """The name of an app's user. `known` is one whose name is at hand."""
    if known is not None and known.pk == identifier:
        return person_name(known)
    return person_name(apps.get_model("appauth", "AppUserModel").objects.filter(pk=identifier).first())


def named_role(identifier: int) -> str | None:
    """The name of a role."""
    return apps.get_model("appauth", "UserRoleModel").objects.filter(pk=identifier).values_list("name", flat=True).first()


def plain(request: Any) -> Any:
    """Django's own request behind that of the REST framework."""
    return getattr(request, "_request", request)


def running_request() -> Any:
    """The request that the running code serves; None in a task or a command."""
    return serving.get() if task_actor.get() is None else None


def actor() -> dict:
    """Who does what the running code does: as `acting` says, else whoever makes the request, else the system."""
    context = current().actor
    if context is not None:
        return context
    request = running_request()
    return (request is not None and actor_of(request)) or task_actor.get() or SYSTEM


def actor_of(request: Any) -> dict | None:
    """Who makes a request; None for nobody who has signed in."""
    if getattr(request, "user", None) is None:
        return None
    from zango.apps.auditlogs.middleware import AuditlogMiddleware

    # It knows both kinds of users, and admins who open an app from the App Panel with a token.
    return somebody(AuditlogMiddleware._get_actor(request))


def role_of(person: dict | None) -> str | None:
    """The role in which a user of an app makes the running request, where that is theirs."""
    request = running_request()
    account = getattr(request, "user", None)
    if person is None or person["type"] != "user" or account is None or str(account.pk) != person["id"]:
        return None
    from zango.core.utils import get_current_role

    return getattr(get_current_role(), "name", None)


def circumstances() -> dict:
    """Who does what the running code does, in which role and session, and from where: for events that no row of Zango tells."""
    who = actor()
    known: dict[str, Any] = {"actor": who, "role": role_of(who)}
    request = running_request()
    if request is not None:
        known |= {"ip_address": remote_address(request), **session_fields(request)}
    if cid := correlation_id():
        known["correlation_id"] = cid
    return known


def correlation_id() -> str | None:
    """The correlation id that Zango's rows get."""
    from zango.apps.auditlogs.cid import get_cid

    return get_cid()


def set_correlation_id(cid: str) -> Token:
    """Gives Zango's rows a correlation id until the token is reset."""
    from zango.apps.auditlogs.cid import correlation_id

    return correlation_id.set(cid)


def remote_address(request: Any) -> str | None:
    """The address of a request as Zango's own rows have it: the first of X-Forwarded-For. One that is none is left out."""
    from zango.apps.auditlogs.middleware import AuditlogMiddleware

    return canonical(AuditlogMiddleware._get_remote_addr(request)) or client_ip(request)


def session_fields(request: Any) -> dict:
    """The session and the program of a request."""
    return {"session_id": session_id(request), "user_agent": request.META.get("HTTP_USER_AGENT")}


def session_id(request: Any) -> str | None:
    """The id in Logbook of the session to which a request belongs; None before Logbook was there."""
    session = getattr(request, "session", None)
    return session.get(SESSION_KEY) if session is not None else None
