"""Building events: values as JSON, within Logbook's limits, and without what must not leave the app."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db.models import Model
from django.utils.duration import duration_iso_string
from django.utils.functional import Promise
from django.utils.timezone import is_naive, make_aware

from . import masking
from .conf import config

# Numbers beyond it are not exact in JSON (RFC 8785).
EXACT = 2**53

# The longest texts that Logbook takes, in characters.
LIMITS = {
    "record_id": 255, "record_name": 1000, "model": 255, "status_reason": 4000, "username": 500, "role": 255, "purpose": 1000,
    "user_agent": 2000, "session_id": 255, "correlation_id": 255, "error": 20_000,
}  # fmt: skip
NESTED_LIMITS = {"id": 255, "name": 500, "type": 255}
MAX_CHANGES = 1000
MAX_TARGETS = 50
MAX_EVENT = 250_000
MAX_METADATA = 64_000
# A value of a change may have 64 KiB; a larger event is cut to the first of these at which it fits.
VALUE_LIMITS = (64_000, 8_000, 1_000, 100, 10)

_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def person(value: Any) -> dict | None:
    """A user, or a dict of type, id and name, as an actor. None for nobody."""
    return value if value is None or isinstance(value, dict) else actor_of(value)


def actor_of(user: Any) -> dict | None:
    """`{"type": "user", "id", "name"}` of a Django user; None for an anonymous one."""
    if user is None or not getattr(user, "is_authenticated", False):
        return None
    return {"type": "user", "id": str(user.pk), "name": user_name(user)}


def user_name(user: Any) -> str:
    """The full name of a user, else the name with which they sign in."""
    full = getattr(user, "get_full_name", lambda: "")()
    return full or user.get_username()


def model_name(model: type[Model] | Model) -> str:
    """`app_label.model`, of a proxy too."""
    return model._meta.label_lower


def record_target(instance: Model) -> dict:
    """`{"model", "record_id", "record_name"}` of an instance. A name that cannot be made is left out."""
    try:
        name = str(instance)
    except Exception:  # a __str__ may follow relations that are gone
        name = None
    return {"model": model_name(instance), "record_id": str(instance.pk), "record_name": name}


def change(field: str, old: Any, new: Any, *, label: str | None = None, old_label: str | None = None, new_label: str | None = None) -> dict:
    """A changed value. The labels are names beside ids."""
    labels = {"label": label, "old_label": old_label, "new_label": new_label}
    return {"field": field, "old": old, "new": new, **{k: v for k, v in labels.items() if v is not None}}


def set_change(
    field: str, added: list, removed: list, *, label: str | None = None, old_label: str | None = None, new_label: str | None = None
) -> dict:
    """What came to a set and what went. `new_label` names what came, `old_label` what went."""
    labels = {"label": label, "old_label": old_label, "new_label": new_label}
    return {"field": field, "added": added, "removed": removed, **{k: v for k, v in labels.items() if v is not None}}


def is_hidden(field: str) -> bool:
    """Whether the project wants no value of this field to be seen."""
    return field in config().hide_fields


def may_be_secret(field: str) -> bool:
    """Whether values of a field with this name are secrets, as far as the name tells."""
    return masking.verdict(field, config().hide_fields) > masking.Verdict.NOTHING


def json_value(value: Any) -> Any:
    """A value as JSON can have it: times as ISO 8601, decimals and numbers beyond 2^53 as text, bytes as their length and hash."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        # Also an enum of texts; a SafeString stays a text.
        text = str(value.value) if isinstance(value, Enum) else value
        return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text) if _UNSAFE.search(text) else text
    if isinstance(value, Enum):
        return json_value(value.value)
    if isinstance(value, int):
        return int(value) if -EXACT < value < EXACT else str(value)
    if isinstance(value, float):
        # Not a number is beyond it too.
        return value if abs(value) <= EXACT else str(value)
    if isinstance(value, dict):
        return {json_value(str(k)): json_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((json_value(v) for v in value), key=str)
    if isinstance(value, datetime):
        aware = value if value.tzinfo is None else value.astimezone(timezone.utc)
        return aware.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return f"{len(content)} bytes, sha256:{hashlib.sha256(content).hexdigest()[:32]}"
    if isinstance(value, Promise):
        return json_value(str(value))
    if isinstance(value, Model):
        return json_value(value.pk)
    return json_value(str(value))


def cut(text: str, limit: int) -> str:
    """The text, or its beginning with an ellipsis where it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def moment(value: datetime) -> str:
    """A time as events have it. Without USE_TZ, Django's times are those of the current time zone."""
    return json_value(make_aware(value) if is_naive(value) else value)


def now() -> str:
    """The present moment as events have it."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def to_json(event: dict) -> str:
    """The event as JSON text, within Logbook's limits and with its secrets masked.

    What is too long is cut, and `metadata.cut` says so where values were.
    """
    if isinstance(event.get("occurred_at"), datetime):
        event = {**event, "occurred_at": moment(event["occurred_at"])}
    event = {key: json_value(value) for key, value in event.items() if value is not None}
    event = masking.mask(event, config().hide_fields)
    for key, limit in LIMITS.items():
        text = event.get(key)
        if text is not None and (type(text) is not str or len(text) > limit):
            event[key] = _identifier(str(text)) if key == "record_id" else cut(str(text), limit)
    for key in ("actor", "user", "on_behalf_of", "component"):
        if key in event:
            event[key] = _cut_nested(event[key])
    if "targets" in event:
        event["targets"] = [_cut_nested(target) for target in event["targets"][:MAX_TARGETS]]
    if len(event.get("changes", ())) > MAX_CHANGES:
        event["metadata"] = {**event.get("metadata", {}), "cut": f"{len(event['changes'])} changed fields"}
        event["changes"] = event["changes"][:MAX_CHANGES]
    payload = _dumps(event)
    if len(payload) > VALUE_LIMITS[0] // 4:
        payload = _within(event, payload)
    return payload


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _size(text: str) -> int:
    return len(text.encode())


def _identifier(text: str) -> str:
    """An id of at most 255 characters; a longer one ends with its hash, so that different ids stay different."""
    return text if len(text) <= 255 else f"{text[:190]}…{hashlib.sha256(text.encode()).hexdigest()}"


def _cut_nested(value: dict) -> dict:
    """An actor, component or target with texts of the right length."""
    return {k: cut(str(v), NESTED_LIMITS.get(k, 255)) for k, v in value.items() if v is not None}


def _within(event: dict, payload: str) -> str:
    """The JSON of a large event, whose metadata and values are cut until it is small enough."""
    metadata = event.get("metadata")
    if metadata is not None and _size(_dumps(metadata)) > MAX_METADATA:
        event["metadata"] = {"cut": "metadata", "names": [cut(name, 100) for name in list(metadata)[:100]]}
        payload = _dumps(event)
    whole = event.get("changes", [])
    for limit in VALUE_LIMITS:
        changes = [{key: _cut_value(value, limit) for key, value in entry.items()} for entry in whole]
        if changes != whole:
            event["changes"] = changes
            event["metadata"] = {**event.get("metadata", {}), "cut": f"values beyond {limit} bytes"}
            payload = _dumps(event)
        if _size(payload) <= MAX_EVENT:
            break
    return payload


def _cut_value(value: Any, limit: int) -> Any:
    """The value, or the beginning of its text where it takes more bytes than `limit`."""
    text = value if isinstance(value, str) else _dumps(value)
    if _size(text) <= limit:
        return value
    beginning = text.encode()[: limit - 3].decode(errors="ignore") + "…"
    return [beginning] if isinstance(value, list) else beginning
