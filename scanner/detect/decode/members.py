"""
What every reader of containers does with a member: its name made safe, its size held in bounds.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.detect.decode.inflating import MAX_MEMBER, Inflated, inflate
from scanner.detect.registry import Budget, Derived

MAX_MEMBERS = 100_000
_LONGEST_NAME = 1024


def member_name(raw: bytes) -> str:
    """
    Return a member's name as text: U+FFFD for what is not UTF-8, bounded in length.
    """
    return raw[:_LONGEST_NAME].decode("utf-8", errors="replace")


def unpacked(
    packed: bytes, method: str, name: bytes, budget: Budget, *, coding: str | None = None
) -> Iterator[Derived]:
    """
    Yield the member `name` of a container, inflated within bounds; report what is left out.

    With `coding`, the input is one compressed stream and no member: no name on the way in.
    """
    if method == "stored":
        whole = min(len(packed), MAX_MEMBER, budget.bytes_left)
        limit = "member-size" if whole < len(packed) else None
        result = Inflated(packed[:whole], limit=limit)
    else:
        result = inflate(packed, method, most=max(0, budget.bytes_left))
    inner = () if coding else (member_name(name),)
    if result.limit is not None:
        left_out = f"only the first {len(result.data)} bytes were read"
        bound = result.limit if len(result.data) < budget.bytes_left else "derived-bytes"
        budget.limit(bound, left_out, inner)
    if result.error is not None:
        budget.unread(f"{coding or method}: {result.error}", inner)
    if result.data:
        yield Derived(data=result.data, decoded=(coding,) if coding else (), inner_path=inner)
