"""
Reads a `json` or `jsonl` report back, for `unsealed report` and `unsealed verify`.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from scanner.errors import ConfigError
from scanner.model import (
    Companion,
    Confidence,
    Coverage,
    Finding,
    Identity,
    KindCount,
    Limit,
    Occurrence,
    Place,
    Position,
    Report,
    Run,
    SealRecord,
    Severity,
    Status,
    Suppressed,
    Unread,
    Verification,
)
from scanner.report import path_text
from scanner.report.fields import Fields
from scanner.report.json_v1 import SCHEMA
from scanner.secret import Secret, WithheldSecret

_PLACES = {place.value: place for place in Place}
_SEVERITIES = {severity.label: severity for severity in Severity}
_CONFIDENCES = {confidence.label: confidence for confidence in Confidence}
_STATUSES = {status.value: status for status in Status}
_HINT = "`unsealed audit -f json -o report.json` writes one"


@dataclasses.dataclass(slots=True)
class _Parts:
    run: Run | None = None
    findings: list[Finding] = dataclasses.field(default_factory=list)
    seals: list[SealRecord] = dataclasses.field(default_factory=list)
    unread: list[Unread] = dataclasses.field(default_factory=list)
    limits: list[Limit] = dataclasses.field(default_factory=list)
    summary: Fields | None = None


def read(text: str, *, name: str) -> Report:
    """
    Return the report that `text` holds, as `json` or `jsonl`.

    Raise `ConfigError`, naming `name` and the place, for anything else.
    A `jsonl` report that ends before its summary (an interrupted run) is incomplete.
    """
    parts = _Parts()
    for part in _parts(text, name):
        _take(part, parts)
    if parts.run is None:
        raise ConfigError(f"{name}: not a report of unsealed: it has no run", hint=_HINT)
    summary = parts.summary or Fields({"complete": False}, name)
    return Report(
        run=parts.run,
        findings=tuple(parts.findings),
        unread=tuple(parts.unread),
        limits=tuple(parts.limits),
        seals=tuple(parts.seals),
        coverage=_coverage(summary),
        seconds=summary.real("seconds"),
        complete=bool(summary.maybe_flag("complete")),
        suppressed=summary.number("suppressed", 0),
        notices=summary.texts("notices"),
    )


def _parts(text: str, name: str) -> Iterator[Fields]:
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped:
        raise ConfigError(f"{name}: the report is empty", hint=_HINT)
    try:
        document = json.loads(stripped)
    except RecursionError:
        raise ConfigError(f"{name}: not a report: nested too deep") from None
    except ValueError as error:
        first = stripped.splitlines()[0]
        if not _is_line(first):
            raise ConfigError(f"{name}: not a JSON report: {error}", hint=_HINT) from None
        yield from _lines(text, name)
        return
    if isinstance(document, dict) and "type" in document:
        yield Fields(document, f"{name}:1")
        return
    yield from _document(document, name)


def _is_line(first: str) -> bool:
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _lines(text: str, name: str) -> Iterator[Fields]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Fields(json.loads(line), f"{name}:{number}")
        except ValueError as error:
            raise ConfigError(f"{name}:{number}: not JSON: {error}") from None


def _document(document: Any, name: str) -> Iterator[Fields]:
    whole = Fields(document, name)
    run = whole.maybe_inner("run")
    if run is not None:
        yield run
    for member in ("findings", "seals", "unread", "limits"):
        yield from whole.each(member)
    summary = whole.maybe_inner("summary")
    if summary is not None:
        yield summary


def _take(part: Fields, parts: _Parts) -> None:
    match part.maybe_text("type"):
        case "run":
            parts.run = _run(part)
        case "finding":
            parts.findings.append(_finding(part))
        case "seal":
            parts.seals.append(_seal(part))
        case "unread":
            parts.unread.append(_unread(part))
        case "limit":
            parts.limits.append(_limit(part))
        case "summary":
            parts.summary = part
        case None:
            raise ConfigError(f"{part.where}: not a part of a report: no 'type'", hint=_HINT)
        case _:
            pass  # a newer version may add parts; what we know still holds


def _run(part: Fields) -> Run:
    schema = part.text("schema")
    if schema != SCHEMA:
        raise part.error("schema", f"is {schema!r}; this version reads {SCHEMA!r}")
    return Run(
        command=part.text("command"),
        target=part.text("target"),
        version=part.text("version"),
        rules_digest=part.text("rules_digest"),
        head=part.maybe_text("head"),
        base=part.maybe_text("base"),
    )


def _finding(part: Fields) -> Finding:
    occurrences = tuple(_occurrence(one) for one in part.each("occurrences"))
    if not occurrences:
        raise part.error("occurrences", "is missing or empty")
    seal = part.maybe_inner("seal")
    return Finding(
        fingerprint=part.text("fingerprint"),
        rule_id=part.text("rule"),
        provider=part.text("provider"),
        title=part.text("title"),
        severity=part.choice("severity", _SEVERITIES),
        confidence=part.choice("confidence", _CONFIDENCES),
        score=part.number("score"),
        secret=_secret(part, "secret"),
        occurrences=occurrences,
        remediation=part.maybe_text("remediation") or "",
        verification=_verification(part.inner("verification")),
        score_reasons=part.texts("score_reasons"),
        companions=tuple(_companion(one) for one in part.each("companions")),
        suppressed=_suppressed(part.maybe_inner("suppressed")),
        seal=None if seal is None else _seal(seal),
    )


def _occurrence(part: Fields) -> Occurrence:
    author = part.maybe_inner("author")
    return Occurrence(
        place=part.choice("place", _PLACES),
        path=_path(part),
        inner_path=part.texts("inner_path"),
        decoded=part.texts("decoded"),
        position=_position(part),
        blob=part.maybe_text("blob"),
        commit=part.maybe_text("commit"),
        author=None if author is None else _identity(author),
        date=part.maybe_text("date"),
        reachable=part.maybe_flag("reachable"),
        in_head=part.maybe_flag("in_head"),
        line_in_head=part.maybe_flag("line_in_head"),
        removed_at=part.maybe_text("removed_at"),
    )


def _identity(part: Fields) -> Identity:
    return Identity(part.maybe_text("name") or "", part.maybe_text("email") or "")


def _position(part: Fields) -> Position | None:
    line = part.maybe_number("line")
    if line is None:
        return None
    column = part.number("column", 1)
    return Position(line, column, part.number("end_line", line), part.number("end_column", column))


def _secret(part: Fields, name: str) -> Secret | None:
    shown = part.maybe_text(name)
    if shown is None:
        return None
    if not part.maybe_flag(f"{name}_shown"):
        return WithheldSecret(shown)
    raw = part.maybe_text(f"{name}_base64")
    return Secret(shown.encode() if raw is None else _decoded(part, f"{name}_base64", raw))


def _companion(part: Fields) -> Companion:
    value = _secret(part, "value")
    if value is None:
        raise part.error("value", "is missing")
    return Companion(part.text("name"), value, part.maybe_text("rule"))


def _verification(part: Fields) -> Verification:
    return Verification(
        status=_STATUSES["not-tried"]
        if part.maybe_text("status") is None
        else part.choice("status", _STATUSES),
        checked_at=part.maybe_text("checked_at"),
        identity=part.maybe_text("identity"),
        scopes=part.texts("scopes"),
        created_at=part.maybe_text("created_at"),
        last_used_at=part.maybe_text("last_used_at"),
        expires_at=part.maybe_text("expires_at"),
        rotated_at=part.maybe_text("rotated_at"),
        reason=part.maybe_text("reason"),
        rights=part.texts("rights"),
    )


def _suppressed(part: Fields | None) -> Suppressed | None:
    if part is None:
        return None
    return Suppressed(
        by=part.text("by"),
        reason=part.maybe_text("reason"),
        until=part.maybe_text("until"),
        owner=part.maybe_text("owner"),
    )


def _seal(part: Fields) -> SealRecord:
    detail = part.inner("detail")
    return SealRecord(
        format=part.text("format"),
        state=part.text("state"),
        reason=part.text("reason"),
        line=part.number("line", 1),
        version=part.maybe_text("version"),
        label=part.maybe_text("label"),
        recipients=part.texts("recipients"),
        detail=tuple((name, detail.text(name)) for name, _ in detail.items()),
        path=_path(part),
        blob=part.maybe_text("blob"),
        inner_path=part.texts("inner_path"),
    )


def _unread(part: Fields) -> Unread:
    return Unread(
        place=part.choice("place", _PLACES),
        reason=part.text("reason"),
        path=_path(part),
        blob=part.maybe_text("blob"),
        inner_path=part.texts("inner_path"),
    )


def _limit(part: Fields) -> Limit:
    return Limit(
        name=part.text("name"),
        reason=part.text("reason"),
        path=_path(part),
        blob=part.maybe_text("blob"),
        inner_path=part.texts("inner_path"),
    )


def _coverage(summary: Fields) -> Coverage:
    kinds = summary.inner("kinds")
    return Coverage(kinds={name: _count(kinds.inner(name)) for name, _ in kinds.items()})


def _count(part: Fields) -> KindCount:
    skipped = part.inner("skipped")
    return KindCount(
        read=part.number("read", 0),
        bytes=part.number("bytes", 0),
        skipped={reason: skipped.number(reason) for reason, _ in skipped.items()},
        unreadable=part.number("unreadable", 0),
    )


def _path(part: Fields) -> bytes | None:
    shown = part.maybe_text("path")
    if shown is None:
        return None
    raw = part.maybe_text("path_base64")
    if raw is not None:
        return _decoded(part, "path_base64", raw)
    try:
        return path_text.bytes_of(shown, None)
    except UnicodeEncodeError:
        raise part.error("path", "holds half a surrogate pair") from None


def _decoded(part: Fields, name: str, raw: str) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise part.error(name, "is not base64") from None
