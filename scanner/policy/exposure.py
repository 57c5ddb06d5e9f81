"""
Plaintext before encryption: which values of a path lay open before it was sealed.

Sealing a file does not seal what its history holds.  A file that is sealed as a
whole (Ansible Vault, age, git-crypt, …) seals every value that it held before; one
whose values are sealed one by one (SOPS, inline vaults, dotenvx, SealedSecret)
seals those alone whose names come back with ciphertext.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scanner.detect.sealed.evidence import ValueKind, extension, value_kind
from scanner.detect.sealed.line_reader import Leaf, read_assignments
from scanner.detect.sealed.registry import seal_records
from scanner.detect.sealed.structure import documents, text_of
from scanner.model import Position

MAX_VALUES = 10_000
WHOLE = ""
"""Stands for the name where a text has no named values."""

_WHOLE_FORMATS = frozenset({"ansible-vault", "git-crypt", "age", "pgp", "transcrypt"})
_STRUCTURED = frozenset({"yml", "yaml", "json", "txt", "", "vault", "enc", "secret", "secrets"})
_ASSIGNED = frozenset({"env", "ini", "properties", "toml", "conf", "cfg", "tfvars"})
_CIPHERTEXT = re.compile(r"ENC\[|encrypted:|\$ANSIBLE_VAULT;")
_WHOLE_START = re.compile(
    rb"\$ANSIBLE_VAULT|age-encryption\.org|-----BEGIN |PuTTY|\x00GITCRYPT|U2FsdGVkX1|Salted__"
    rb"|[\x80-\xff]"
)
_PROSE = frozenset({
    "rst", "md", "markdown", "adoc", "html", "htm", "ipynb", "diff", "patch", "svg", "css", "py",
    "rb", "go", "js", "ts", "tsx", "jsx", "java", "kt", "c", "h", "cc", "cpp", "rs", "php", "sh",
    "bash", "zsh", "pl", "cs", "swift", "scala",
})  # fmt: skip
_DATA = frozenset({"data", "stringData", "encryptedData"})
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    """
    One value that lay open.
    """

    name: str
    """The keys from the root, dotted; `WHOLE` for a text without names."""

    version: int
    """Which version held it first."""

    sealed_in: int
    """Which version sealed it."""

    position: Position


@dataclass(slots=True)
class _Text:
    format: str | None = None
    """What seals it as a whole."""

    sealed: set[_Key] = field(default_factory=set)
    plain: list[tuple[_Key, Leaf]] = field(default_factory=list)
    named: bool = False
    open_key: bool = False


def exposures(path: bytes, versions: Sequence[bytes], *, head: int | None = None) -> list[Exposure]:
    """
    Return every value of a path that was plain and then sealed, the earliest first.

    `versions` come in the order of history; `head` is the one that counts today,
    which may be older than one that was plain in between.
    """
    texts = [_read(data, path) for data in versions]
    whole = [number for number, text in enumerate(texts) if text.format is not None]
    by_key: dict[_Key, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        for key in text.sealed:
            by_key[key].append(number)
    found: list[Exposure] = []
    seen: set[tuple[_Key, str]] = set()
    for number, text in enumerate(texts):
        if text.format is not None:
            continue
        for key, leaf in text.plain:
            later = _later(number, sorted({*whole, *by_key.get(key, ())}), head)
            if later is None or (key, leaf.value) in seen:
                continue
            seen.add((key, leaf.value))
            name = ".".join(leaf.path)
            found.append(Exposure(name, number, later, _position(versions[number], leaf)))
        later = _later(number, whole, head)
        if (
            later is not None
            and not text.named
            and _lies_open(versions[number], text, texts[later])
        ):
            found.append(Exposure(WHOLE, number, later, Position(1, 1, 1, 2)))
    return found[:MAX_VALUES]


def may_be_sealed(path: bytes) -> bool:
    """
    Whether a file of this name is a place for sealed values: pages and programs only quote them.
    """
    return extension(path) not in _PROSE


def sealing_format(data: bytes, path: bytes) -> str | None:
    """
    Return the format in which a file, or a value of it, is sealed; `None` if nothing is.
    """
    for record in seal_records(data, path):
        if record.state in ("sealed", "partly-sealed"):
            return record.format
    return None


def _later(number: int, sealed: Sequence[int], head: int | None) -> int | None:
    at = bisect_right(sealed, number)
    if at < len(sealed):
        return sealed[at]
    return head if head in sealed and head != number else None


def _read(data: bytes, path: bytes) -> _Text:
    text = _Text()
    start = data.lstrip()[:40]
    # Whole files show it at their start; values alone are told by their own marks.
    for record in seal_records(data, path) if _WHOLE_START.match(start) else ():
        is_key = record.format == "private-key" and start.startswith((b"-----BEGIN", b"PuTTY"))
        if record.state == "plaintext" and is_key:
            text.open_key = True
        elif record.state == "sealed" and record.line == 1:
            inline = ("kind", "inline") in record.detail
            if is_key or (record.format in _WHOLE_FORMATS and not inline):
                text.format = record.format
    if text.format is not None or text.open_key:
        return text
    for leaf in _leaves(data, path):
        text.named = True
        key = _key(leaf)
        if _is_ciphertext(leaf):
            text.sealed.add(key)
        elif value_kind(leaf.value) is ValueKind.LITERAL and leaf.kind != "alias":
            text.plain.append((key, leaf))
    return text


def _is_ciphertext(leaf: Leaf) -> bool:
    tagged = (leaf.tag or "").startswith("!vault")
    return tagged or "encryptedData" in leaf.path or bool(_CIPHERTEXT.match(leaf.value.strip()))


def _leaves(data: bytes, path: bytes) -> Iterator[Leaf]:
    # A page that quotes a vault value explains it; it is no place for values.
    known = _STRUCTURED | _ASSIGNED
    if b"\0" in data[:4096] or not (extension(path) in known or b"/.env" in b"/" + path):
        return
    if extension(path) not in _ASSIGNED and b"/.env" not in b"/" + path:
        named = [
            leaf
            for tree in documents(data, lambda _: True)
            for leaf in tree.leaves
            if leaf.path and leaf.path[0] != "sops"
        ]
        if named:
            yield from named
            return
    yield from (
        leaf for leaf in read_assignments(text_of(data)) if not leaf.path[0].startswith("sops_")
    )


def _key(leaf: Leaf) -> _Key:
    # A SealedSecret holds under `spec.encryptedData` what the Secret held under `data`.
    for number, part in enumerate(leaf.path[:-1]):
        if part in _DATA:
            return ("data", *leaf.path[number + 1 :])
    return leaf.path


def _lies_open(data: bytes, text: _Text, later: _Text) -> bool:
    if later.format == "private-key":
        return text.open_key
    lines = data.split(b"\n")
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in lines)


def _position(data: bytes, leaf: Leaf) -> Position:
    lines = text_of(data).split("\n")
    line = lines[leaf.line - 1] if leaf.line <= len(lines) else ""
    first = leaf.value.split("\n", 1)[0]
    column = line.find(first) + 1 if first else 0
    if not column:
        return Position(leaf.line, 1, leaf.line, max(len(line.rstrip("\r")) + 1, 2))
    return Position(leaf.line, column, leaf.line, column + len(first))
