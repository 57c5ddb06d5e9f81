"""
Everything a scan needs of its rules, in a form that can be kept: the compiled
first pass, and what each of its expressions stands for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import hyperscan

from scanner.detect import first_pass, keyed, registry
from scanner.detect.checksums import CHECKSUMS
from scanner.detect.first_pass import Wanted
from scanner.errors import RuleError
from scanner.ruleset.expression import weaken
from scanner.ruleset.schema import Rule
from scanner.ruleset.table import RuleTable

RULE, KEYED, CODE = range(3)

ANYWHERE = 1 << 62
"""A `within` that every offset is within."""

Target = tuple[int, int, int, int]
"""Kind, its number (rule, pair, code), tag, and `within` (or `ANYWHERE`)."""

_FEW = 64
_CANARY = Wanted(b"unsealed-canary-[0-9]{4}")
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
        self._databases: list[hyperscan.Database] = []

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
        shards = 1 if len(rules) < _FEW else min(2, os.cpu_count() or 1)
        draft = _Draft(rules)
        draft.add_canaries(shards)
        draft.add_rules()
        draft.add_keyed()
        draft.add_code(derivers=code)
        try:
            databases = first_pass.compile_shards(draft.wanted, shards=shards, progress=progress)
        except hyperscan.error as error:
            draft.blame(error)
            raise
        return cls(draft.kept(), databases)

    def databases(self) -> list[hyperscan.Database]:
        """
        Return the databases, loaded when first asked for.
        """
        if not self._databases:
            self._databases = [first_pass.load(part) for part in self.serialised if part]
        return self._databases

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

    def add_canaries(self, shards: int) -> None:
        """
        Give each shard an expression that shows that it works (they take turns).
        """
        for _ in range(shards):
            self._add(_CANARY, (CODE, 0, 0, _NEVER))

    def add_rules(self) -> None:
        for number, rule in enumerate(self._rules):
            if rule.pattern is None:
                continue
            try:
                weak = weaken(rule.pattern.encode())
            except ValueError as error:
                raise RuleError(rule.origin, rule.id, str(error)) from error
            if rule.checksum is not None and rule.checksum not in CHECKSUMS:
                raise RuleError(rule.origin, rule.id, f"no such checksum: {rule.checksum}")
            self.widths[number] = weak.before, weak.width
            self._add(Wanted(weak.pattern, weak.caseless), (RULE, number, 0, ANYWHERE))

    def add_keyed(self) -> None:
        for number, pair in enumerate(keyed.pairs(self._rules)):
            self.pairs.append(tuple(pair))
            self._add(Wanted(keyed.expression(pair), caseless=True), (KEYED, number, 0, ANYWHERE))

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
                self._add_code("deriver", name, registry.load_deriver(name).expressions)

    def _add_code(self, kind: str, name: str, asked: Sequence[registry.Expression]) -> None:
        number = len(self.code)
        self.code.append((kind, name))
        for item in asked:
            within = ANYWHERE if item.within is None else item.within
            self._add(
                Wanted(item.pattern, item.caseless), (CODE, number, int(item.tag), int(within))
            )

    def _add(self, wanted: Wanted, target: Target) -> None:
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
        }
