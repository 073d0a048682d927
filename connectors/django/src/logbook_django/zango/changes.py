"""Reads the `changes` of Zango's audit log, in the same way as `logbook import zango`.

    {"name": ("Doctor", "Physician"), "auth_config": ("null", '{"enforce_sso": false}'),
     "policies": {"type": "m2m", "operation": "add", "objects": ["OpsAccess"]}}

Values are texts, whatever the field's type: "None" stands for null. A JSON field's value is its JSON as text, "null" included. Nothing says
which fields are JSON; a field counts as JSON if both of its values are JSON and one of them is null, an object or an array.
"""

from __future__ import annotations

import json
from typing import Any

from ..events import change, set_change

# Canonical JSON (RFC 8785) has no larger integers, and events have no values nested deeper.
EXACT = 2.0**53
DEEPEST = 30
_NOT_JSON = object()


def read_changes(changes: dict[str, Any] | None) -> list[dict]:
    """The changes in the order of their fields. Raises ValueError, which names the field, for a shape that is unknown."""
    return [_change(field, value) for field, value in sorted((changes or {}).items())]


def _change(field: str, value: Any) -> dict:
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(f"the change of {field!r} has {len(value)} values, not 2")
        is_json = _is_json_field(*value)
        return change(field, *(_value(side, is_json) for side in value))
    if isinstance(value, dict) and value.get("type") == "m2m" and isinstance(value.get("objects"), list):
        if value.get("operation") == "add":
            return set_change(field, value["objects"], [])
        if value.get("operation") == "delete":
            return set_change(field, [], value["objects"])
    raise ValueError(f"the change of {field!r} is neither a pair nor a set")


def _value(value: Any, is_json: bool) -> Any:
    if value == "None":
        return None
    if is_json and isinstance(value, str):
        opened = _opened(value)
        return value if opened is _NOT_JSON else opened
    return value


def _is_json_field(old: Any, new: Any) -> bool:
    telling = False
    for side in (old, new):
        if not isinstance(side, str):
            return False
        if side == "None":
            continue
        opened = _opened(side)
        if opened is _NOT_JSON:
            return False
        telling = telling or opened is None or isinstance(opened, dict | list)
    return telling


def _opened(text: str) -> Any:
    """JSON in a text, if all of it can be kept exactly."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _NOT_JSON
    return value if _is_exact(value, 0) else _NOT_JSON


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _is_exact(value: Any, depth: int) -> bool:
    if depth > DEEPEST:
        return False
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return True
    if isinstance(value, int | float):
        return abs(value) < EXACT
    return all(_is_exact(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value))
