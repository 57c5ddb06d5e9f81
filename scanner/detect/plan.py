"""
Everything a scan needs of its rules, in a form that can be kept: the compiled
first pass, and what each of its expressions stands for.
"""

from __future__ import annotations

import importlib
import marshal
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import hyperscan

from scanner import expressions
from scanner.detect import compiling, keyed, registry
from scanner.detect.common_words import common
from scanner.detect.compiling import Wanted
from scanner.detect.databases import (
    COMMON_WORDS,
    EXPRESSIONS,
    FAR,
    LIKELY,
    MAIN,
    NAMED_TAGS,
    RARE_WORDS,
    Databases,
    Reader,
    database_part,
)
from scanner.detect.patterns import checksum
from scanner.detect.score_code import likely_code
from scanner.errors import RuleError
from scanner.ruleset.expression import weaken
from scanner.ruleset.reach import is_near
from scanner.ruleset.schema import Rule
from scanner.ruleset.table import RuleTable

RULE, KEYED, CODE = range(3)

ANYWHERE = 1 << 62
"""A `within` that every offset is within."""

Target = tuple[int, int, int, int]
"""Kind, its number (rule, group of pairs, code), tag, and `within` (or `ANYWHERE`)."""

NAMED = ("detector", "generic")
"""Who hits wherever something named like a credential is set."""

_ENGINE = ("scanner.detect.engine", "scanner.detect.score", "scanner.detect.sealed.detector")

CANARY = Wanted(b"unsealed-canary-[0-9]{4}")
_NEVER = -1


class Made:
    """
    The parts of a plan that was made here and now.
    """

    def __init__(self, parts: Mapping[str, bytes]) -> None:
        self.parts = parts

    def read(self, name: str, *, summed: bool = False) -> bytes:  # noqa: ARG002 # nothing is to be checked
        """
        See `Reader.read`.
        """
        return self.parts[name]

    def mend(self) -> None:
        """
        See `Reader.mend`.
        """


class Plan:
    """
    Rules and first pass, ready to scan with; parts of it are read when they are asked for.
    """

    def __init__(self, parts: Reader, databases: Databases | None = None) -> None:
        """
        `databases` are those of the same parts, if somebody has loaded them already.
        """
        self.parts = parts
        self._databases = databases or Databases(parts)
        head = _load(parts, "head")
        self.digest: str = head["digest"]
        self.code: list[tuple[str, str]] = head["code"]
        self.rules = RuleTable(head["ids"], lambda: _load(parts, "rules"))
        self.named_code = self.code.index(NAMED) if NAMED in self.code else -1

    @cached_property
    def targets(self) -> list[Target]:
        """What each number that the first pass tells stands for."""
        targets: list[Target] = _load(self.parts, "targets")
        return targets

    @cached_property
    def widths(self) -> dict[int, tuple[int, int]]:
        """How far each rule's pattern reaches before and after a hit."""
        widths: dict[int, tuple[int, int]] = _load(self.parts, "widths")
        return widths

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
        return cls(cls.parts_of(rules, code=code, progress=progress))

    @staticmethod
    def parts_of(
        rules: Sequence[Rule],
        *,
        code: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Made:
        """
        Return the parts of the plan that `make` returns.
        """
        draft = _Draft(rules)
        draft.add_rules()
        draft.add_code(derivers=code)
        draft.add_keyed()
        compilation = compiling.Compilation(draft.wanted, draft.shards, progress=progress)
        parts = draft.parts()
        try:
            databases = compilation.result()
        except hyperscan.error as error:
            draft.blame(error)
            raise
        return Made({**parts, **draft.databases(databases)})

    @staticmethod
    def draft(rules: Sequence[Rule]) -> Sequence[tuple[Wanted, tuple[int, ...]]]:
        """
        Return the expressions that `rules` come to, each with the numbers of those that ask for it.
        """
        draft = _Draft(rules)
        draft.add_rules()
        draft.add_keyed()
        return list(zip(draft.wanted, draft.owners, strict=True))

    def databases(self) -> list[hyperscan.Database]:
        """
        Return the databases that look at every byte, loaded when first asked for.
        """
        return self._databases.early()

    def near_databases(self) -> list[hyperscan.Database]:
        """
        Return those of them whose expressions are near (see `scanner.ruleset.reach`).
        """
        return self._databases.near()

    def far_databases(self) -> list[hyperscan.Database]:
        """
        Return those of them whose expressions may reach far.
        """
        return self._databases.far()

    def late_database(self) -> hyperscan.Database | None:
        """
        Return the database of the common words, which looks at surroundings of hits only.
        """
        return self._databases.late()

    def keyed_matcher(self) -> keyed.KeyedMatcher:
        """
        Return a matcher for the keyed rules; one per thread.
        """
        groups = [[keyed.Pair(*pair) for pair in group] for group in _load(self.parts, "groups")]
        return keyed.KeyedMatcher(self.rules, groups)


def _expressions() -> bytes:
    """
    Return the rows of what the engine's modules ask of `expressions` when they are imported.
    """
    for name in _ENGINE:
        importlib.import_module(name)
    return expressions.rows_of_all()


def _load(parts: Reader, name: str) -> Any:
    return marshal.loads(parts.read(name))  # noqa: S302 # made here, or read from a cache with a keyed code


class _Draft:
    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self.wanted: list[Wanted] = []
        self.owners: list[tuple[int, ...]] = []
        self.targets: list[Target] = []
        self.code: list[tuple[str, str]] = []
        self.widths: dict[int, tuple[int, int]] = {}
        self.groups: list[list[tuple[Any, ...]]] = []
        self.shards: list[list[int]] = [[], [], [], []]
        for shard in range(len(self.shards)):
            self._add(CANARY._replace(number=self._told((CODE, 0, 0, _NEVER))), shard=shard)

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
            told = self._told((RULE, number, 0, ANYWHERE))
            self._add(Wanted(weak.pattern, weak.caseless, told), (number,))

    def add_keyed(self) -> None:
        # Words before one form of value are told by one number: then Hyperscan keeps what
        # comes behind the words once, in a third of the memory and half the time to compile.
        told: dict[tuple[str, int, str], int] = {}
        for pair in keyed.pairs(self._rules):
            for how, expression, shard in self._looked_for(pair):
                key = pair.value, pair.distance, how
                if key not in told:
                    told[key] = self._told((KEYED, len(self.groups), 0, ANYWHERE))
                    self.groups.append([])
                self.groups[self.targets[told[key]][1]].append(tuple(pair))
                self._add(Wanted(expression, caseless=True, number=told[key]), pair.rules, shard)

    def _looked_for(self, pair: keyed.Pair) -> Iterator[tuple[str, bytes, int]]:
        if NAMED in self.code and common(pair.word):
            yield "common", keyed.pair_expression(pair), COMMON_WORDS
            yield "bound", keyed.bound_expression(pair), RARE_WORDS
        else:
            yield "rare", keyed.pair_expression(pair), RARE_WORDS

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
            told = self._told((CODE, number, int(item.tag), int(within)))
            self._add(Wanted(item.pattern, item.caseless, told))

    def _tags_of(self, code: tuple[str, str]) -> dict[int, int]:
        if code not in self.code:
            return {}
        asked = CODE, self.code.index(code)
        return {
            number: target[2]
            for number, target in enumerate(self.targets)
            if target[:2] == asked and target[3] == ANYWHERE
        }

    def _told(self, target: Target) -> int:
        self.targets.append(target)
        return len(self.targets) - 1

    def _add(self, wanted: Wanted, owners: tuple[int, ...] = (), shard: int = MAIN) -> None:
        if shard != COMMON_WORDS and not is_near(wanted.pattern):
            shard = FAR
        self.shards[shard].append(len(self.wanted))
        self.wanted.append(wanted)
        self.owners.append(owners)

    def blame(self, error: Exception) -> None:
        """
        Raise a `RuleError` for the first rule that cannot be compiled by itself.
        """
        for wanted, owners in zip(self.wanted, self.owners, strict=True):
            if not owners or compiling.compile_problem(wanted) is None:
                continue
            rule = self._rules[owners[0]]
            problem = f"the first pass refuses it: {error}"
            raise RuleError(rule.origin, rule.id, problem) from error

    def databases(self, compiled: Sequence[bytes]) -> dict[str, bytes]:
        """
        Return the parts that the shards come to.
        """
        # Each shard has a canary; of one with nothing else no database is kept.
        return {
            database_part(shard): data if len(self.shards[shard]) > 1 else b""
            for shard, data in enumerate(compiled)
        }

    def parts(self) -> dict[str, bytes]:
        """
        Return all other parts of the plan.
        """
        table = RuleTable.of(self._rules)
        head = {
            "ids": list(table.ids),
            "digest": table.digest(),
            "code": self.code,
        }
        return {
            "head": marshal.dumps(head),
            EXPRESSIONS: _expressions(),
            NAMED_TAGS: marshal.dumps(self._tags_of(NAMED)),
            LIKELY: likely_code(),
            "targets": marshal.dumps(self.targets),
            "widths": marshal.dumps(self.widths),
            "groups": marshal.dumps(self.groups),
            "rules": marshal.dumps(list(table.packed)),
        }
