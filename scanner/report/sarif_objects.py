"""
From `sarif_om` objects to plain data for JSON.
"""

from __future__ import annotations

from typing import Any

import attr


def plain(value: Any) -> Any:
    """
    Return a `sarif_om` object as dictionaries and lists, without members at their default.

    SARIF readers (GitHub's among them) turn down `null` where an array is meant.
    """
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if one is not None}
    if not attr.has(type(value)):
        return value
    members = {}
    for field in attr.fields(type(value)):
        member = getattr(value, field.name)
        if member is None or _is_default(field, member):
            continue
        members[field.metadata["schema_property_name"]] = plain(member)
    return members


def _is_default(field: Any, member: object) -> bool:
    if field.name in _ALWAYS or field.default is attr.NOTHING:
        return False
    if isinstance(field.default, attr.Factory):  # type: ignore[arg-type] # a class at run time
        return True  # only ever our `newline_sequences` and `contents`, which we leave alone
    return bool(member == field.default)


_ALWAYS = frozenset({"level", "rule_index"})
