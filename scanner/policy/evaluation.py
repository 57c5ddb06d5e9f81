"""
A policy held against files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scanner.detect.sealed.credential_sealed import password_file
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


def demanded(
    policy: Policy, path: bytes, data: bytes, records: list[SealRecord]
) -> list[SealRecord]:
    """
    Return a record for a file that another tool's settings say is sealed, or is a vault password,
    and that no checker of its bytes can know as such.
    """
    name = path.decode("utf-8", "replace")
    formats = {record.format for record in records}
    found = []
    for rule in policy.must_seal:
        own = rule.origin.endswith(".unsealed.yml")
        if own or not data.strip() or not rule.pattern.fullmatch(name):
            continue
        if formats.isdisjoint(rule.formats):
            reason = f"must be sealed by {rule.origin}, and is not"
            found.append(SealRecord(format=rule.formats[0], state="plaintext", reason=reason))
    for other in policy.forbidden:
        if other.origin.endswith("ansible.cfg") and other.pattern.fullmatch(name) and not records:
            judged = password_file(data.decode("utf-8", "replace"))
            if judged is not None:
                state, reason, line = judged
                found.append(
                    SealRecord(
                        format="credential-file", state=state, line=line,
                        reason=f"vault password ({other.origin}): {reason}",
                    )
                )  # fmt: skip
    return [replace(one, path=path) for one in dict.fromkeys(found)]


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
