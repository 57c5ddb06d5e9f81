"""
All versions of one path, held against the policy and against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.model import Document, Match, Place, Position, SealRecord
from scanner.policy.evaluation import FORBIDDEN, evaluate
from scanner.policy.exposure import WHOLE, Exposure, exposures, sealing_format
from scanner.policy.model import Policy

PLAIN_BEFORE = "policy-plaintext-before-encryption"
_NAMES_TOLD = 20
_WHOLE_TEXT = "the whole text"


@dataclass(frozen=True, slots=True)
class Version:
    """
    One version of a path, in the order of history.
    """

    blob: str
    commit: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Stand:
    """
    Where in which version something stands, and the version in which it is gone, if known.
    """

    version: int
    position: Position
    gone: int | None = None


def judge_versions(
    policy: Policy, path: bytes, versions: Sequence[Version], head: int | None
) -> list[tuple[Match, list[Stand]]]:
    """
    Return what is wrong with a path in any of its versions; `head` is the one at HEAD.
    """
    found = exposures(path, [version.data for version in versions], head=head)
    judged = [_exposed(path, versions, found)] if found else []
    open_then = {exposure.version for exposure in found}
    broken: dict[str, list[tuple[Match, Stand]]] = defaultdict(list)
    for number, version in enumerate(versions):
        for violation in evaluate(policy, path, version.data):
            if violation.rule_id != FORBIDDEN and number in open_then:
                continue  # told as plain before it was sealed, value by value
            owner = () if violation.owner is None else (f"owner: {violation.owner}",)
            position = Position(violation.line, 1, violation.line, 2)
            match = Match(
                rule_id=violation.rule_id,
                secret=None,
                document=Document(Place.BLOB, path, version.blob),
                position=position,
                reasons=(violation.reason, *owner),
                seal=violation.seal,
                proven=True,
            )
            broken[violation.rule_id].append((match, Stand(number, position)))
    # The latest is what its owner sees and can mend; the rest are places.
    judged += [(some[-1][0], [stand for _, stand in some]) for some in broken.values()]
    return judged


def _exposed(
    path: bytes, versions: Sequence[Version], found: Sequence[Exposure]
) -> tuple[Match, list[Stand]]:
    names = list(dict.fromkeys(one.name or _WHOLE_TEXT for one in found))
    sealed = max(one.sealed_in for one in found)
    first = found[0]
    form = sealing_format(versions[sealed].data, path) or "sealed"
    more = f" and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
    reason = (
        f"{', '.join(names[:_NAMES_TOLD])}{more} lay open before the path was sealed"
        f" ({form}, in commit {versions[sealed].commit[:10]})"
    )
    record = SealRecord(
        format=form,
        state="plaintext",
        reason=reason,
        line=first.position.line,
        detail=(("values", ", ".join(names)), ("sealed_in", versions[sealed].commit)),
        path=path,
        blob=versions[first.version].blob,
    )
    match = Match(
        rule_id=PLAIN_BEFORE,
        secret=None,
        document=Document(Place.BLOB, path, record.blob),
        position=first.position,
        reasons=_told(found, versions),
        seal=record,
        proven=True,
    )
    return match, [Stand(one.version, one.position, one.sealed_in) for one in found]


def _told(found: Sequence[Exposure], versions: Sequence[Version]) -> tuple[str, ...]:
    by_name: dict[str, list[Exposure]] = defaultdict(list)
    for one in found:
        by_name[one.name].append(one)
    told = []
    for name, some in by_name.items():
        where = ", ".join(
            f"line {one.position.line} in {versions[one.version].commit[:10]}" for one in some
        )
        count = f" ({len(some)} values)" if len(some) > 1 and name != WHOLE else ""
        told.append(f"{name or _WHOLE_TEXT}{count} lay open: {where}")
    return tuple(told)
