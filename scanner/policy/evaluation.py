"""
A policy held against files, and against the versions of a path over time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scanner.detect.sealed.evidence import ValueKind, value_kind
from scanner.detect.sealed.line_reader import read_assignments, read_lines
from scanner.detect.sealed.registry import seal_records
from scanner.model import SealRecord
from scanner.policy.model import MustSeal, Policy, Violation

NOT_SEALED = "policy-not-sealed"
FORBIDDEN = "policy-forbidden-path"
PLAIN_BEFORE = "policy-plaintext-before-encryption"
_SOUND = frozenset({"sealed", "reference"})


def evaluate(
    policy: Policy, path: bytes, data: bytes, records: list[SealRecord] | None = None
) -> list[Violation]:
    """
    Return how a file breaks the policy; `records` spares a second look at its seals.
    """
    name = path.decode("utf-8", "replace")
    found = [
        Violation(
            rule_id=FORBIDDEN,
            path=path,
            reason=rule.reason or f"{rule.shown!r} may not be in the repository",
            severity=rule.severity,
            owner=rule.owner,
            origin=rule.origin,
        )
        for rule in policy.forbidden
        if rule.pattern.fullmatch(name) and not _is_sealed(data, path, records)
    ]
    asked = [rule for rule in policy.must_seal if rule.pattern.fullmatch(name)]
    if asked and data.strip():
        known = seal_records(data, path) if records is None else records
        for rule in asked:
            found += _not_sealed(rule, path, known)
    return found


def _is_sealed(data: bytes, path: bytes, records: list[SealRecord] | None) -> bool:
    # A vault password that is itself sealed, by git-crypt say, gives nothing away.
    known = seal_records(data, path) if records is None else records
    return bool(known) and all(record.state == "sealed" for record in known)


def _not_sealed(rule: MustSeal, path: bytes, records: list[SealRecord]) -> Iterator[Violation]:
    own = [one for one in records if not rule.formats or one.format in rule.formats]
    bad = next((one for one in own if one.state not in _SOUND), None)
    how = " or ".join(rule.formats) or "some format"
    reason = None
    line = 1
    if not own:
        reason = f"must be sealed ({how}) by {rule.origin}, and is not"
    elif bad is not None:
        reason, line = f"must be sealed ({how}), and is {bad.state}: {bad.reason}", bad.line
    elif rule.label is not None and any(one.label != rule.label for one in own):
        reason = f"must be sealed under the vault id {rule.label!r}, and is under another"
    if reason is not None:
        yield Violation(
            rule_id=NOT_SEALED,
            path=path,
            reason=reason,
            severity=rule.severity,
            owner=rule.owner,
            origin=rule.origin,
            line=line,
            seal=bad,
        )


def unmatched(policy: Policy, paths: Iterable[bytes]) -> list[str]:
    """
    Return a notice for each pattern that fits no path: a typo seals nothing.
    """
    names = [path.decode("utf-8", "replace") for path in paths]
    return [
        f"{rule.origin}: {rule.shown!r} fits no file"
        for rule in policy.must_seal
        if not any(rule.pattern.fullmatch(name) for name in names)
    ]


@dataclass(frozen=True, slots=True)
class Version:
    """
    One version of a path, in the order of history.
    """

    blob: str
    commit: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainVersion:
    """
    A version that was plain although the path was sealed later: its values are known.
    """

    path: bytes
    blob: str
    commit: str
    sealed_in: str
    """The commit that sealed it."""

    names: tuple[str, ...]
    """The values that lay open, by name."""


def plain_before_sealed(path: bytes, versions: list[Version]) -> list[PlainVersion]:
    """
    Return the versions of a path that were plain and followed by a sealed one.

    Sealing a file does not seal what its history holds: each value named here has to be
    replaced at the service it opens.
    """
    states = [_state(version.data, path) for version in versions]
    found = []
    for at, version in enumerate(versions):
        later = next((n for n in range(at + 1, len(versions)) if states[n]), None)
        if states[at] or later is None or not version.data.strip():
            continue
        found.append(
            PlainVersion(
                path=path,
                blob=version.blob,
                commit=version.commit,
                sealed_in=versions[later].commit,
                names=open_names(version.data),
            )
        )
    return found


def _state(data: bytes, path: bytes) -> bool:
    sealing = {"ansible-vault", "sops", "sealed-secret", "git-crypt", "age", "pgp", "dotenvx",
               "transcrypt"}  # fmt: skip
    return any(
        record.state in ("sealed", "partly-sealed") and record.format in sealing
        for record in seal_records(data, path)
    )


def open_names(data: bytes) -> tuple[str, ...]:
    """
    Return the names of the values in a structured text, at most 200.
    """
    text = data.decode("utf-8", "replace")
    leaves = read_lines(text) or read_assignments(text)
    names = [leaf.name for leaf in leaves if value_kind(leaf.value) is ValueKind.LITERAL]
    return tuple(dict.fromkeys(names))[:200]
