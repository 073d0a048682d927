"""A queryset's filter as text, for people: `status = 'open' AND NOT (ward_id IN [1, 2])`."""

from __future__ import annotations

from typing import Any

from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

from . import events
from .masking import MASK

LONGEST = 2000
SIGNS = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "in": "IN", "contains": "CONTAINS", "isnull": "IS NULL"}


def where_text(query: Query) -> str:
    """The conditions of a query, at most 2000 characters; empty for all rows. Values of fields that hold secrets are masked."""
    limits = f" LIMIT {query.high_mark}" if query.high_mark is not None else ""
    return events.cut(_node(query.where) + limits, LONGEST)


def _node(node: Any) -> str:
    if not isinstance(node, WhereNode):
        return _lookup(node)
    parts = [_node(child) for child in node.children]
    text = f" {node.connector} ".join(f"({part})" if len(parts) > 1 and " OR " in part else part for part in parts)
    return f"NOT ({text})" if node.negated else text


def _lookup(lookup: Any) -> str:
    field = getattr(getattr(lookup, "lhs", None), "target", None)
    if field is None or not hasattr(lookup, "rhs"):
        return f"<{type(lookup).__name__}>"
    name, sign = field.attname, SIGNS.get(lookup.lookup_name, lookup.lookup_name)
    if lookup.lookup_name == "isnull":
        return f"{name} IS {'' if lookup.rhs else 'NOT '}NULL"
    if events.may_be_secret(field.name):
        return f"{name} {sign} {MASK}"
    return f"{name} {sign} {_operand(lookup.rhs)}"


def _operand(value: Any) -> str:
    if isinstance(value, Query) or hasattr(value, "query"):
        return "<subquery>"
    if hasattr(value, "resolve_expression"):
        return str(value)
    value = events.json_value(value)
    return repr(value[:20]) if isinstance(value, list) else repr(value)
