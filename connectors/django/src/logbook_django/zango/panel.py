"""What is changed in the App Panel and has no row in Zango's audit log: apps, their domains and themes, platform admins.

Events of an app go to the app's workspace once it has an outbox, before and for all else to the platform's.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.apps import apps
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.utils.encoding import smart_str
from django_tenants.utils import get_public_schema_name

from ..events import change, json_value, set_change
from ..outbox import guarded
from .entries import component_of, is_audited
from .people import circumstances
from .telling import tell
from .tenants import has_outbox

MODELS = ("tenancy.TenantModel", "tenancy.Domain", "tenancy.ThemesModel", "platformauth.PlatformUserModel")
# Fields that say when, which events say themselves.
PASSED_OVER = ("created_at", "modified_at", "last_login")

# Set while an app is set up, which is told as one deed.
setting_up: ContextVar[bool] = ContextVar("logbook_zango_setting_up", default=False)


def connect() -> None:
    """Listens to those models, unless this version of Zango writes rows for them."""
    for label in MODELS:
        model = apps.get_model(label)
        if not is_audited(model):
            pre_save.connect(_changes, sender=model, dispatch_uid=f"logbook_zango_panel_pre:{label}")
            post_save.connect(_saved, sender=model, dispatch_uid=f"logbook_zango_panel:{label}")
            post_delete.connect(_deleted, sender=model, dispatch_uid=f"logbook_zango_panel_deleted:{label}")
    admins = apps.get_model("platformauth.PlatformUserModel")
    if not is_audited(admins):
        m2m_changed.connect(_apps_changed, sender=admins.apps.through, dispatch_uid="logbook_zango_panel_apps")


def _values(instance: Any) -> dict[str, Any]:
    return {field.name: json_value(field.value_from_object(instance)) for field in instance._meta.concrete_fields}


def _changes(sender: Any, instance: Any, raw: bool = False, **_: Any) -> None:
    if instance.pk and not raw:
        with guarded("what was before a change in the App Panel"):
            before = sender._base_manager.filter(pk=instance.pk).first()
            instance._logbook_before = _values(before) if before else {}


def _saved(sender: Any, instance: Any, created: bool, raw: bool = False, update_fields: Any = None, **_: Any) -> None:
    before = instance.__dict__.pop("_logbook_before", {})
    if raw or setting_up.get():
        return
    with guarded("a change in the App Panel"):
        after = {name: value for name, value in _values(instance).items() if update_fields is None or name in update_fields}
        changed = [name for name in after if name not in PASSED_OVER and before.get(name) != after[name]]
        changes = [change(name, before.get(name), after[name]) for name in sorted(changed)]
        if changes:
            _tell(instance, "created" if created else "updated", changes)


def _deleted(sender: Any, instance: Any, **_: Any) -> None:
    with guarded("a change in the App Panel"):
        _tell(instance, "deleted", [])


def _apps_changed(sender: Any, instance: Any, action: str, reverse: bool, model: Any, pk_set: set | None, **_: Any) -> None:
    """Which apps an admin may see. Zango clears the relation and fills it again."""
    if reverse or action not in ("post_add", "post_remove", "pre_clear"):
        return
    with guarded("a change in the App Panel"):
        linked = instance.apps.all() if action == "pre_clear" else model._base_manager.filter(pk__in=pk_set or ())
        names = [smart_str(app) for app in linked]
        if names:
            added, removed = (names, []) if action == "post_add" else ([], names)
            _tell(instance, "updated", [set_change("apps", added, removed)])


def _tell(instance: Any, what: str, changes: list[dict]) -> None:
    kind = component_of(instance._meta.label_lower)
    component = {"type": kind, "id": str(instance.pk), "name": smart_str(instance)}
    event = {"action": f"{kind}_{what}", "component": component, "changes": changes, **circumstances()}
    tell("framework", event, _schema_of(instance))


def _schema_of(instance: Any) -> str:
    tenant = instance if hasattr(instance, "schema_name") else getattr(instance, "tenant", None)
    return tenant.schema_name if tenant is not None and has_outbox(tenant.schema_name) else get_public_schema_name()
