"""Tenants: which there are, where the events of each go, and which outboxes there are to send from.

    LOGBOOK = {"URL": …, "ZANGO": {
        "PLATFORM": {"WORKSPACE": …, "SOURCE": …, "KEY": …},             # App Panel; default: the WORKSPACE, SOURCE and KEY of LOGBOOK
        "TENANTS": {"peerapp": {"WORKSPACE": …, "SOURCE": …, "KEY": …}},   # by the app's name or schema
        "TENANT": {"WORKSPACE": "{tenant}", "SOURCE": "zango", "KEY_FILE": "/run/secrets/logbook-{tenant}"},   # any other; or a callable
    }}

An entry's key is in KEY, in the environment variable KEY_ENV or in the file KEY_FILE.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils.module_loading import import_string
from django_tenants.utils import get_public_schema_name, get_tenant_database_alias, schema_context

from ..conf import config
from ..models import OutboxEvent
from ..relay import Outbox

logger = logging.getLogger("logbook_django.zango")

# How long an answer is believed: which app it is, and whether it is mapped.
KNOWN_SECONDS = 30.0
NAMES = ("URL", "WORKSPACE", "SOURCE", "KEY")


@dataclass(frozen=True)
class Tenant:
    """An app of the platform, as far as events name it."""

    id: int
    name: str
    schema: str


_tenants: dict[str, tuple[float, Tenant]] = {}
_with_outbox: set[str] = set()
_mapped: dict[str, tuple[float, bool]] = {}
_without_outbox: dict[str, float] = {}
_warned: set[str] = set()


def current_schema() -> str:
    """The schema of the running code."""
    return connections[get_tenant_database_alias()].schema_name


def tenant_of(schema: str | None = None) -> Tenant | None:
    """The app with this schema, by default the current one. None for the platform's own, and where there is no such app."""
    schema = schema or current_schema()
    return None if schema == get_public_schema_name() else _tenant("schema_name", schema)


def tenant_named(name: str) -> Tenant | None:
    """The app of this name."""
    return _tenant("name", name)


def tenant_with_uuid(uuid: str) -> Tenant | None:
    """The app that the App Panel calls by this id."""
    try:
        return _tenant("uuid", uuid)
    except ValidationError:  # no UUID at all
        return None


def _tenant(field: str, value: str) -> Tenant | None:
    key = f"{field}:{value}"
    until, tenant = _tenants.get(key, (0.0, None))
    if until < time.monotonic():
        rows = apps.get_model("tenancy", "TenantModel").objects.filter(**{field: value})
        found = rows.values_list("id", "name", "schema_name").first()
        if found is None:
            return None
        tenant = Tenant(*found)
        _tenants[key] = (time.monotonic() + KNOWN_SECONDS, tenant)
    return tenant


def destination(schema: str) -> dict[str, str] | None:
    """URL, WORKSPACE, SOURCE and KEY for the events of a schema, as far as they are configured. None where nothing is said about it.

    Raises what the project's own callable raises, and OSError for a KEY_FILE that cannot be read.
    """
    settings = config()
    if schema == get_public_schema_name():
        entry = settings.zango.get("PLATFORM")
        if entry is None and settings.workspace and settings.source:
            entry = {"WORKSPACE": settings.workspace, "SOURCE": settings.source, "KEY": settings.key}
        return entry and _resolved(entry, Tenant(0, "platform", schema))
    tenant = tenant_of(schema)
    if tenant is None:
        return None
    own = settings.zango.get("TENANTS", {})
    entry = own.get(tenant.name) or own.get(schema)
    if entry is None:
        entry = settings.zango.get("TENANT")
        if isinstance(entry, str):
            entry = import_string(entry)
        if callable(entry):
            entry = entry(tenant)
    return entry and _resolved(entry, tenant)


def _resolved(entry: dict[str, str], tenant: Tenant) -> dict[str, str]:
    """The entry with its placeholders filled in, and the key from its file or environment variable. What is missing is an empty text."""
    words = {"tenant": tenant.name, "slug": tenant.name.lower().replace("_", "-"), "schema": tenant.schema, "TENANT": tenant.name.upper()}
    filled = {name: str(value).format(**words) if name != "KEY" else str(value or "") for name, value in entry.items()}
    if "KEY_FILE" in filled:
        filled["KEY"] = Path(filled["KEY_FILE"]).read_text().strip()
    elif "KEY_ENV" in filled:
        filled["KEY"] = os.environ.get(filled["KEY_ENV"], "")
    resolved = {name: filled.get(name, "") for name in NAMES}
    resolved["URL"] = resolved["URL"].rstrip("/") or config().url
    return resolved


def component(tenant: Tenant | None) -> dict:
    """An app as the component of an event; the platform itself where there is none."""
    return {"type": "app", "id": str(tenant.id), "name": tenant.name} if tenant else {"type": "platform"}


def gate(using: str) -> bool:
    """Whether events of the current schema are recorded: when it has an outbox of its own, and LOGBOOK says where they go.

    Without an outbox of its own a schema would write into that of the platform, since PostgreSQL looks there next.
    """
    schema = getattr(connections[using], "schema_name", None)
    if schema is None or not _is_mapped(schema):
        return False
    if not _has_outbox(using, schema):
        _warn(schema, "the schema %s has no outbox yet, and its events are not recorded: run manage.py migrate_schemas")
        return False
    return True


def has_outbox(schema: str) -> bool:
    """Whether a schema has an outbox of its own."""
    return _has_outbox(get_tenant_database_alias(), schema)


def _is_mapped(schema: str) -> bool:
    until, mapped = _mapped.get(schema, (0.0, False))
    if until < time.monotonic():
        try:
            mapped = destination(schema) is not None
        except Exception:
            # It is said where: the events wait until it is right.
            mapped = True
        _mapped[schema] = (time.monotonic() + KNOWN_SECONDS, mapped)
        if not mapped:
            _warn(schema, "LOGBOOK['ZANGO'] does not say where the events of the schema %s go: they are not recorded")
    return mapped


def _has_outbox(using: str, schema: str) -> bool:
    if schema in _with_outbox:
        return True
    if _without_outbox.get(schema, 0.0) > time.monotonic():
        return False
    if schema in _schemas_with_outbox(using):
        _with_outbox.add(schema)
        return True
    _without_outbox[schema] = time.monotonic() + 1.0
    return False


def _schemas_with_outbox(using: str) -> set[str]:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT schemaname FROM pg_catalog.pg_tables WHERE tablename = %s", [OutboxEvent._meta.db_table])
        return {schema for (schema,) in cursor.fetchall()}


def _warn(schema: str, message: str) -> None:
    if (schema, message) not in _warned:
        _warned.add((schema, message))
        logger.warning(message, schema)


def outboxes() -> list[Outbox]:
    """One outbox for each schema that has the table and a destination. An entry that cannot be read is logged and costs no other."""
    using = get_tenant_database_alias()
    found = []
    for schema in sorted(_schemas_with_outbox(using)):
        settings: dict[str, Any] | None = None
        try:
            settings = destination(schema)
        except Exception:
            logger.exception("where the events of the schema %s go cannot be read: they wait in its outbox", schema)
        if settings is not None:
            found.append(Outbox(schema, using, _activation(schema), settings))
    return found


def _activation(schema: str) -> Callable[[], Any]:
    return partial(schema_context, schema)
