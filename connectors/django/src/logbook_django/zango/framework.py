"""The framework log: what the platform does with an app's code, which Zango says nowhere. Each deed has its outcome.

A deed that failed is recorded in a transaction of its own: what it did may be rolled back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.apps import apps

from ..outbox import guarded
from .hooks import wrap
from .people import circumstances
from .telling import tell, tell_apart
from .tenants import Tenant, component, tenant_named, tenant_of

WORKSPACE = "zango.apps.dynamic_models.workspace.base:Workspace"
INSTALLED = "Package Installed"


def connect() -> None:
    """Hooks the functions behind the App Panel and the command line."""
    wrap(f"{WORKSPACE}.sync_policies", _syncing("policies_synced", "permissions.PolicyModel"), "synced policies are")
    wrap(f"{WORKSPACE}.sync_role_policies", _syncing("policy_files_written", None), "written policy files are")
    wrap(f"{WORKSPACE}.sync_tasks", _syncing("tasks_synced", "tasks.AppTask"), "synced tasks are")
    wrap(f"{WORKSPACE}.sync_tools", _syncing("tools_synced", None), None)
    wrap("zango.core.package_utils:install_package", _installing, "installed packages are")
    # Only the command line has it.
    if "zango.cli.update_apps" in sys.modules:
        wrap("zango.cli.update_apps:create_release", _releasing, "releases are")


def deed(action: str, tenant: Tenant | None, error: str | None = None, **metadata: Any) -> dict:
    """A framework event about an app."""
    event = {"action": action, "component": component(tenant), "metadata": metadata, **circumstances()}
    return {**event, "error": error} if error else event


def _named(name: str) -> Tenant | None:
    with guarded("the app of a deed"):
        return tenant_named(name)
    return None


def _syncing(action: str, model: str | None) -> Callable:
    def make(original: Callable) -> Callable:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            before, tenant = set(), None
            with guarded(action):
                before, tenant = _names(model), tenant_of()
            try:
                result = original(self, *args, **kwargs)
            except Exception as error:
                with guarded(action):
                    tell_apart("framework", deed(action, tenant, str(error) or type(error).__name__))
                raise
            with guarded(action):
                after = _names(model)
                counts = {"total": len(after), "added": sorted(after - before), "removed": sorted(before - after)} if model else {}
                tell("framework", deed(action, tenant, **counts))
            return result

        return method

    return make


def _names(model: str | None) -> set[str]:
    """What is there of what is synced: tasks are only marked as deleted."""
    if model is None:
        return set()
    kept = {"is_deleted": False} if model == "tasks.AppTask" else {"type": "user"}
    return set(apps.get_model(model).objects.filter(**kept).values_list("name", flat=True))


def _installing(original: Callable) -> Callable:
    """Zango's function never raises: it returns a text that says how it went."""

    def install_package(package_name: str, version: str, tenant: str, *args: Any, **kwargs: Any) -> str:
        app = _named(tenant)
        schema = app.schema if app else None
        result = original(package_name, version, tenant, *args, **kwargs)
        with guarded("package_installed"):
            package = {"package": package_name, "version": version}
            if result == INSTALLED:
                tell("framework", deed("package_installed", app, **package), schema)
            else:
                tell_apart("framework", deed("package_installed", app, *_error(result), **package), schema)
        return result

    return install_package


def _error(text: str) -> tuple[str]:
    """What went wrong, which is the last line of a traceback, and then all of it."""
    lines = [line for line in text.splitlines() if line.strip()]
    return (f"{lines[-1].strip()}\n\n{text}" if len(lines) > 1 else text,)


def _releasing(original: Callable) -> Callable:
    def create_release(tenant_name: str, app_settings: dict, *args: Any, **kwargs: Any) -> Any:
        tenant = _named(tenant_name)
        schema = tenant.schema if tenant else None
        version = {"version": app_settings.get("version")}
        try:
            release = original(tenant_name, app_settings, *args, **kwargs)
        except Exception as error:
            with guarded("release_applied"):
                tell_apart("framework", deed("release_applied", tenant, str(error), **version), schema)
            raise
        # None: there is no new version.
        if release is not None:
            with guarded("release_applied"):
                tell("framework", deed("release_applied", tenant, **version, git_hash=release.last_git_hash), schema)
        return release

    return create_release
