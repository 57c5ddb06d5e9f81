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

_MAX_DEPTH = 100
_MAX_LEAVES = 400_000
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
_EXPRESSION = re.compile(r"\"?'?(?:\{\{.*?\}\}|\{%.*?%\}|<%.*?%>)'?\"?", re.DOTALL)
_STYLES = {None: "plain", "": "plain", "|": "block", ">": "block"}
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

    anchors: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def under(self, prefix: tuple[str, ...]) -> Iterator[Leaf]:
        """
        Yield the leaves below `prefix`, those behind one alias included (one step, no further).
        """
        size = len(prefix)
        for leaf in self.leaves:
            if leaf.path[:size] != prefix:
                continue
            if leaf.kind == "alias":
                target = self.anchors.get(leaf.value)
                if target is not None and leaf.path[:-1] != target:
                    yield from (
                        other
                        for other in self.leaves
                        if other.path[: len(target)] == target and other.kind != "alias"
                    )
                continue
            yield leaf


class _GiveUpError(Exception):
    """
    A document that is too deep or too large to be parsed.
    """


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
    clean, templated = _without_templates(text)
    if exact:
        try:
            return _parsed(clean, line, templated=templated)
        except (yaml.YAMLError, _GiveUpError, ValueError, RecursionError, UnicodeError):
            tree = _from_json(clean, line)
            if tree is not None:
                return tree
    leaves = read_lines(clean, line, limit=_MAX_LEAVES)
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


@dataclass(slots=True)
class _Frame:
    mapping: bool
    path: tuple[str, ...]
    is_key: bool
    key: str | None = None
    index: int = 0


def _parsed(text: str, line: int, *, templated: bool) -> Tree:
    tree = Tree([], line, templated=templated)
    stack: list[_Frame] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            path, is_key = _place(stack)
            if len(path) > _MAX_DEPTH:
                raise _GiveUpError
            if event.anchor:
                tree.anchors.setdefault(event.anchor, path)
            stack.append(_Frame(isinstance(event, yaml.MappingStartEvent), path, is_key))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            if stack.pop().is_key:
                stack[-1].key = "?"
            else:
                _advance(stack)
        elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            _scalar(event, tree, stack, line)
            if len(tree.leaves) > _MAX_LEAVES:
                raise _GiveUpError
    return tree


def _scalar(
    event: yaml.ScalarEvent | yaml.AliasEvent, tree: Tree, stack: list[_Frame], line: int
) -> None:
    path, is_key = _place(stack)
    value, kind, tag = str(event.anchor or ""), "alias", None
    if isinstance(event, yaml.ScalarEvent):
        value, kind, tag = event.value, _STYLES.get(event.style, "str"), event.tag
        if event.anchor:
            tree.anchors.setdefault(event.anchor, path)
    if is_key:
        stack[-1].key = value
        return
    mark = event.start_mark
    tree.leaves.append(Leaf(path, value, line + (mark.line if mark else 0), kind, tag))
    _advance(stack)


def _place(stack: list[_Frame]) -> tuple[tuple[str, ...], bool]:
    if not stack:
        return (), False
    top = stack[-1]
    if not top.mapping:
        return (*top.path, f"#{top.index}"), False
    if top.key is None:
        return (*top.path, "?"), True
    return (*top.path, top.key), False


def _advance(stack: list[_Frame]) -> None:
    if stack:
        stack[-1].key = None
        stack[-1].index += 1


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
        if len(tree.leaves) > _MAX_LEAVES or len(path) > _MAX_DEPTH:
            return None
    return tree


class _Pairs:
    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs
