"""
What belongs to a credential in a kubeconfig: its user's context, and that context's cluster.

A file may name many clusters.  A token must never go to a neighbour's, so nothing is
told where the file does not say which is meant.
Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_LINE = re.compile(
    rb"^(?P<indent>[ ]*)(?P<dash>(?:- +)*)(?P<key>[A-Za-z][\w-]*)[ ]*:"
    rb"(?:[ ]+(?P<quote>[\"']?)(?P<value>[^\s\"'#][^\r\n\"']*?)(?P=quote))?"
    rb"[ \t]*(?:#[^\r\n]*)?\r?$",
    re.MULTILINE,
)
_SECTIONS = (b"clusters", b"users", b"contexts")
_PARTS = re.compile(rb"^---[ \t]*\r?$", re.MULTILINE)
# Field in the file → companion.
_OF_CLUSTER = {
    b"server": "server",
    b"certificate-authority-data": "certificate_authority",
    b"tls-server-name": "tls_server_name",
}
_OF_USER = {b"client-certificate-data": "client_certificate"}


class _Item(NamedTuple):
    name: bytes
    fields: dict[bytes, bytes]
    holds: bool
    """The credential stands in it."""


class _Config(NamedTuple):
    items: dict[bytes, list[_Item]]
    current: bytes


def beside(data: bytes, start: int, end: int) -> dict[str, bytes]:
    """
    Return server, authority and the like for the credential at `data[start:end]`.

    Empty if it stands in no kubeconfig, or if that leaves open which cluster it is for.
    """
    low, high = _part(data, start, end)
    text = data[low:high]
    config = _from_json(text, data[start:end]) or _from_yaml(text, start - low, end - low)
    users = [item for item in config.items[b"users"] if item.holds]
    if len(users) != 1 or _twice(config.items[b"users"], users[0].name):
        return {}
    user = users[0]
    contexts = [c for c in config.items[b"contexts"] if c.fields.get(b"user") == user.name]
    chosen = [c for c in contexts if c.name == config.current] or contexts
    if len({c.fields.get(b"cluster") for c in chosen}) != 1:
        return {}
    wanted = chosen[0].fields.get(b"cluster")
    clusters = [item for item in config.items[b"clusters"] if item.name == wanted]
    if len(clusters) != 1 or b"server" not in clusters[0].fields:
        return {}
    found = {
        to: clusters[0].fields[name]
        for name, to in _OF_CLUSTER.items()
        if name in clusters[0].fields
    }
    found |= {to: user.fields[name] for name, to in _OF_USER.items() if name in user.fields}
    namespaces = {c.fields[b"namespace"] for c in chosen if b"namespace" in c.fields}
    if len(namespaces) == 1:
        found["namespace"] = namespaces.pop()
    return found


def _part(data: bytes, start: int, end: int) -> tuple[int, int]:
    low, high = 0, len(data)
    for match in _PARTS.finditer(data):
        if match.end() <= start:
            low = match.end()
        elif match.start() >= end:
            return low, match.start()
    return low, high


def _twice(items: list[_Item], name: bytes) -> bool:
    return sum(item.name == name for item in items) > 1


def _from_yaml(text: bytes, start: int, end: int) -> _Config:
    items: dict[bytes, list[_Item]] = {name: [] for name in _SECTIONS}
    current = b""
    section, top, column = b"", 0, -1
    fields: dict[bytes, bytes] = {}
    name, holds = b"", False

    def keep() -> None:
        if section and column >= 0:
            items[section].append(_Item(name, fields, holds))

    for match in _LINE.finditer(text):
        indent = len(match["indent"])
        at = indent + len(match["dash"])
        key, value = match["key"], match["value"] or b""
        if not match["dash"] and (not section or indent <= top):
            keep()
            section, top, column = (key if key in _SECTIONS else b""), indent, -1
            fields, name, holds = {}, b"", False
            current = value if key == b"current-context" else current
            continue
        if not section:
            continue
        if match["dash"] and (column < 0 or at == column):
            keep()
            fields, name, holds = {}, b"", False
            column = at
        if at == column and key == b"name":
            name = value
        elif value and key != b"name":
            fields.setdefault(key, value)
        holds = holds or match.start("value") <= start < end <= match.end("value")
    keep()
    return _Config(items, current)


def _from_json(text: bytes, secret: bytes) -> _Config | None:
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict):
        return None
    items: dict[bytes, list[_Item]] = {name: [] for name in _SECTIONS}
    for section in _SECTIONS:
        for entry in _dicts(whole.get(section.decode())):
            inner = next(_dicts(list(entry.values())), {})
            fields = {k.encode(): v.encode() for k, v in inner.items() if isinstance(v, str)}
            holds = any(secret == value for value in fields.values())
            items[section].append(_Item(str(entry.get("name")).encode(), fields, holds))
    return _Config(items, str(whole.get("current-context", "")).encode())


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
