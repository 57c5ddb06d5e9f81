"""
Replies made to fit each declared check, and findings for it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from scanner.model import (
    Companion,
    Confidence,
    Finding,
    Occurrence,
    Place,
    Severity,
)
from scanner.ruleset.schema import Rule
from scanner.ruleset.shipped import shipped_packs
from scanner.secret import Secret
from scanner.verify.checks import Check, Condition, load_checks
from tests.verify.provider import Say

FOLDER = shipped_packs() / "checks"
SECRET = "s3cr3tSample" + "Q" * 20
TOO_LATE = 429


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check that ships."""
    files = sorted(FOLDER.glob("*.yml"))
    return tuple(c for file in files for c in load_checks(FOLDER, file.stem))


def rule_for(check: Check) -> Rule:
    """A rule that finds what the check is for."""
    rule_id = check.rules[0].replace("*", "x") if check.rules else f"{check.provider}-made-up"
    return Rule(
        id=rule_id,
        title=check.credential.split(";")[0],
        provider=check.provider,
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        remediation="roll it",
        origin="test",
        pattern="(?P<secret>x)",
    )


def finding_for(check: Check, secret: str = SECRET, *, number: int = 0, **values: str) -> Finding:
    """A finding with everything that the check needs."""
    rule = rule_for(check)
    return Finding(
        fingerprint=f"{abs(hash((check.id, secret, number))):032x}"[:32],
        rule_id=rule.id,
        provider=check.provider,
        title=rule.title,
        severity=rule.severity,
        confidence=rule.confidence,
        score=90,
        secret=Secret(secret.encode()),
        occurrences=(Occurrence(place=Place.FILE, path=b"a"),),
        remediation="roll it",
        companions=tuple(
            Companion(name, Secret(values.get(name, companion_value(check, name)).encode()))
            for name in sorted(check.companions())
        ),
    )


def companion_value(check: Check, name: str) -> str:
    """A value that may stand where this companion goes."""
    if check.host() == f"{{{name}}}":
        return "found.example.com"
    return "tenant7" if f"{{{name}}}" in check.host() else f"v{name.replace('_', '')}7"


def reply_for(condition: Condition) -> Say:
    """The answer that a condition describes."""
    status = condition.status[0] if condition.status else 200
    if status == 204:
        return Say(204)
    data: dict[str, object] = {"note": "x"}
    texts: list[str] = []
    for word in (*condition.has, *condition.any_of[:1]):
        key, colon, value = word.partition(":")
        if key.replace("_", "").replace(".", "").replace("-", "").isalnum():
            data[key] = value if colon and value else "v"
        else:
            texts.append(word)
    for path, value in condition.json:
        at = data
        *outer, last = path.split(".")
        for part in outer:
            at = at.setdefault(part, {})  # type: ignore[assignment]
        at[last] = "v" if value == "*" else value
    if texts and len(data) > 1:
        data["message"] = " ".join(texts)
        return Say(status, json.dumps(data).encode())
    if texts:
        return Say(status, " ".join(texts).encode(), kind="text/plain")
    return Say(status, json.dumps(data).encode())


def wanting(check: Check) -> Iterator[tuple[str, Say]]:
    """Answers that must never be taken for a verdict."""
    yield "403", Say(403, b'{"message": "forbidden"}')
    yield "429", Say(429, b"{}", headers={"Retry-After": "9999"})
    yield "500", Say(500, b"{}", headers={"Retry-After": "9999"})
    yield "reset", Say(fault="reset")
    yield "truncated", Say(200, b'{"id": 1, "da', fault="truncated")
    yield "portal", Say(200, b"<!doctype html><html><body>Sign in: id name data", kind="text/html")
    yield "portal 401", Say(401, b"<html>Sign in</html>", kind="text/html")
    yield "redirect", Say(302, b"", headers={"Location": "https://evil.example/"})
    yield "empty", Say(200, b"", kind="text/plain") if _asks_words(check) else Say(418, b"{}")
    yield "damaged", Say(200, b'{"id": 1, "data": [', kind="application/json")
    yield "scope", Say(401, b'{"message": "insufficient_scope: this token lacks a scope"}')


def _asks_words(check: Check) -> bool:
    return all(condition.is_named for condition in check.active)


def sample(checks: list[Check], size: int) -> list[Check]:
    """The same few of many on each run."""
    return random.Random(7).sample(checks, size)


def folder() -> Path:
    """Where the checks lie."""
    return FOLDER
