"""
What a reply means: active, inactive, or nothing that can be relied on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scanner.model import Status
from scanner.verify.checks import Check, Condition
from scanner.verify.request import Reply

_SPACE = re.compile(r"[\s\"'\\]+")
_DEEPEST = 12
# A refusal that speaks of these is about what the credential may do, or from
# where, and not about the credential: it may well be alive.
_LIMITED = re.compile(
    r"scope|permission|forbidden for|not allowed|allow.?list|white.?list|ip.?address|"
    r"two.?factor|2fa|mfa|otp|second factor|rate.?limit|too many|quota|sso|saml|"
    r"suspended|locked|disabled by|billing|payment|upgrade|plan\b|not enabled|"
    r"verify your|clock|timestamp|region|method not",
    re.IGNORECASE,
)
_TEXT_MOST = 1 << 16


def judge(check: Check, reply: Reply) -> tuple[Status, str]:
    """
    Return the verdict and the reason for it, which holds nothing of the reply's body.
    """
    if 300 <= reply.status < 400:
        return Status.UNKNOWN, "answered with a redirect, which is not followed"
    if reply.status == 429:
        return Status.UNKNOWN, "rate limited"
    if reply.is_page():
        return Status.UNKNOWN, f"answered {reply.status} with a page for people"
    if "json" in reply.headers.get("content-type", "") and reply.body and not _is_json(reply):
        return Status.UNKNOWN, f"answered {reply.status} with JSON that is damaged"
    if any(holds(condition, reply) for condition in check.active):
        return Status.ACTIVE, "accepted by the issuer"
    for condition in check.inactive:
        if holds(condition, reply):
            if not condition.is_named and is_limited(reply):
                return Status.UNKNOWN, "refused, but perhaps not for good: scope, place or pace"
            return Status.INACTIVE, f"refused by the issuer ({reply.status})"
    return Status.UNKNOWN, f"answered {reply.status}, which proves nothing"


def is_limited(reply: Reply) -> bool:
    """
    Say whether a refusal speaks of scopes, places, pace or a second factor.
    """
    spoken = reply.text()[:_TEXT_MOST] + reply.headers.get("www-authenticate", "")
    return _LIMITED.search(spoken) is not None


def holds(condition: Condition, reply: Reply) -> bool:
    """
    Say whether a reply is as the condition states.
    """
    if condition.status:
        if reply.status not in condition.status:
            return False
    elif not 200 <= reply.status < 300:
        return False
    if condition.json and not all(_at(reply.json(), *pair) for pair in condition.json):
        return False
    if not all(has(reply, word) for word in condition.has):
        return False
    if condition.any_of and not any(has(reply, word) for word in condition.any_of):
        return False
    return not any(has(reply, word) for word in condition.lacks)


def has(reply: Reply, word: str) -> bool:
    """
    Say whether the body has a key, a `key:value` pair, or else a text.
    """
    data = reply.json()
    if isinstance(data, (dict, list)) and re.fullmatch(r"[\w.-]+(?::[\w.-]*)?", word):
        key, colon, value = word.partition(":")
        # A key without a value is what failures are made of: {"data": null, "errors": …}.
        pairs = [(k.lower(), _shown(v)) for k, v in _items(data) if v is not None]
        if colon and value:
            return (key.lower(), value.lower()) in pairs
        if any(k == key.lower() for k, _ in pairs):
            return True
        return not colon and any(v == key.lower() for _, v in pairs)
    return _SPACE.sub("", word).lower() in _SPACE.sub("", reply.text()).lower()


def fields(reply: Reply, paths: tuple[str, ...]) -> tuple[str, ...]:
    """
    Return the values at these paths (`user.login`, `header:x-oauth-scopes`), those that there are.
    """
    data = reply.json()
    found: list[str] = []
    for path in paths:
        kind, _, name = path.partition(":")
        if kind == "header":
            value: Any = reply.headers.get(name.lower())
            value = [part.strip() for part in value.split(",")] if value else None
        else:
            value = _walk(data, path)
        items = value if isinstance(value, list) else [value]
        found += [str(item) for item in items if type(item) in (str, int) and item != ""]
    return tuple(dict.fromkeys(found))


def _is_json(reply: Reply) -> bool:
    return reply.json() is not None or reply.body.strip() == b"null"


def _at(data: Any, path: str, wanted: str) -> bool:
    value = _walk(data, path)
    if wanted == "*":
        return value not in (None, "", [], {}, False)
    return value is not None and _shown(value) == wanted.lower()


def _walk(data: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        elif isinstance(data, dict):
            data = data.get(part)
        else:
            return None
    return data


def _items(data: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(data, dict):
        for key, value in data.items():
            yield key, value
            yield from _items(value, depth + 1)
    elif isinstance(data, list):
        for value in data:
            yield from _items(value, depth + 1)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).lower() if isinstance(value, (str, int, float)) else ""
