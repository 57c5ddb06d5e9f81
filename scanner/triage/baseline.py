"""
The accepted findings of a repository: one entry a line, sorted, without dates of writing.

The file is JSON lines.  The first names the version and holds the key of all
fingerprints in it; every other accepts one finding (by fingerprint) or one
object that cannot be read (by id).  Two branches that add entries merge line by
line.  See docs/baseline.md.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scanner.errors import ConfigError
from scanner.file_names import BASELINE_FILE
from scanner.model import Finding, Suppressed, Unread
from scanner.triage.fingerprint import KEY_BYTES

FILE_NAME = BASELINE_FILE
_VERSION = 1
_GROUP = 8
_MAX_BYTES = 64 << 20
_ENTRY_KEYS = frozenset({"fingerprint", "unread", "rule", "path", "reason", "owner", "until"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One accepted finding or unreadable object.
    """

    fingerprint: str | None = None
    unread: str | None = None
    """Object id; exactly one of the two is given."""

    rule: str | None = None
    path: str | None = None
    """For a person who reads the file; it decides nothing."""

    reason: str | None = None
    owner: str | None = None
    until: str | None = None
    """The last day on which it counts, `YYYY-MM-DD`."""

    def expired(self, today: str) -> bool:
        """
        Return whether the entry no longer counts on `today` (`YYYY-MM-DD`).
        """
        return self.until is not None and self.until < today


@dataclass(frozen=True, slots=True)
class Baseline:
    """
    A key and the entries whose fingerprints were made with it.
    """

    key: bytes
    entries: tuple[Entry, ...] = ()

    def accepted(self) -> dict[str, Entry]:
        """
        Return the entries by fingerprint.
        """
        return {e.fingerprint: e for e in self.entries if e.fingerprint is not None}

    def accepted_unread(self, today: str) -> dict[str, Entry]:
        """
        Return the entries for unreadable objects, by object id, without expired ones.
        """
        return {e.unread: e for e in self.entries if e.unread is not None and not e.expired(today)}


def new_baseline() -> Baseline:
    """
    Return an empty baseline with a fresh key.
    """
    return Baseline(secrets.token_bytes(KEY_BYTES))


def parse(text: str, *, origin: str) -> Baseline:
    """
    Return the baseline that `text` holds.

    Raise `ConfigError`, naming the line, on anything that is not one: a
    baseline that is half understood would wave the wrong things through.
    """
    if len(text) > _MAX_BYTES:
        raise ConfigError(f"{origin}: larger than {_MAX_BYTES >> 20} MiB")
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ConfigError(
            f"{origin}: not a baseline: empty", hint="make one with `unsealed baseline write`"
        )
    key = _parse_head(_load(lines[0], origin), origin)
    entries = [_parse_entry(_load(line, origin), origin, line[0]) for line in lines[1:]]
    return Baseline(key, tuple(entries))


def render(baseline: Baseline) -> str:
    """
    Return the file's text: entries sorted and without duplicates.
    """
    digits = baseline.key.hex()
    # In groups, so that no scanner takes the key for a credential.
    key = " ".join(digits[i : i + _GROUP] for i in range(0, len(digits), _GROUP))
    head = json.dumps({"unsealed-baseline": _VERSION, "key": key})
    lines = sorted({_render_entry(entry) for entry in baseline.entries})
    return "\n".join([head, *lines]) + "\n"


def apply(
    findings: Iterable[Finding], baseline: Baseline, *, today: str
) -> tuple[list[Finding], list[str]]:
    """
    Return the findings, accepted ones marked, and a notice for each expired
    entry that a finding met.
    """
    accepted = baseline.accepted()
    marked: list[Finding] = []
    notices: list[str] = []
    for finding in findings:
        entry = accepted.get(finding.fingerprint)
        if entry is None or finding.suppressed is not None:
            marked.append(finding)
        elif entry.expired(today):
            notices.append(
                f"the baseline entry for {finding.fingerprint} ({finding.rule_id}) "
                f"expired on {entry.until}"
            )
            marked.append(finding)
        else:
            why = Suppressed(
                by="baseline", reason=entry.reason, until=entry.until, owner=entry.owner
            )
            marked.append(replace(finding, suppressed=why))
    return marked, notices


def write(
    old: Baseline, findings: Sequence[Finding], unread: Sequence[Unread], *, entry: Entry
) -> Baseline:
    """
    Return `old` with every finding and unreadable object accepted.

    What was accepted before keeps its reason, owner and date; new entries take
    theirs from `entry`.
    """
    kept = {e.fingerprint or e.unread: e for e in old.entries}
    for finding in findings:
        path = finding.occurrences[0].path
        kept.setdefault(
            finding.fingerprint,
            replace(
                entry,
                fingerprint=finding.fingerprint,
                unread=None,
                rule=finding.rule_id,
                path=path.decode(errors="replace") if path else None,
            ),
        )
    for missing in unread:
        if missing.blob:
            kept.setdefault(missing.blob, replace(entry, unread=missing.blob, fingerprint=None))
    return Baseline(old.key, tuple(kept.values()))


def prune(old: Baseline, seen: Iterable[str], *, today: str) -> Baseline:
    """
    Return `old` without expired entries and without those whose finding or object is not in `seen`.
    """
    alive = set(seen)
    return Baseline(
        old.key,
        tuple(
            e for e in old.entries if (e.fingerprint or e.unread) in alive and not e.expired(today)
        ),
    )


def _load(line: tuple[int, str], origin: str) -> dict[str, object]:
    number, text = line
    if text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        raise ConfigError(f"{origin}:{number}: an unresolved merge conflict")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{origin}:{number}: not JSON") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{origin}:{number}: not an object")
    return value


def _parse_head(head: dict[str, object], origin: str) -> bytes:
    if head.get("unsealed-baseline") != _VERSION:
        raise ConfigError(f"{origin}:1: not a baseline of version {_VERSION}")
    try:
        key = bytes.fromhex(str(head.get("key", "")))
    except ValueError as error:
        raise ConfigError(f"{origin}:1: the key is not hexadecimal") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{origin}:1: the key has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _parse_entry(value: dict[str, object], origin: str, number: int) -> Entry:
    unknown = sorted(set(value) - _ENTRY_KEYS)
    if unknown:
        raise ConfigError(f"{origin}:{number}: unknown key {unknown[0]!r}")
    texts: dict[str, str] = {}
    for name, text in value.items():
        if not isinstance(text, str):
            raise ConfigError(f"{origin}:{number}: {name!r} is not a string")
        texts[name] = text
    if ("fingerprint" in texts) == ("unread" in texts):
        raise ConfigError(f"{origin}:{number}: needs either 'fingerprint' or 'unread'")
    until = texts.get("until")
    if until is not None:
        try:
            parsed = dt.date.fromisoformat(until)
        except ValueError as error:
            raise ConfigError(f"{origin}:{number}: 'until' is not a date YYYY-MM-DD") from error
        texts["until"] = parsed.isoformat()
    if "unread" in texts and not texts.get("reason"):
        raise ConfigError(f"{origin}:{number}: an unreadable object is accepted with a 'reason'")
    return Entry(**texts)


def _render_entry(entry: Entry) -> str:
    fields = ("fingerprint", "unread", "rule", "path", "reason", "owner", "until")
    present = {name: value for name in fields if (value := getattr(entry, name)) is not None}
    return json.dumps(present, ensure_ascii=False)
