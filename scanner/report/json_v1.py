"""
The JSON report, version 1, field by field (docs/reports.md): `json` and `jsonl`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, TextIO

from scanner.model import (
    Companion,
    Coverage,
    Finding,
    Limit,
    Occurrence,
    Place,
    Report,
    Run,
    SealRecord,
    Suppressed,
    Unread,
    Verification,
)
from scanner.report.options import Options, RuleText
from scanner.report.order import by_importance
from scanner.report.path_text import base64_of, text_of
from scanner.secret import Secret

SCHEMA = "unsealed/1"

Fields = dict[str, Any]


def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return one JSON document: the parts of `jsonl` as members, an element of a list on a line.
    """
    document = {
        "schema": SCHEMA,
        "run": run_fields(report.run),
        "findings": [
            finding_fields(finding, show_secrets=options.show_secrets)
            for finding in by_importance(report.findings)
        ],
        "seals": [seal_fields(record) for record in report.seals],
        "unread": [unread_fields(unread) for unread in report.unread],
        "limits": [limit_fields(limit) for limit in report.limits],
        "summary": summary_fields(report),
    }
    members = ",\n".join(
        f"  {json.dumps(name)}: {_spread(part)}" for name, part in document.items()
    )
    return f"{{\n{members}\n}}\n"


def _spread(part: object) -> str:
    # Indenting is written in Python, and takes ten times as long as all the rest.
    if not isinstance(part, list) or not part:
        return json.dumps(part, ensure_ascii=True)
    elements = ",\n".join(f"    {json.dumps(element, ensure_ascii=True)}" for element in part)
    return f"[\n{elements}\n  ]"


def render_lines(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:  # noqa: ARG001
    """
    Return the parts one a line: run, findings, seals, unreads, limits, summary.
    """
    parts = [
        run_fields(report.run),
        *(
            finding_fields(finding, show_secrets=options.show_secrets)
            for finding in by_importance(report.findings)
        ),
        *(seal_fields(record) for record in report.seals),
        *(unread_fields(unread) for unread in report.unread),
        *(limit_fields(limit) for limit in report.limits),
        summary_fields(report),
    ]
    return "".join(map(line, parts))


def line(fields: Fields) -> str:
    """
    Return one part as a line of `jsonl`.
    """
    return json.dumps(fields, ensure_ascii=True, separators=(", ", ": ")) + "\n"


class LinesWriter:
    """
    Writes `jsonl` as a run goes: `run` first, then parts as they come, `summary` last.
    """

    def __init__(self, stream: TextIO, *, show_secrets: bool = False) -> None:
        self._stream = stream
        self._show_secrets = show_secrets

    def run(self, run: Run) -> None:
        """Write the first line."""
        self._write(run_fields(run))

    def part(self, part: Finding | SealRecord | Unread | Limit) -> None:
        """Write one part and hand it on at once, so that a reader of a pipe sees it."""
        if isinstance(part, Finding):
            self._write(finding_fields(part, show_secrets=self._show_secrets))
        elif isinstance(part, SealRecord):
            self._write(seal_fields(part))
        elif isinstance(part, Unread):
            self._write(unread_fields(part))
        else:
            self._write(limit_fields(part))

    def summary(self, report: Report) -> None:
        """Write the last line."""
        self._write(summary_fields(report))

    def _write(self, fields: Fields) -> None:
        self._stream.write(line(fields))
        self._stream.flush()


def run_fields(run: Run) -> Fields:
    """
    Return the `run` part.
    """
    return _known(
        {
            "type": "run",
            "schema": SCHEMA,
            "version": run.version,
            "rules_digest": run.rules_digest,
            "command": run.command,
            "target": run.target,
            "head": run.head,
            "base": run.base,
        }
    )


def finding_fields(finding: Finding, *, show_secrets: bool = False) -> Fields:
    """
    Return one `finding` part.
    """
    return _known(
        {
            "type": "finding",
            "fingerprint": finding.fingerprint,
            "rule": finding.rule_id,
            "provider": finding.provider,
            "title": finding.title,
            "severity": finding.severity.label,
            "confidence": finding.confidence.label,
            "score": finding.score,
            **_secret(finding.secret, show_secrets=show_secrets),
            "occurrences": [occurrence_fields(place) for place in finding.occurrences],
            "verification": verification_fields(finding.verification),
            "score_reasons": list(finding.score_reasons) or None,
            "companions": [
                _companion(companion, show_secrets=show_secrets) for companion in finding.companions
            ]
            or None,
            "suppressed": _suppressed(finding.suppressed),
            "seal": None if finding.seal is None else seal_fields(finding.seal),
            "remediation": finding.remediation,
        }
    )


def occurrence_fields(occurrence: Occurrence) -> Fields:
    """
    Return one entry of `occurrences`.
    """
    position, author = occurrence.position, occurrence.author
    return _known(
        {
            "place": occurrence.place.value,
            **_path(occurrence.path),
            "inner_path": list(occurrence.inner_path),
            "decoded": list(occurrence.decoded),
            "line": position and position.line,
            "column": position and position.column,
            "end_line": position and position.end_line,
            "end_column": position and position.end_column,
            "blob": occurrence.blob,
            "commit": occurrence.commit,
            "author": author and {"name": author.name, "email": author.email},
            "date": occurrence.date,
            "reachable": occurrence.reachable,
            "in_head": occurrence.in_head,
            "line_in_head": occurrence.line_in_head,
            "removed_at": occurrence.removed_at,
        }
    )


def verification_fields(verification: Verification) -> Fields:
    """
    Return the `verification` of a finding.
    """
    return _known(
        {
            "status": verification.status.value,
            "checked_at": verification.checked_at,
            "identity": verification.identity,
            "scopes": list(verification.scopes) or None,
            "created_at": verification.created_at,
            "last_used_at": verification.last_used_at,
            "expires_at": verification.expires_at,
            "rotated_at": verification.rotated_at,
            "rights": list(verification.rights) or None,
            "reason": verification.reason,
        }
    )


def seal_fields(record: SealRecord) -> Fields:
    """
    Return one `seal` part.
    """
    return _known(
        {
            "type": "seal",
            **_path(record.path),
            "inner_path": list(record.inner_path) or None,
            "line": record.line,
            "blob": record.blob,
            "format": record.format,
            "version": record.version,
            "label": record.label,
            "state": record.state,
            "recipients": list(record.recipients) or None,
            "detail": dict(record.detail) or None,
            "reason": record.reason,
        }
    )


def unread_fields(unread: Unread) -> Fields:
    """
    Return one `unread` part.
    """
    return {"type": "unread", **_where(unread.place, unread)}


def limit_fields(limit: Limit) -> Fields:
    """
    Return one `limit` part.
    """
    return {"type": "limit", "name": limit.name, **_where(None, limit)}


def summary_fields(report: Report) -> Fields:
    """
    Return the `summary` part: what was found and what was looked at.
    """
    blobs = report.coverage.kinds.get("blob")
    return {
        "type": "summary",
        "findings": len([finding for finding in report.findings if finding.suppressed is None]),
        "suppressed": report.suppressed,
        "blobs": blobs.read if blobs else 0,
        "bytes": sum(count.bytes for count in report.coverage.kinds.values()),
        "seconds": round(report.seconds, 3),
        "unread": len(report.unread),
        "limits": len(report.limits),
        "complete": report.complete,
        "kinds": kinds_fields(report.coverage),
        "notices": list(report.notices),
    }


def kinds_fields(coverage: Coverage) -> Fields:
    """
    Return the counts by kind of object.
    """
    return {
        kind: {
            "read": count.read,
            "bytes": count.bytes,
            "skipped": dict(sorted(count.skipped.items())),
            "unreadable": count.unreadable,
        }
        for kind, count in sorted(coverage.kinds.items())
    }


def _secret(secret: Secret | None, *, show_secrets: bool) -> Fields:
    if secret is None:
        return {}
    if not show_secrets or secret.withheld:
        return {"secret": secret.redacted()}
    value = secret.reveal()
    try:
        return {"secret": value.decode("utf-8"), "secret_shown": True}
    except UnicodeDecodeError:
        return {
            "secret": value.decode("utf-8", errors="replace"),
            "secret_base64": base64.b64encode(value).decode("ascii"),
            "secret_shown": True,
        }


def _companion(companion: Companion, *, show_secrets: bool) -> Fields:
    shown = _secret(companion.value, show_secrets=show_secrets)
    renamed = {key.replace("secret", "value"): value for key, value in shown.items()}
    return _known({"name": companion.name, "rule": companion.rule_id, **renamed})


def _suppressed(suppressed: Suppressed | None) -> Fields | None:
    if suppressed is None:
        return None
    return _known(
        {
            "by": suppressed.by,
            "reason": suppressed.reason,
            "until": suppressed.until,
            "owner": suppressed.owner,
        }
    )


def _where(place: Place | None, part: Unread | Limit) -> Fields:
    return _known(
        {
            "place": place and place.value,
            **_path(part.path),
            "inner_path": list(part.inner_path) or None,
            "blob": part.blob,
            "reason": part.reason,
        }
    )


def _path(path: bytes | None) -> Fields:
    if path is None:
        return {}
    return {"path": text_of(path), "path_base64": base64_of(path)}


def _known(fields: Fields) -> Fields:
    # Absent beats null: some readers of ours (and jq scripts) test for the key.
    return {key: value for key, value in fields.items() if value is not None}
