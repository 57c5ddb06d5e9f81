"""
One exposure is told once: what a second finding says of it is of low confidence, and names the
first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from scanner.detect.places import of_tests
from scanner.model import (
    MEDIUM_FROM,
    Companion,
    Occurrence,
    SealRecord,
    Suppressed,
)
from scanner.ruleset.schema import Rule
from scanner.secret import Secret

_KEYS = frozenset({"private-key", "private-key-putty", "age-identity"})
_OPEN_KEY = "private-key-plaintext"
_HOLDER = "gcp-service-account-key"
"""A file with a key in it, which is told as a whole."""

_SAID = 0.3
"""What is left of the score of a state that another finding tells as well."""

_KINDS_OF_KEYS = _KEYS | {
    "private-key-base64", "private-key-der-base64", "private-key-jwk", "private-key-fake",
    "keystore-plaintext", "keystore-fake", _OPEN_KEY,
}  # fmt: skip
_A_SET = 3
"""So many keys in one folder of tests are a set: one of them is told."""


@dataclass(slots=True)
class Group:
    """
    A finding in the making.
    """

    rule: Rule
    secret: Secret | None
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    occurrences: dict[Occurrence, None] = field(default_factory=dict)
    companions: dict[Companion, None] = field(default_factory=dict)
    seal: SealRecord | None = None
    waved: Suppressed | None = None
    proven: bool = False
    counts: bool = False
    """Some occurrence is not waved through."""


def tell_once(groups: Collection[Group]) -> None:
    """
    Lower what tells of an exposure that another finding tells of.
    """
    _tell_keys_once(groups)
    _tell_values_once(groups)
    _tell_sets_once(groups)


def _tell_keys_once(groups: Collection[Group]) -> None:
    """
    Lower what says of a key that it lies open where the key itself is told, and a key where the
    file around it is: it is one exposure.  The key's finding carries the record; the state stays a
    finding, of low confidence.
    """
    owners: dict[object, Group] = {}
    for group in groups:
        if group.rule.id in _KEYS and (group.score >= MEDIUM_FROM or group.proven):
            owners.update(dict.fromkeys(map(_place, group.occurrences), group))
    for group in groups:
        if group.rule.id != _OPEN_KEY:
            continue
        found = [owners.get(_place(occurrence)) for occurrence in group.occurrences]
        for owner in found:
            if owner is not None:
                owner.seal = owner.seal or group.seal
        if all(found):
            group.score = min(group.score, _SAID)
            group.reasons = (*group.reasons, "the key itself is told by its own finding")
    holders = {
        _place(occurrence)
        for group in groups
        if group.rule.id == _HOLDER and group.score >= MEDIUM_FROM
        for occurrence in group.occurrences
    }
    for group in groups:
        if group.rule.id in _KEYS and holders.issuperset(map(_place, group.occurrences)):
            group.score = min(group.score, _SAID)
            group.reasons = (*group.reasons, f"it is told as {_HOLDER}")


def _tell_values_once(groups: Iterable[Group]) -> None:
    """
    Lower what is told of a value by a rule without a shape where another tells of the same value:
    it is one secret.  The other's finding names all of its places.
    """
    by_value: dict[Secret, list[Group]] = {}
    for group in groups:
        if group.secret is not None and group.counts and group.score >= MEDIUM_FROM:
            by_value.setdefault(group.secret, []).append(group)
    for told in by_value.values():
        if len(told) == 1:
            continue
        owner = max(told, key=lambda group: (not _is_generic(group), group.score, group.rule.id))
        for group in told:
            if group is not owner and _is_generic(group):
                owner.occurrences.update(group.occurrences)
                group.score = min(group.score, _SAID)
                group.reasons = (*group.reasons, f"the same value is told as {owner.rule.id}")


def _is_generic(group: Group) -> bool:
    return group.rule.id.startswith("generic-")


def _place(occurrence: Occurrence) -> tuple[object, ...]:
    line = occurrence.position.line if occurrence.position else 0
    return occurrence.commit, occurrence.path, occurrence.inner_path, line


def _tell_sets_once(groups: Iterable[Group]) -> None:
    """
    Lower all keys but one of a folder of tests that holds several: whoever looks at one sees the
    others, and nobody keeps a set of keys that open something there.
    """
    folders: dict[bytes, list[Group]] = {}
    for group in groups:
        if group.rule.id not in _KINDS_OF_KEYS or group.score < MEDIUM_FROM or not group.counts:
            continue
        paths = [occurrence.path for occurrence in group.occurrences]
        if paths[0] is not None and all(path is not None and of_tests(path) for path in paths):
            folders.setdefault(paths[0].rpartition(b"/")[0], []).append(group)
    for held in folders.values():
        # What does not parse is perhaps no key of tests, but one that was altered: it makes no set.
        if sum(group.proven or group.secret is None for group in held) < _A_SET:
            continue
        told = max(held, key=lambda group: (group.proven, group.secret is not None, group.score))
        more = f"{len(held) - 1} more keys lie in this folder of tests, of low confidence"
        told.reasons = (*told.reasons, more)
        for group in held:
            if group is not told:
                group.score = min(group.score, _SAID)
                group.reasons = (*group.reasons, "another key of its folder of tests is told")
