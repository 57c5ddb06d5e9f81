"""
Every rule against its own examples, through the real engine; and what it costs.
"""

from __future__ import annotations

import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hyperscan
import regex

from scanner.detect import compiling, first_pass
from scanner.detect.checksums import CHECKSUMS
from scanner.detect.engine import Engine
from scanner.detect.plan import Plan
from scanner.model import MEDIUM_FROM, Document, Match, Place
from scanner.ruleset.schema import Rule
from scanner.ruleset.templates import fill
from scanner.sources.batch import ListBatch

_SEEDS = 3
_SAMPLE_BYTES = 8 << 20
_MOST_EVENTS_A_MEGABYTE = 40.0
_LEAST_MEGABYTES_A_SECOND = 1_500.0


@dataclass(frozen=True, slots=True)
class Problem:
    """
    Why a rule fails.
    """

    origin: str
    rule_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.origin}: rule {self.rule_id!r}: {self.what}"


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What one rule costs the first pass when it runs alone over ordinary source code.
    """

    rule_id: str
    megabytes_a_second: float
    events_a_megabyte: float

    def __str__(self) -> str:
        return (
            f"{self.rule_id}  {self.megabytes_a_second:.0f} MB/s  "
            f"{self.events_a_megabyte:.2f} events/MB"
        )


@dataclass(frozen=True, slots=True)
class _Case:
    rule: Rule
    text: bytes
    template: str
    wanted: bool


def check_examples(rules: Sequence[Rule], chosen: Sequence[Rule]) -> list[Problem]:
    """
    Return what is wrong with the examples of `chosen`, with all `rules` at work.
    """
    problems: list[Problem] = []
    cases: list[_Case] = []
    for rule in chosen:
        if rule.detector is None and not rule.examples:
            problems.append(Problem(rule.origin, rule.id, "has no example"))
        for templates, wanted in ((rule.examples, True), (rule.counter_examples, False)):
            for template in templates:
                try:
                    cases += _cases(rule, template, wanted=wanted)
                except ValueError as error:
                    problems.append(Problem(rule.origin, rule.id, f"{template!r}: {error}"))
    plan = Plan.make(rules)
    found = _scan(Engine(plan), [case.text for case in cases])
    for case, matches in zip(cases, found, strict=True):
        what = _verdict(case, matches)
        if what is not None:
            problem = Problem(case.rule.origin, case.rule.id, f"{case.template!r}: {what}")
            if problem not in problems:
                problems.append(problem)
    return problems


def _cases(rule: Rule, template: str, *, wanted: bool) -> list[_Case]:
    makers = {name: checksum.make for name, checksum in CHECKSUMS.items()}
    seeds = range(_SEEDS if "{{" in template else 1)
    return [
        _Case(rule, fill(template, seed=seed, checksums=makers).encode(), template, wanted)
        for seed in seeds
    ]


def _scan(engine: Engine, texts: Sequence[bytes]) -> list[list[Match]]:
    documents = [
        Document(Place.FILE, path=f"example-{number}".encode()) for number in range(len(texts))
    ]
    matches: dict[bytes, list[Match]] = {}
    for match in engine.scanner().scan(ListBatch(list(zip(documents, texts, strict=True)))):
        matches.setdefault(match.document.path or b"", []).append(match)
    return [matches.get(document.path or b"", []) for document in documents]


def _verdict(case: _Case, matches: Sequence[Match]) -> str | None:
    rule = case.rule
    if not rule.secret_part:
        # A public id is no finding by itself, so its pattern is asked directly.
        seen = rule.pattern is not None and bool(regex.search(rule.pattern.encode(), case.text))
        if rule.pattern is None or seen == case.wanted:
            return None
        return "its pattern does not find this" if case.wanted else "its pattern finds this"
    own = [match for match in matches if match.rule_id == rule.id]
    if case.wanted and not own:
        others = ", ".join(sorted({match.rule_id for match in matches}))
        return f"is not found, but told as {others}" if others else "is not found"
    if not case.wanted and any(match.score >= MEDIUM_FROM for match in own):
        return "is found, and is a counter-example"
    return None


def check_speed(rules: Sequence[Rule], chosen: Sequence[Rule]) -> tuple[list[Cost], list[Problem]]:
    """
    Return the cost of each rule, the dearest first, and the rules that cost too much.
    """
    sample = _sample()
    wanted: dict[int, list[compiling.Wanted]] = {}
    for expression, owners in Plan.draft(rules):
        for rule_number in owners:
            wanted.setdefault(rule_number, []).append(expression)
    wanted_ids = {rule.id for rule in chosen}
    costs: list[Cost] = []
    problems: list[Problem] = []
    for rule_number, own in wanted.items():
        rule = rules[rule_number]
        if rule.id not in wanted_ids:
            continue
        cost = _cost(rule.id, own, sample)
        costs.append(cost)
        if cost.events_a_megabyte > _MOST_EVENTS_A_MEGABYTE:
            problems.append(Problem(rule.origin, rule.id, f"hits ordinary text too often: {cost}"))
        elif cost.megabytes_a_second < _LEAST_MEGABYTES_A_SECOND:
            problems.append(Problem(rule.origin, rule.id, f"slows the first pass: {cost}"))
    costs.sort(key=lambda cost: cost.megabytes_a_second)
    return costs, problems


def _cost(rule_id: str, wanted: Sequence[compiling.Wanted], sample: bytes) -> Cost:
    serialised = compiling.Compilation(wanted, [list(range(len(wanted)))]).result()[0]
    database = first_pass.load(serialised)
    scratch = hyperscan.Scratch(database)
    events = len(first_pass.FirstPass([database]).hits(sample))
    seconds = []
    for _ in range(3):
        before = time.thread_time()
        database.scan(sample, None, scratch=scratch)  # type: ignore[arg-type] # as its C code allows
        seconds.append(time.thread_time() - before)
    megabytes = len(sample) / 1e6
    return Cost(rule_id, megabytes / max(min(seconds), 1e-9), events / megabytes)


def _sample() -> bytes:
    """
    Return ordinary text that is on every machine: the standard library's source.
    """
    parts: list[bytes] = []
    size = 0
    for file in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if size >= _SAMPLE_BYTES:
            break
        part = file.read_bytes()
        parts.append(part)
        size += len(part)
    return b"".join(parts)[:_SAMPLE_BYTES]
