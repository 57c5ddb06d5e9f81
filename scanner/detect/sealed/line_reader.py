"""
Texts read line by line: dotenv, INI, and YAML that no parser takes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ENTRY = re.compile(
    r"^(?P<indent>[ \t]*)(?P<dash>(?:- +)*)"
    r"(?:(?P<key>\"[^\"\n]*\"|'[^'\n]*'|[^\s#:'\"\[\]{}-][^:\n]*?)[ \t]*:(?=[ \t\r]|$))?"
    r"[ \t]*(?P<value>.*)$"
)
_BLOCK = re.compile(r"^(?P<tag>!\S+[ \t]+)?[|>][-+0-9]*[ \t]*(?:#.*)?$")
_TAG = re.compile(r"^(?P<tag>!\S+)[ \t]+(?P<rest>.*)$")
_ASSIGN = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*(?P<value>.*)$"
)
_SECTION = re.compile(r"^[ \t]*\[(?P<name>[^\]]+)\][ \t]*(?:[#;].*)?$")


class Leaf(NamedTuple):
    """
    One value of a structured text: where it stands, and what it says.

    A tuple, since a manifest may hold hundreds of thousands.
    """

    path: tuple[str, ...]
    """Keys from the root; `#0`, `#1`, … in lists."""

    value: str
    line: int
    kind: str
    """`str` (quoted), `block`, `plain`, or `alias` (`value` is the anchor's name)."""

    tag: str | None = None

    @property
    def name(self) -> str:
        """The dotted path, for a person."""
        return ".".join(self.path)


def read_lines(text: str, line: int = 1, *, limit: int = 400_000) -> list[Leaf]:
    """
    Return what `key: value` lines say, nested by indentation, as a YAML reader of last resort.
    """
    leaves: list[Leaf] = []
    parents: list[tuple[int, str]] = []
    counts: dict[tuple[str, ...], int] = {}
    lines = text.expandtabs(2).split("\n") if "\t" in text else text.split("\n")
    number = 0
    while number < len(lines) and len(leaves) < limit:
        raw = lines[number].rstrip("\r")
        number += 1
        stripped = raw.strip()
        if not stripped or stripped.startswith("#") or stripped == "---":
            continue
        if ":" not in raw and stripped[0] != "-":  # prose: it only ends what it stands left of
            depth = len(raw) - len(raw.lstrip(" "))
            while parents and parents[-1][0] >= depth:
                parents.pop()
            continue
        found = _ENTRY.match(raw)
        if found is None:
            continue
        indent = len(found["indent"])
        while parents and parents[-1][0] >= indent + (1 if found["dash"] else 0):
            parents.pop()
        if found["dash"]:
            base = tuple(name for _, name in parents)
            counts[base] = counts.get(base, -1) + 1
            parents.append((indent + 1, f"#{counts[base]}"))
            indent += len(found["dash"])
        key = (found["key"] or "").strip("\"'")
        if key:
            parents.append((indent, key))
        elif not found["dash"]:
            continue
        if len(parents) > 100:
            del parents[100:]
        value = found["value"].strip()
        path = tuple(name for _, name in parents)
        block = _BLOCK.match(value)
        if block:
            start = number
            number = _block_end(lines, number, indent)
            body = "\n".join(part.strip() for part in lines[start:number])
            tag = (block["tag"] or "").strip() or None
            leaves.append(Leaf(path, body, line + start - 1, "block", tag))
        elif value:
            leaves.append(_leaf(path, value, line + number - 1))
    return leaves


def _leaf(path: tuple[str, ...], value: str, line: int) -> Leaf:
    tagged = _TAG.match(value)
    tag = tagged["tag"] if tagged else None
    value = tagged["rest"] if tagged else value
    if value[:1] in "\"'" and value[:1]:
        end = value.find(value[0], 1)
        return Leaf(path, value[1 : end if end > 0 else None], line, "str", tag)
    return Leaf(path, value.split(" #", 1)[0].rstrip(" ,"), line, "plain", tag)


def _block_end(lines: list[str], number: int, indent: int) -> int:
    while number < len(lines):
        text = lines[number].rstrip("\r")
        if text.strip() and len(text) - len(text.lstrip()) <= indent:
            break
        number += 1
    return number


def read_assignments(text: str) -> list[Leaf]:
    """
    Return the `KEY=value` lines of a dotenv, properties or INI text; a section is the first key.

    A quoted value may run over several lines.
    """
    leaves: list[Leaf] = []
    section: tuple[str, ...] = ()
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        raw = lines[number].rstrip("\r")
        number += 1
        head = _SECTION.match(raw)
        if head:
            section = (head["name"].strip(),)
            continue
        found = _ASSIGN.match(raw)
        if found is None:
            continue
        value = found["value"].strip()
        start = number
        quote = value[:1]
        if quote and quote in "\"'`" and value.count(quote) == 1:
            rest = [value]
            while number < min(len(lines), start + 200):
                rest.append(lines[number].rstrip("\r"))
                number += 1
                if quote in rest[-1]:
                    break
            else:
                number = start
                rest = [value]
            value = "\n".join(rest)
        if quote and quote in "\"'`":
            end = value.find(quote, 1)
            leaves.append(Leaf((*section, found["key"]), value[1:end], start, "str"))
            continue
        value = re.split(r"[ \t]#", value, maxsplit=1)[0].rstrip()
        leaves.append(Leaf((*section, found["key"]), value, start, "plain"))
    return leaves
