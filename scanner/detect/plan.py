"""
Everything a scan needs of its rules, in a form that can be kept: the compiled
first pass, and what each of its expressions stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import hyperscan

from scanner.detect import first_pass, keyed, registry
from scanner.detect.common_words import common
from scanner.detect.first_pass import Wanted
from scanner.detect.patterns import checksum
from scanner.errors import RuleError
from scanner.ruleset.expression import weaken
from scanner.ruleset.schema import Rule
from scanner.ruleset.table import RuleTable

RULE, KEYED, CODE = range(3)

ANYWHERE = 1 << 62
"""A `within` that every offset is within."""

Target = tuple[int, int, int, int]
"""Kind, its number (rule, pair, code), tag, and `within` (or `ANYWHERE`)."""

MAIN, RARE_WORDS, COMMON_WORDS = range(3)
NAMED = ("detector", "generic")
"""Who hits wherever something named like a credential is set."""

CANARY = Wanted(b"unsealed-canary-[0-9]{4}")
_NEVER = -1


class Plan:
    """
    Rules and first pass, ready to scan with.
    """

    def __init__(self, kept: Mapping[str, Any], databases: Sequence[bytes]) -> None:
        self.rules = RuleTable(kept["ids"], kept["packed"])
        self.digest: str = kept["digest"]
        self.targets: list[Target] = kept["targets"]
        self.code: list[tuple[str, str]] = kept["code"]
        self.widths: dict[int, tuple[int, int]] = kept["widths"]
        self.pairs: list[tuple[Any, ...]] = kept["pairs"]
        self.kept = kept
        self.serialised = databases
        self._shards: list[list[int]] = kept["shards"]
        self._databases: dict[int, hyperscan.Database] = {}
        self.named_code = self.code.index(NAMED) if NAMED in self.code else -1

    @classmethod
    def make(
        cls,
        rules: Sequence[Rule],
        *,
        code: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Plan:
        """
        Compile `rules`, and unless told otherwise the detectors and derivers.
        """
        draft = _Draft(rules)
        draft.add_rules()
        draft.add_code(derivers=code)
        draft.add_keyed()
        try:
            databases = first_pass.compile_shards(draft.wanted, draft.shards, progress=progress)
        except hyperscan.error as error:
            draft.blame(error)
            raise
        return cls(draft.kept(), databases)

    @staticmethod
    def draft(
        rules: Sequence[Rule],
    ) -> tuple[Sequence[Wanted], Sequence[Target], Sequence[tuple[Any, ...]]]:
        """
        Return the expressions that `rules` come to, what each stands for, and the keyed pairs.
        """
        draft = _Draft(rules)
        draft.add_rules()
        draft.add_keyed()
        return draft.wanted, draft.targets, draft.pairs

    def databases(self) -> list[hyperscan.Database]:
        """
        Return the databases that look at every byte, loaded when first asked for.
        """
        return [
            self._database(shard) for shard in (MAIN, RARE_WORDS) if len(self._shards[shard]) > 1
        ]

    def late_database(self) -> hyperscan.Database | None:
        """
        Return the database of the common words, which looks at surroundings of hits only.
        """
        return self._database(COMMON_WORDS) if len(self._shards[COMMON_WORDS]) > 1 else None

    def _database(self, shard: int) -> hyperscan.Database:
        database = self._databases.get(shard)
        if database is None:
            database = self._databases[shard] = first_pass.load(self.serialised[shard])
        return database

    def keyed_matcher(self) -> keyed.KeyedMatcher:
        """
        Return a matcher for the keyed rules; one per thread.
        """
        return keyed.KeyedMatcher(self.rules, [keyed.Pair(*pair) for pair in self.pairs])


class _Draft:
    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self.wanted: list[Wanted] = []
        self.targets: list[Target] = []
        self.code: list[tuple[str, str]] = []
        self.widths: dict[int, tuple[int, int]] = {}
        self.pairs: list[tuple[Any, ...]] = []
        self.shards: list[list[int]] = [[], [], []]
        for shard in range(len(self.shards)):
            self._add(CANARY, (CODE, 0, 0, _NEVER), shard)

    def add_rules(self) -> None:
        for number, rule in enumerate(self._rules):
            if rule.pattern is None:
                continue
            try:
                weak = weaken(rule.pattern.encode())
            except ValueError as error:
                raise RuleError(rule.origin, rule.id, str(error)) from error
            if rule.checksum is not None and checksum(rule.checksum) is None:
                raise RuleError(rule.origin, rule.id, f"no such checksum: {rule.checksum}")
            self.widths[number] = weak.before, weak.width
            self._add(Wanted(weak.pattern, weak.caseless), (RULE, number, 0, ANYWHERE))

    def add_keyed(self) -> None:
        for number, pair in enumerate(keyed.pairs(self._rules)):
            self.pairs.append(tuple(pair))
            late = NAMED in self.code and common(pair.word)
            self._add(
                Wanted(keyed.expression(pair), caseless=True),
                (KEYED, number, 0, ANYWHERE),
                COMMON_WORDS if late else RARE_WORDS,
            )

    def add_code(self, *, derivers: bool) -> None:
        asked = {rule.detector for rule in self._rules}
        for name in registry.DETECTORS:
            if name in asked:
                self._add_code("detector", name, registry.load_detector(name).expressions)
        for rule in self._rules:
            if rule.detector is not None and rule.detector not in registry.DETECTORS:
                raise RuleError(rule.origin, rule.id, f"no such detector: {rule.detector}")
        if derivers:
            for name in registry.DERIVERS:
                self._add_code("deriver", name, self._asked_by(registry.load_deriver(name)))

    def _asked_by(self, deriver: registry.Deriver) -> list[registry.Expression]:
        asked = list(deriver.expressions)
        if isinstance(deriver, registry.AnchoredDeriver):
            asked += deriver.anchored([anchor for rule in self._rules for anchor in rule.anchors])
        return list(dict.fromkeys(asked))

    def _add_code(self, kind: str, name: str, asked: Sequence[registry.Expression]) -> None:
        number = len(self.code)
        self.code.append((kind, name))
        for item in asked:
            within = ANYWHERE if item.within is None else item.within
            self._add(
                Wanted(item.pattern, item.caseless), (CODE, number, int(item.tag), int(within))
            )

    def _add(self, wanted: Wanted, target: Target, shard: int = MAIN) -> None:
        self.shards[shard].append(len(self.wanted))
        self.wanted.append(wanted)
        self.targets.append(target)

    def blame(self, error: Exception) -> None:
        """
        Raise a `RuleError` for the first rule that cannot be compiled by itself.
        """
        for wanted, (kind, which, _, _) in zip(self.wanted, self.targets, strict=True):
            if kind == CODE or first_pass.compile_problem(wanted) is None:
                continue
            rule = self._rules[which if kind == RULE else self.pairs[which][3][0]]
            problem = f"the first pass refuses it: {error}"
            raise RuleError(rule.origin, rule.id, problem) from error

    def kept(self) -> dict[str, Any]:
        table = RuleTable.of(self._rules)
        ids, packed = table.dump()
        return {
            "ids": ids,
            "packed": packed,
            "digest": table.digest(),
            "targets": self.targets,
            "code": self.code,
            "widths": self.widths,
            "pairs": self.pairs,
            "shards": self.shards,
        }
