"""The events as Logbook takes them. Made from openapi.yaml by generate.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypedDict, Union


class _NewPersonOptional(TypedDict, total=False):
    type: Literal["user", "admin", "service", "system", "agent"] | None
    """Default: `user`."""
    id: str | None
    name: str | None


class NewPerson(_NewPersonOptional):
    """Somebody, who is a user unless the type says otherwise."""


class _NewTargetRequired(TypedDict):
    type: str


class _NewTargetOptional(TypedDict, total=False):
    id: str | None
    name: str | None


class NewTarget(_NewTargetRequired, _NewTargetOptional):
    """What else an event concerned."""


class _NewAccessEventRequired(TypedDict):
    event_type: str
    """`login`, `logout`, `login_failed`, `session_expired`, `role_switched`, or a type of your own, in lower snake case."""


class _NewAccessEventOptional(TypedDict, total=False):
    occurred_at: str | datetime | None
    """When it happened: from 1970 to one day ahead. Default: now."""
    status: Literal["success", "failure", "denied"] | None
    """Default: `failure` for `login_failed`, otherwise `success`."""
    status_reason: str | None
    user: NewPerson | None
    username: str | None
    role: str | None
    on_behalf_of: NewPerson | None
    purpose: str | None
    """Why the actor did it, in their words: a ticket, a purpose of use."""
    targets: list[NewTarget]
    """What else it concerned."""
    ip_address: str | None
    user_agent: str | None
    session_id: str | None
    correlation_id: str | None
    metadata: dict[str, Any]
    """Any other data: an object of at most 64 KiB."""


class NewAccessEvent(_NewAccessEventRequired, _NewAccessEventOptional):
    pass


class _NewActorRequired(TypedDict):
    type: Literal["user", "admin", "service", "system", "agent"]
    """What kind of actor: a user of the app, an admin of the platform, a service, the system itself, or an agent, which is a program that decides by itself what it does."""


class _NewActorOptional(TypedDict, total=False):
    id: str | None
    name: str | None


class NewActor(_NewActorRequired, _NewActorOptional):
    """The actor of a new event."""


class _LabelsOptional(TypedDict, total=False):
    label: str
    old_label: str
    new_label: str


class Labels(_LabelsOptional):
    """Names beside what only a program understands: of the field, of the old value, of the new one. Of a set: of what was removed and what was added."""


class _ValueChangeRequired(TypedDict):
    field: str
    old: Any
    """Any JSON value; null where there was none."""
    new: Any
    """Any JSON value; null where there is none now."""


class ValueChange(Labels, _ValueChangeRequired):
    pass


class _SetChangeRequired(TypedDict):
    field: str
    added: list[Any]
    removed: list[Any]


class SetChange(Labels, _SetChangeRequired):
    pass


Change = Union[ValueChange, SetChange]
"""One changed field. Of a value: what it was and what it is. Of a set: what came and what went."""


class _NewApplicationEventRequired(TypedDict):
    action: str
    """`create`, `update`, `delete`, or an action of your own, in lower snake case."""
    model: str
    record_id: str


class _NewApplicationEventOptional(TypedDict, total=False):
    occurred_at: str | datetime | None
    """When it happened: from 1970 to one day ahead. Default: now."""
    status: Literal["success", "failure", "denied"] | None
    """Default: `success`."""
    status_reason: str | None
    actor: NewActor | None
    record_name: str | None
    changes: list[Change]
    """For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. Each may have `label`, `old_label` and `new_label`: names beside what only a program understands. At most 1,000 fields and 64 KiB per value."""
    role: str | None
    on_behalf_of: NewPerson | None
    purpose: str | None
    """Why the actor did it, in their words: a ticket, a purpose of use."""
    targets: list[NewTarget]
    """What else it concerned."""
    ip_address: str | None
    user_agent: str | None
    session_id: str | None
    correlation_id: str | None
    metadata: dict[str, Any]
    """Any other data: an object of at most 64 KiB."""


class NewApplicationEvent(_NewApplicationEventRequired, _NewApplicationEventOptional):
    pass


class _NewComponentRequired(TypedDict):
    type: str


class _NewComponentOptional(TypedDict, total=False):
    id: str | None
    name: str | None


class NewComponent(_NewComponentRequired, _NewComponentOptional):
    """The component of a new framework event."""


class _NewFrameworkEventRequired(TypedDict):
    action: str
    """`policy_synced`, `package_installed`, `app_updated`, `release_applied`, `task_failed`, or an action of your own, in lower snake case."""
    component: NewComponent


class _NewFrameworkEventOptional(TypedDict, total=False):
    occurred_at: str | datetime | None
    """When it happened: from 1970 to one day ahead. Default: now."""
    actor: NewActor | None
    status: Literal["success", "failure", "denied"] | None
    """Default: `failure` if `error` is given, otherwise `success`."""
    error: str | None
    changes: list[Change]
    """For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. Each may have `label`, `old_label` and `new_label`: names beside what only a program understands. At most 1,000 fields and 64 KiB per value."""
    role: str | None
    on_behalf_of: NewPerson | None
    purpose: str | None
    """Why the actor did it, in their words: a ticket, a purpose of use."""
    targets: list[NewTarget]
    """What else it concerned."""
    ip_address: str | None
    user_agent: str | None
    session_id: str | None
    correlation_id: str | None
    metadata: dict[str, Any]
    """Any other data: an object of at most 64 KiB."""


class NewFrameworkEvent(_NewFrameworkEventRequired, _NewFrameworkEventOptional):
    pass
