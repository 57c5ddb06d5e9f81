"""
YAML, JSON, dotenv and INI texts as flat leaves with lines, read without trust: no object is
built, no alias is followed, depth and size are bounded, and templates inside do no harm.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from scanner.detect.sealed.evidence import TEMPLATE
from scanner.detect.sealed.line_reader import Leaf, read_lines
from scanner.detect.sealed.plain_lines import read_plain
from scanner.detect.sealed.yaml_events import (
    MAX_DEPTH,
    MAX_LEAVES,
    Anchors,
    TooLargeError,
    read_events,
)

_MAX_PARSED = 2 << 20  # bytes of one document; larger ones are read line by line
_MAX_PARSED_ALL = 8 << 20
_SEPARATOR = re.compile(r"^---(?=[ \t\r]|$)", re.MULTILINE)
_LITERAL_TEMPLATE = re.compile(
    r"\{\{-?\s*(?:\"(?P<a>[^\"]+)\"\s*\|\s*b64enc|b64enc\s+\"(?P<b>[^\"]+)\")[^}]*\}\}"
)
_DEFAULT_TEMPLATE = re.compile(
    r"(?im)^(?P<lead>[ \t]*[\"']?[\w.-]{0,80}(?:pass|pwd|secret|token|key|cred)[\w.-]{0,80}"
    r"[\"']?:[ \t]*)"
    r"[\"']?\{\{(?P<code>[^{}\n]{0,200}?\bdefault[ (]+(?P<quote>[\"'])"
    r"(?P<value>[^\"'{}\n]{6,200})(?P=quote)[^{}\n]{0,200})\}\}[\"']?"
)
"""A value that is given when no other one is: a default that anyone can read."""

_WHOLE_LINE = re.compile(r"^[ \t]*(?:- )?(?:\{\{.*\}\}|\{%.*%\}|<%.*%>)[ \t\r]*$", re.MULTILINE)
_CODE = r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>"
# Every branch starts with a character of its own, so that the rest is passed over at speed.
_EXPRESSION = re.compile(rf"(?:\"'?(?:{_CODE})|'(?:{_CODE})|{_CODE})'?\"?", re.DOTALL)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Tree:
    """
    One document of a file: its leaves in order, and where its anchors stand.
    """

    leaves: list[Leaf]
    line: int
    templated: bool = False
    """A template expression stood in it."""

    exact: bool = True
    """False if a parser gave up and the lines were read one by one."""

    anchors: Anchors = field(default_factory=dict)
    root: list[Leaf] | None = None
    """All leaves of the document, where this is a part of it."""

    followed: list[int] = field(default_factory=lambda: [0])
    """How many leaves were reached by aliases, in all parts together."""

    def part(self) -> Tree:
        """
        Return a part of the tree without a leaf: it knows where anchors stand.
        """
        return Tree(
            [], self.line, templated=self.templated, exact=self.exact, anchors=self.anchors,
            root=self.leaves if self.root is None else self.root, followed=self.followed,
        )  # fmt: skip

    def under(self, prefix: tuple[str, ...]) -> Iterator[Leaf]:
        """
        Yield the leaves below `prefix`, those behind one alias included (one step, no further).
        """
        size = len(prefix)
        for leaf in self.leaves:
            if leaf.path[:size] != prefix:
                continue
            if leaf.kind == "alias":
                yield from self._behind(leaf)
            else:
                yield leaf

    def _behind(self, alias: Leaf) -> Iterator[Leaf]:
        target, first = self.anchors.get(alias.value, ((), -1))
        if first < 0 or alias.path[:-1] == target:
            return
        leaves = self.leaves if self.root is None else self.root
        size = len(target)
        for index in range(first, len(leaves)):
            leaf = leaves[index]
            if leaf.path[:size] != target or self.followed[0] >= MAX_LEAVES:
                return
            self.followed[0] += 1
            if leaf.kind != "alias":
                yield leaf


def text_of(data: bytes) -> str:
    """
    Return the text, whatever its coding; bytes that are none become U+FFFD.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def documents(data: bytes, wanted: Callable[[str], bool]) -> Iterator[Tree]:
    """
    Yield the documents of a YAML or JSON file whose text is `wanted`.

    A text that no parser takes is read line by line instead.
    """
    text = text_of(data)
    spent = 0
    line = 1
    for part in _parts(text):
        if wanted(part):
            spent += len(part)
            exact = len(part) <= _MAX_PARSED and spent <= _MAX_PARSED_ALL
            yield _document(part, line, exact=exact)
        line += part.count("\n")


def _parts(text: str) -> Iterator[str]:
    start = 0
    for found in _SEPARATOR.finditer(text):
        if text[start : found.start()].strip():
            yield text[start : found.start()]
        elif found.start() > start:
            yield text[start : found.start()]  # blank, but its lines count
        start = found.start()
    yield text[start:]


def _document(text: str, line: int, *, exact: bool) -> Tree:
    plain = read_plain(text, line, limit=MAX_LEAVES)
    if plain is not None:
        return Tree(plain, line, exact=exact)
    clean, templated = _without_templates(text)
    if exact:
        try:
            return _parsed(clean, line, templated=templated)
        except (yaml.YAMLError, TooLargeError, ValueError, RecursionError, UnicodeError):
            tree = _from_json(clean, line)
            if tree is not None:
                return tree
    leaves = read_lines(clean, line, limit=MAX_LEAVES)
    return Tree(leaves, line, templated=templated, exact=False)


def _without_templates(text: str) -> tuple[str, bool]:
    if "{{" not in text and "{%" not in text and "<%" not in text:
        return text, False
    if text.lstrip()[:1] in "{[" and _WHOLE_LINE.search(text) is None and "{{ " not in text:
        return text, False  # JSON may well hold `{{` by itself
    encoded = _LITERAL_TEMPLATE.sub(
        lambda found: base64.b64encode((found["a"] or found["b"]).encode()).decode(), text
    )
    encoded = _DEFAULT_TEMPLATE.sub(_default, encoded) if "default" in encoded else encoded
    blank = _WHOLE_LINE.sub(lambda found: "#" * ("\n" not in found[0]), encoded)
    return _EXPRESSION.sub(lambda found: TEMPLATE + "\n" * found[0].count("\n"), blank), True


def _default(found: re.Match[str]) -> str:
    value = found["value"]
    coded = "b64enc" in found["code"] or "b64encode" in found["code"]
    shown = base64.b64encode(value.encode()).decode() if coded else json.dumps(value)
    return found["lead"] + shown


def _parsed(text: str, line: int, *, templated: bool) -> Tree:
    tree = Tree([], line, templated=templated)
    loader = _LOADER(text)
    try:
        read_events(loader.get_event, tree.leaves, tree.anchors, line)
    finally:
        loader.dispose()
    return tree


def _from_json(text: str, line: int) -> Tree | None:
    """
    JSON that YAML does not take (escaped surrogates, tabs); `None` if it is no JSON either.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, strict=False)
    except (ValueError, RecursionError):
        return None
    tree = Tree([], line)
    cursor = 0
    todo: list[tuple[tuple[str, ...], object]] = [((), value)]
    while todo:
        path, item = todo.pop()
        if isinstance(item, _Pairs):
            todo.extend(((*path, key), inner) for key, inner in reversed(item.pairs))
        elif isinstance(item, list):
            todo.extend(((*path, f"#{n}"), one) for n, one in reversed(list(enumerate(item))))
        else:
            if path:
                cursor = max(text.find(json.dumps(path[-1]), cursor), cursor)
            kind = "str" if isinstance(item, str) else "plain"
            shown = item if isinstance(item, str) else "" if item is None else str(item)
            tree.leaves.append(Leaf(path, shown, line + text.count("\n", 0, cursor), kind, None))
        if len(tree.leaves) > MAX_LEAVES or len(path) > MAX_DEPTH:
            return None
    return tree


class _Pairs:
    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs
