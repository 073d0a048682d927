"""The changes of Zango's audit log are read as `logbook import zango` reads them: its own cases."""

import json

import pytest

from logbook_django.zango.changes import read_changes


def one(changes: dict) -> dict:
    (only,) = read_changes(changes)
    return only


def value(old: object, new: object) -> dict:
    return {"field": "a", "old": old, "new": new}


@pytest.mark.parametrize(
    ("pair", "old", "new"),
    [
        (("None", "x"), None, "x"),
        (("x", "None"), "x", None),
        (["None", ""], None, ""),
        (("None of it", "none"), "None of it", "none"),
        # JSON fields
        (("null", '{"sso": false}'), None, {"sso": False}),
        (('{"a": [1]}', "{}"), {"a": [1]}, {}),
        (("[1]", "null"), [1], None),
        (("None", '{"a": 1}'), None, {"a": 1}),
        # texts that look a little like JSON
        (("null", "a note"), "null", "a note"),
        (("1", "2"), "1", "2"),
        (("true", "false"), "true", "false"),
        (("{", "{}"), "{", "{}"),
        (("", "[]"), "", "[]"),
        (("[NaN]", "null"), "[NaN]", "null"),
        # what JSON cannot keep exactly
        (("None", '{"n": 12345678901234567890}'), None, '{"n": 12345678901234567890}'),
        (("None", "[" * 40 + "]" * 40), None, "[" * 40 + "]" * 40),
    ],
)
def test_values(pair: tuple, old: object, new: object) -> None:
    assert one({"a": pair}) == value(old, new)


def test_sets() -> None:
    assert one({"policies": {"type": "m2m", "objects": ["A"], "operation": "add"}}) == {"field": "policies", "added": ["A"], "removed": []}
    deleted = one({"policies": {"type": "m2m", "objects": ["A", "B"], "operation": "delete"}})
    assert deleted == {"field": "policies", "added": [], "removed": ["A", "B"]}


def test_in_order_of_field_and_empty() -> None:
    assert [change["field"] for change in read_changes({"b": ["1", "2"], "a": ["1", "2"]})] == ["a", "b"]
    assert read_changes(None) == read_changes({}) == []


@pytest.mark.parametrize(
    "bad", [["1"], "1", {"type": "m2m", "operation": "set", "objects": []}, {"type": "x", "objects": []}, {"type": "m2m"}]
)
def test_what_cannot_be_read_names_the_field(bad: object) -> None:
    with pytest.raises(ValueError, match="the change of 'a'"):
        read_changes(json.loads(json.dumps({"a": bad})))
