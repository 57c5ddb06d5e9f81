"""
Terraform state: it keeps every attribute of every resource in plain text, secrets included.

Format: https://developer.hashicorp.com/terraform/language/state/sensitive-data
"""

from __future__ import annotations

from scanner.detect.sealed.evidence import ValueKind, line_of_key, read_json, tells, value_kind

_MOST = 500_000  # values looked at
_STATE = frozenset({"version", "terraform_version", "resources"})
_MADE = frozenset({"random_password", "random_bytes"})
"""Resources whose result is a secret, though no name says so."""


def terraform_state(text: str) -> tuple[str, str, int] | None:
    """
    Judge a state: the first attribute that is a secret by its name, or is marked sensitive.
    """
    value = read_json(text)
    if not isinstance(value, dict) or not _STATE & set(value):
        return None
    todo: list[tuple[str, object]] = [("", value)]
    seen = 0
    while todo and seen < _MOST:
        name, item = todo.pop()
        seen += 1
        if isinstance(item, dict):
            if item.get("sensitive") is True and item.get("value") not in (None, ""):
                return _found(text, "sensitive output", name)
            marked = _marked(item)
            if marked is not None:
                return _found(text, "sensitive attribute", marked)
            todo.extend((str(key), inner) for key, inner in item.items())
        elif isinstance(item, list):
            todo.extend((name, inner) for inner in item)
        elif isinstance(item, str) and tells(name, item):
            return _found(text, "attribute", name)
    return None


def _marked(item: dict[str, object]) -> str | None:
    """
    Return the attribute of a resource's instance that the state itself calls sensitive.
    """
    instances = item.get("instances")
    kind = item.get("type")
    # Where types are told they are no text: `"type": ["list", "string"]`.
    if isinstance(kind, str) and kind in _MADE and isinstance(instances, list):
        for one in instances:
            held = one.get("attributes") if isinstance(one, dict) else None
            if isinstance(held, dict) and _is_open(held.get("result") or held.get("base64")):
                return "result" if held.get("result") else "base64"
    held, paths = item.get("attributes"), item.get("sensitive_attributes")
    if isinstance(held, dict) and isinstance(paths, list):
        for path in paths:
            first = path[0] if isinstance(path, list) and path else None
            name = first.get("value") if isinstance(first, dict) else None
            if isinstance(name, str) and _is_open(held.get(name)):
                return name
    return None


def _is_open(value: object) -> bool:
    return isinstance(value, str) and value_kind(value) is ValueKind.LITERAL


def _found(text: str, what: str, name: str) -> tuple[str, str, int]:
    return "plaintext", f"the {what} {name!r} lies open", line_of_key(text, name)
