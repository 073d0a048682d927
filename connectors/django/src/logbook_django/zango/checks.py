"""What `manage.py check` says about the settings of a Zango project."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from ..conf import config

PLACES = ("PLATFORM", "TENANTS", "TENANT")
NAMES = {"URL", "WORKSPACE", "SOURCE", "KEY", "KEY_ENV", "KEY_FILE"}


def connect() -> None:
    """Adds the check."""
    checks.register(check_settings)


def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Mistakes that would leave apps without events, and of which nothing else would tell before."""
    found = []
    for name in ("SHARED_APPS", "TENANT_APPS"):
        if "logbook_django" not in getattr(settings, name, ()):
            found.append(checks.Error(f"'logbook_django' is not in {name}", hint="Every schema needs an outbox.", id="logbook_zango.E001"))
    try:
        zango = config().zango
    except ImproperlyConfigured as error:
        return [*found, checks.Error(str(error), id="logbook_zango.E002")]
    found += [_error(f"there is no setting {name!r}, only {', '.join(PLACES)}") for name in zango if name not in PLACES]
    entries = {"PLATFORM": zango.get("PLATFORM"), "TENANT": zango.get("TENANT")}
    entries |= {f"TENANTS[{name!r}]": entry for name, entry in zango.get("TENANTS", {}).items()}
    for place, entry in entries.items():
        if isinstance(entry, dict):
            found += [_error(f"{place} has no {name!r}, only {', '.join(sorted(NAMES))}") for name in entry if name not in NAMES]
            found += [_error(f"{place} has no {name}") for name in ("WORKSPACE", "SOURCE") if not entry.get(name)]
    return found


def _error(message: str) -> checks.Error:
    return checks.Error(f"LOGBOOK['ZANGO']: {message}", id="logbook_zango.E003")
