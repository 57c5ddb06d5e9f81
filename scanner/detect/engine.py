"""
The engine: batches in, matches out.

One pass over a batch says where anything may be (`first_pass`); only there
Python looks, document by document: rules confirm with their own pattern,
detectors and derivers are called.  What derivers hand back goes the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from scanner.detect import compiled, registry
from scanner.detect.confirm import Confirmer, PatternTimeoutError
from scanner.detect.deriving import derived_texts
from scanner.detect.first_pass import FirstPass
from scanner.detect.judging import settle_scores
from scanner.detect.overlap import (
    Found,
    of_candidate,
    of_confirmed,
    settle,
    unwrapped,
    without_stored,
)
from scanner.detect.patterns import companions
from scanner.detect.plan import KEYED, RULE, Plan
from scanner.detect.sealed.spans import inside, sealed_spans
from scanner.detect.surroundings import Surroundings
from scanner.detect.texts import DerivedBatch, Purse, Source, View
from scanner.model import Companion, Document, Limit, Match, Unread
from scanner.ruleset.reach import FAR, REACH
from scanner.ruleset.schema import Rule
from scanner.secret import Secret
from scanner.sources.batch import Batch

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.detect.carried import Carrier
    from scanner.detect.keyed import KeyedMatcher

MAX_DEPTH = 8
_DERIVED_BATCH = 8 << 20
_TIMEOUTS_TO_STOP = 5

_MAX_PUBLICS = 20_000
_SEALED = frozenset({"sealed", "partly-sealed"})
Progress = Callable[[int, int], None]
_Items = list[tuple[Source, registry.Derived]]


class Engine:
    """
    Rules, ready to scan with; shared by all threads.
    """

    def __init__(
        self, plan: Plan, *, select: Sequence[str] = (), ignore: Sequence[str] = ()
    ) -> None:
        self.plan = plan
        self.enabled = plan.rules.selection(select, ignore)

    @classmethod
    def load(
        cls,
        rules_paths: Sequence[Path],
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        *,
        progress: Progress | None = None,
    ) -> Engine:
        """
        Return an engine for the packs under `rules_paths`, from the cache if it is fresh.
        """
        return cls(compiled.load_plan(rules_paths, progress=progress), select=select, ignore=ignore)

    @classmethod
    def from_rules(cls, rules: Iterable[Rule]) -> Engine:
        """
        Return an engine for these rules, compiled here and now.
        """
        return cls(Plan.make(tuple(rules)))

    @property
    def digest(self) -> str:
        """The rules' digest: equal for equal rules."""
        return self.plan.digest

    def rule(self, rule_id: str) -> Rule:
        """
        Return a rule by its id; raise `KeyError` if there is none.
        """
        return self.plan.rules.by_id(rule_id)

    def takes(self, rule_id: str) -> bool:
        """
        Whether there is such a rule and this run selected it.
        """
        return self.plan.rules.number(rule_id) in self.enabled

    def prepare(self) -> None:
        """
        Load what scanners share, so that forked processes share it too.
        """
        plan = self.plan
        plan.databases()
        # Each would read these by itself, and hold them a second time.
        _ = plan.targets, plan.widths, plan.rules.packed

    def scanner(self) -> Scanner:
        """
        Return a scanner for the calling thread.
        """
        return Scanner(self)


class Scanner:
    """
    One thread's scanner; it gathers what it could not read and which bounds bit.
    """

    def __init__(self, engine: Engine) -> None:
        self._plan = engine.plan
        self._enabled = engine.enabled
        self._near = FirstPass(engine.plan.near_databases())
        self._far = FirstPass(engine.plan.far_databases())
        self._targets = engine.plan.targets
        self._confirmers: dict[int, Confirmer] = {}
        self._companions: dict[int, Any] = {}
        self._timeouts: dict[int, int] = {}
        self._keyed: KeyedMatcher | None = None
        self._surroundings = Surroundings(engine.plan)
        self._carrier: Carrier | None = None
        self.limits: list[Limit] = []
        self.unread: list[Unread] = []
        self.sealed: set[Document] = set()
        """Documents in which something is sealed, soundly or in part."""

        self.publics: dict[bytes, registry.Public] = {}
        """Certificates and public keys, and where each stands first."""

    def _keyed_matcher(self) -> KeyedMatcher:
        # Its words take a tenth of a hook's run, and most texts need none of them.
        if self._keyed is None:
            self._keyed = self._plan.keyed_matcher()
        return self._keyed

    def scan(self, batch: Batch) -> list[Match]:
        """
        Return the matches in a batch, in the order of its documents.
        """
        found: list[Found] = []
        self._scan(batch, None, found)
        found = settle_scores(found, self._plan.rules)
        by_source: dict[int, list[Found]] = {}
        for item in found:
            by_source.setdefault(id(item.source), []).append(item)
        by_root: dict[int, list[Found]] = {}
        settled = [settle(_audible(group)) for group in by_source.values()]
        for item in unwrapped(settled, self._plan.rules):
            by_root.setdefault(item.source.root().index, []).append(item)
        return [match for index in sorted(by_root) for match in self._matches(by_root[index])]

    def _scan(self, batch: Batch, items: _Items | None, found: list[Found]) -> None:
        views: dict[int, list[View]] = {}
        for source, hits in self._by_document(batch, items):
            self._look(source, hits, views, found)
        self._look_near_names(views, found)
        derivers = []
        for number in sorted(views):
            kind, name = self._plan.code[number]
            if kind == "deriver":
                derivers.append((name, views[number]))
                continue
            for candidate in registry.load_detector(name).detect(views[number]):
                self._note(candidate)
                rule = self._plan.rules.number(candidate.rule_id)
                if rule in self._enabled and isinstance(candidate.text, View):
                    found.append(of_candidate(candidate, candidate.text.source, rule))
        self._derive(derivers, found)

    def _note(self, candidate: registry.Candidate) -> None:
        """
        Remember what is no finding, and bears on others.
        """
        document = candidate.text.document
        if candidate.seal is not None and candidate.seal.state in _SEALED:
            self.sealed.add(document)
        elif candidate.public and len(self.publics) < _MAX_PUBLICS:
            raw = candidate.text.data[candidate.start : candidate.end]
            if raw not in self.publics:
                line = candidate.text.data.count(b"\n", 0, candidate.start) + 1
                self.publics[raw] = registry.Public(document, line)

    def _look_near_names(self, views: dict[int, list[View]], found: list[Found]) -> None:
        """
        Look for the common provider words, where something named like a credential is set.
        """
        named = views.get(self._plan.named_code)
        if named:
            for source, pairs in self._surroundings.hits(named):
                found += self._keyed_matcher().look(source, pairs, self._enabled)

    def _by_document(
        self, batch: Batch, items: _Items | None
    ) -> Iterator[tuple[Source, Sequence[tuple[int, int]]]]:
        """
        Yield each document with hits, and its hits with offsets of its own.
        """
        for index, hits in self._hits(batch):
            source = Source(batch, index)
            if items is not None:
                source.parent, source.derived = items[index]
            yield source, hits

    def _hits(self, batch: Batch) -> Iterator[tuple[int, Sequence[tuple[int, int]]]]:
        if batch.alike:
            if self._carrier is None:
                # It needs numpy, which the hook does without.
                from scanner.detect.carried import Carrier  # noqa: PLC0415

                self._carrier = Carrier(((self._near, REACH), (self._far, FAR)))
            if self._carrier.worth(batch):
                yield from self._carrier.hits(batch)
                return
        hits = sorted(self._near.hits(batch.data) + self._far.hits(batch.data))
        starts, ends = batch.starts, batch.ends
        at, count = 0, len(hits)
        while at < count:
            # A hit lies in the last document that starts before its end, or in none.
            index = bisect_left(starts, hits[at][0]) - 1
            if index < 0 or hits[at][0] > ends[index]:
                at += 1
                continue
            first, start, stop = at, starts[index], ends[index]
            while at < count and hits[at][0] <= stop:
                at += 1
            yield index, [(end - start, number) for end, number in hits[first:at]]

    def _look(
        self,
        source: Source,
        hits: Sequence[tuple[int, int]],
        views: dict[int, list[View]],
        found: list[Found],
    ) -> None:
        targets, enabled = self._targets, self._enabled
        floors: dict[int, int] = {}
        own: dict[int, View] = {}
        pairs: list[tuple[int, int]] = []
        for end, number in hits:
            kind, which, tag, within = targets[number]
            if kind == RULE:
                if end > floors.get(which, 0) and which in enabled:
                    self._confirm(source, which, end, floors, found)
            elif kind == KEYED:
                pairs.append((end, which))
            elif end <= within:
                view = own.get(which)
                if view is None:
                    view = own[which] = View(source)
                    views.setdefault(which, []).append(view)
                view.hits.append((end, tag))
        if pairs:
            found += self._keyed_matcher().look(source, pairs, enabled)

    def _confirm(
        self, source: Source, which: int, end: int, floors: dict[int, int], found: list[Found]
    ) -> None:
        confirmer = self._confirmers.get(which)
        if confirmer is None:
            rule = self._plan.rules[which]
            confirmer = self._confirmers[which] = Confirmer(rule, *self._plan.widths[which])
        if self._timeouts.get(which, 0) >= _TIMEOUTS_TO_STOP:
            return
        floor = floors.get(which, 0)
        try:
            confirmed, reached = confirmer.confirm(source.data, end, floor)
        except PatternTimeoutError:
            floors[which] = end
            self._ran_away(source, which, confirmer.rule)
            return
        floors[which] = max(floor, reached)
        rule = confirmer.rule
        if confirmed is not None and rule.secret_part:
            found.append(of_confirmed(source, which, confirmed, rule))

    def _ran_away(self, source: Source, which: int, rule: Rule) -> None:
        times = self._timeouts[which] = self._timeouts.get(which, 0) + 1
        last = times >= _TIMEOUTS_TO_STOP
        self.limits.append(
            Limit(
                name="pattern-timeout",
                reason=f"the pattern of rule {rule.id} took too long"
                + (" too often and is no longer tried" if last else ""),
                path=source.document.path,
                blob=source.document.blob,
                inner_path=source.document.inner_path,
            )
        )

    def _derive(self, derivers: list[tuple[str, list[View]]], found: list[Found]) -> None:
        items: _Items = []
        size = 0
        for name, views in derivers:
            deriver = registry.load_deriver(name)
            for view in views:
                purse = Purse(view.source)
                if purse.depth >= MAX_DEPTH:
                    purse.limit("depth", f"more than {MAX_DEPTH} codings or containers deep")
                    self.limits += purse.taken_limits()
                    continue
                for derived in derived_texts(deriver, view, purse):
                    if not purse.spend(len(derived.data)):
                        purse.limit("derived-bytes", "decodes to too much", derived.inner_path)
                        break
                    items.append((view.source, derived))
                    size += len(derived.data)
                    if size >= _DERIVED_BATCH:
                        self._scan(DerivedBatch(items), items, found)
                        items, size = [], 0
                self.limits += purse.taken_limits()
                self.unread += purse.taken_unread()
        if items:
            self._scan(DerivedBatch(items), items, found)

    def _matches(self, found: list[Found]) -> list[Match]:
        matches: list[Match] = []
        seen: set[tuple[object, ...]] = set()
        # Fewest codings first: the same secret at the same place is told once, the plainest way.
        found = without_stored(found)
        found.sort(key=lambda item: (item.source.depth, item.start))
        for item in found:
            source = item.source
            position = source.position(item.start, item.end)
            rule_id = self._plan.rules.ids[item.rule]
            line = None if position is None else position.line
            key = (rule_id, item.secret, line, source.document.inner_path)
            if source.parent is not None and key in seen:
                continue
            beside = self._beside(item)
            if beside is None:
                continue
            seen.add(key)
            matches.append(
                Match(
                    rule_id=rule_id,
                    secret=None if item.secret is None else Secret(item.secret),
                    document=source.document,
                    position=position,
                    start=item.start,
                    end=item.end,
                    score=item.score,
                    reasons=item.reasons,
                    features=item.features,
                    companions=beside,
                    allow=source.allow(item.start, item.end),
                    peer_marker=source.peer_marker(item.start, item.end),
                    seal=item.seal,
                    proven=item.proven,
                )
            )
        return matches

    def _beside(self, item: Found) -> tuple[Companion, ...] | None:
        """
        Return the companions of a match, `None` if one that it must have is not there.
        """
        if item.secret is None or item.companions:
            return item.companions
        if item.rule not in self._companions:
            self._companions[item.rule] = companions(self._plan.rules[item.rule])
        wanted = self._companions[item.rule]
        if wanted is None:
            return ()
        try:
            near: tuple[Companion, ...] | None = wanted.near(item.source.data, item.start, item.end)
        except TimeoutError:
            self._ran_away(item.source, item.rule, self._plan.rules[item.rule])
            return ()
        return near


def _audible(group: list[Found]) -> list[Found]:
    """
    Return what was found in one document, without what lies in ciphertext: noise is no credential.
    """
    spans = sealed_spans(group[0].source.data)
    if not spans:
        return group
    return [
        item for item in group if item.secret is None or not inside(spans, item.start, item.end)
    ]
