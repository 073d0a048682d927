"""A queryset's filter as text, for people: `status = 'open' AND NOT (ward_id IN [1, 2])`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Field, Q
from django.db.models.lookups import Lookup
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

from . import events, seen
from .masking import MASK

LONGEST = 2000
SIGNS = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "in": "IN", "contains": "CONTAINS", "isnull": "IS"}


def where_text(query: Query, is_seen: Callable[[Field], bool] = seen.is_seen) -> str:
    """The conditions of a query, at most 2000 characters; empty for all rows.

    Values of fields that hold secrets are masked, and those of fields that are not to be seen, also where a relation leads to them.
    """
    limits = f" LIMIT {query.high_mark}" if query.high_mark is not None else ""
    return events.cut(_node(query.where, is_seen) + limits, LONGEST)


def expression_text(expression: Any) -> str:
    """An expression, such as `F(age) + Value(1)`. Of one with conditions only the kind, since they may be about any field."""
    return f"<{type(expression).__name__}>" if _has_conditions(expression) else str(expression)


def _has_conditions(expression: Any) -> bool:
    if isinstance(expression, Q | WhereNode | Lookup | Query) or hasattr(expression, "query"):
        return True
    sources = getattr(expression, "get_source_expressions", list)()
    return any(_has_conditions(source) for source in sources if source is not None)


def _node(node: Any, is_seen: Callable[[Field], bool]) -> str:
    if not isinstance(node, WhereNode):
        return _lookup(node, is_seen)
    parts = [_node(child, is_seen) for child in node.children]
    text = f" {node.connector} ".join(f"({part})" if len(parts) > 1 and " OR " in part else part for part in parts)
    return f"NOT ({text})" if node.negated else text


def _lookup(lookup: Any, is_seen: Callable[[Field], bool]) -> str:
    field = getattr(getattr(lookup, "lhs", None), "target", None)
    if field is None or not hasattr(lookup, "rhs"):
        return f"<{type(lookup).__name__}>"
    name, sign = field.attname, SIGNS.get(lookup.lookup_name, lookup.lookup_name)
    if not is_seen(field):
        return f"{name} {sign} {MASK}"
    if lookup.lookup_name == "isnull":
        return f"{name} IS {'' if lookup.rhs else 'NOT '}NULL"
    if events.may_be_secret(field.name):
        return f"{name} {sign} {MASK}"
    return f"{name} {sign} {_operand(lookup.rhs)}"


def _operand(value: Any) -> str:
    if isinstance(value, Query) or hasattr(value, "query"):
        return "<subquery>"
    if hasattr(value, "resolve_expression"):
        return expression_text(value)
    value = events.json_value(value)
    return repr(value[:20]) if isinstance(value, list) else repr(value)
