"""
One stretch of bytes, several rules: who keeps it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from scanner.detect.confirm import Confirmed
from scanner.detect.registry import Candidate
from scanner.detect.texts import Source
from scanner.model import MEDIUM_FROM, Companion, SealRecord
from scanner.records import dataclass
from scanner.ruleset.schema import Rule
from scanner.ruleset.table import RuleTable

GENERIC, JUDGED, SPECIFIC = range(3)
_Here = tuple[int, int, bytes | None]
NO_WORD = 1 << 20


@dataclass(slots=True, kw_only=True)
class Found:
    """
    A match on its way: still without position, perhaps still without score.
    """

    source: Source
    rule: int
    """The rule's number in the plan."""

    start: int
    end: int
    secret: bytes | None
    rank: int = SPECIFIC
    score: float = 1.0
    reasons: tuple[str, ...] = ()
    features: tuple[float, ...] | None = None
    companions: tuple[Companion, ...] = ()
    seal: SealRecord | None = None
    proven: bool = False
    words: tuple[str, ...] = ()
    waits: bool = False
    """The confidence score has not been asked yet."""

    distance: int = 0
    """How far the word stands that tells whose it is; `NO_WORD` where there is none."""


def of_confirmed(source: Source, number: int, confirmed: Confirmed, rule: Rule) -> Found:
    """
    Return what a rule's own pattern found.
    """
    judged = rule.judged
    return Found(
        source=source,
        rule=number,
        start=confirmed.start,
        end=confirmed.end,
        secret=confirmed.secret,
        rank=JUDGED if judged and not confirmed.proven else SPECIFIC,
        score=confirmed.score,
        reasons=confirmed.reasons,
        proven=confirmed.proven,
        waits=judged and not confirmed.proven,
        # `sk_live_…` is several providers' shape: the one whose word stands there has it.
        distance=0 if rule.context else NO_WORD,
    )


def of_candidate(candidate: Candidate, source: Source, rule: int) -> Found:
    """
    Return what a detector found.
    """
    return Found(
        source=source,
        rule=rule,
        start=candidate.start,
        end=candidate.end,
        secret=candidate.secret,
        rank=GENERIC if candidate.generic else SPECIFIC,
        score=candidate.score,
        reasons=candidate.reasons,
        features=candidate.features,
        companions=candidate.companions,
        seal=candidate.seal,
        proven=candidate.proven,
    )


def settle(group: Iterable[Found]) -> list[Found]:
    """
    Return what is kept of one document's matches, in the order of the text.

    A specific rule beats a judged one, and that a generic one; proof beats shape;
    a longer secret beats a part of it; a nearer word beats a farther one, then a longer one.
    """
    ordered = sorted(
        group,
        key=lambda item: (
            -item.rank,
            not item.proven,
            item.start - item.end,
            item.distance,
            # `scraperbox` says more than the `box` at its end.
            -max(map(len, item.words), default=0),
            -item.score,
            item.rule,
        ),
    )
    kept: list[Found] = []
    spans: list[tuple[int, int]] = []
    for item in ordered:
        if item.secret is None:
            kept.append(item)
            continue
        at = bisect_left(spans, (item.start, item.end))
        if at < len(spans) and spans[at][0] < item.end:
            continue
        if at and spans[at - 1][1] > item.start:
            continue
        insort(spans, (item.start, item.end))
        kept.append(item)
    kept.sort(key=lambda item: (item.start, item.end))
    return kept


def without_stored(items: Sequence[Found]) -> list[Found]:
    """
    Return all matches but those that are told better elsewhere: what a container's own bytes
    hold and a member has too (a tar, a stored zip) is told by the member's name; what a
    joined text holds and the text around it has too, by that text's line.
    """
    if all(item.source.parent is None for item in items):
        return list(items)
    ways: dict[tuple[int, bytes | None], set[tuple[str, ...]]] = {}
    own: Counter[_Here] = Counter()
    members: Counter[_Here] = Counter()
    for item in items:
        own[id(item.source), item.rule, item.secret] += 1
        ways.setdefault((item.rule, item.secret), set()).add(item.source.document.inner_path)
        derived, parent = item.source.derived, item.source.parent
        if derived is not None and derived.inner_path and parent is not None:
            members[id(parent), item.rule, item.secret] += 1
    return [
        item
        for item in items
        # What stands there more often than in members stands beside them too: a launcher's text.
        if not 0 < own[here := (id(item.source), item.rule, item.secret)] <= members[here]
        and not _joined_again(item, own)
        and not _deeper(item.source.document.inner_path, ways[item.rule, item.secret])
    ]


def _joined_again(item: Found, own: Mapping[_Here, int]) -> bool:
    derived, parent = item.source.derived, item.source.parent
    if derived is None or parent is None or derived.inner_path or derived.same_lines:
        return False
    joined = derived.start is not None and derived.end is None
    return joined and own.get((id(parent), item.rule, item.secret), 0) > 0


def _deeper(way: tuple[str, ...], ways: Iterable[tuple[str, ...]]) -> bool:
    # A zip that is stored in a tar is found in the tar's own bytes as well.
    return bool(way) and any(len(o) > len(way) and o[-len(way) :] == way for o in ways)


def unwrapped(groups: Iterable[Sequence[Found]], rules: RuleTable) -> list[Found]:
    """
    Return all matches but those of an encoded run that is told in another way too: of a run in
    which a specific one was found the unspecific ones (`data: Z2hw…` is a GitHub token, and not
    a generic secret as well), and a specific one that is the same thing encoded; of two
    unspecific ones the less likely (`Basic …` and the password in it are one secret).  What lies
    within a token belongs to the token.
    """
    items = [item for group in groups for item in group]
    runs: dict[int, dict[tuple[int, int], list[Found]]] = {}
    for item in items:
        derived, parent = item.source.derived, item.source.parent
        if derived is None or parent is None or derived.same_lines or item.secret is None:
            continue
        if derived.start is not None and derived.end is not None:
            here = runs.setdefault(id(parent), {})
            here.setdefault((derived.start, derived.end), []).append(item)
    if not runs:
        return items
    # In each text these are in order and apart.
    outer: dict[int, list[Found]] = {}
    for item in items:
        if item.secret is not None and id(item.source) in runs:
            outer.setdefault(id(item.source), []).append(item)
    gone: set[int] = set()
    for where, held in runs.items():
        around = outer.get(where, [])
        for (start, end), inner in held.items():
            at = bisect_right(around, start, key=lambda item: item.end)
            while at < len(around) and around[at].start < end:
                gone.update(map(id, _lesser(around[at], inner, rules)))
                at += 1
    return [item for item in items if id(item) not in gone]


def _lesser(outer: Found, inner: Sequence[Found], rules: RuleTable) -> Sequence[Found]:
    """
    Return what goes of a match in a text and those in what was decoded from a run of it.
    """
    specific = [item for item in inner if item.rank == SPECIFIC]
    if specific:
        provider = rules[outer.rule].provider
        same = len(inner) == 1 and rules[specific[0].rule].provider == provider
        return () if outer.rank == SPECIFIC and not same else (outer,)
    if outer.rank > GENERIC and outer.score >= MEDIUM_FROM:
        return inner
    if len(inner) > 1:  # several secrets in one run: each is told
        return ()
    return (outer,) if outer.score < inner[0].score else inner
