"""
Reads secrets of a redacted report again from where the report found them.

The text is scanned anew with the same rules, and a value counts only if its
fingerprint is the finding's: whatever moved or changed since is not taken for it.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from scanner.detect.engine import Engine
from scanner.errors import ScannerError
from scanner.model import Document, Finding, Match, Occurrence, Place, Status, Verification
from scanner.pipeline import detect
from scanner.sources import git
from scanner.sources.batch import ListBatch
from scanner.triage.fingerprint import Fingerprints

_LARGEST = 256 << 20
_MOST_PLACES = 5
GONE = Verification(status=Status.UNKNOWN, reason="source gone")


def withheld(finding: Finding) -> bool:
    """
    Say whether the report keeps this secret to itself.
    """
    return finding.secret is not None and finding.secret.withheld


def reread(
    findings: Sequence[Finding], target: str, engine: Engine, fingerprints: Fingerprints
) -> list[Finding]:
    """
    Return the findings, with their secrets and companions where these were found again.
    """
    wanted = {finding.fingerprint for finding in findings if withheld(finding)}
    if not wanted:
        return list(findings)
    found: dict[str, Match] = {}
    for document, text in _texts(findings, target):
        seen = detect(engine, [ListBatch([(document, text)])])
        for match in seen.matches:
            if match.secret is None or match.secret.withheld:
                continue
            name = fingerprints.of_secret(match.rule_id, match.secret)
            if name in wanted and name not in found:
                found[name] = match
    return [_restored(finding, found.get(finding.fingerprint)) for finding in findings]


def _restored(finding: Finding, match: Match | None) -> Finding:
    if not withheld(finding):
        return finding
    if match is None:
        return dataclasses.replace(finding, verification=GONE)
    return dataclasses.replace(
        finding, secret=match.secret, companions=match.companions or finding.companions
    )


def _texts(findings: Iterable[Finding], target: str) -> Iterator[tuple[Document, bytes]]:
    seen: set[object] = set()
    with contextlib.ExitStack() as stack:
        access: git.ObjectAccess | None = None
        with contextlib.suppress(ScannerError, OSError):
            access = git.ObjectAccess(git.open_repository(Path(target)))
            stack.callback(access.close)
        for finding in findings:
            if not withheld(finding):
                continue
            for place in finding.occurrences[:_MOST_PLACES]:
                key = place.blob or place.path
                if key is None or key in seen:
                    continue
                text = _text(place, target, access)
                if text is not None:
                    seen.add(key)
                    yield Document(place.place, path=place.path, blob=place.blob), text


def _text(place: Occurrence, target: str, access: git.ObjectAccess | None) -> bytes | None:
    if place.place is Place.PATH and place.path is not None:
        return place.path
    if place.blob is not None and access is not None:
        if not place.blob.isalnum():
            return None
        try:
            return access.run("cat-file", "-p", place.blob)
        except ScannerError:
            return None
    return None if place.path is None else _file(place.path, target)


def _file(path: bytes, target: str) -> bytes | None:
    # A scan takes several paths; the report's target names them in one line.
    for root in (target, *target.split(" ")):
        base = Path(root)
        try:
            file = base if base.is_file() else base / path.decode("utf-8", "surrogateescape")
            inside = file.resolve().is_relative_to(base.resolve())
            if inside and file.is_file() and file.stat().st_size <= _LARGEST:
                return file.read_bytes()
        except (OSError, ValueError):
            continue
    return None
