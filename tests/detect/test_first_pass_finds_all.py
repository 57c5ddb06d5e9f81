"""
The first pass loses nothing: wherever a rule's own pattern matches, run alone by `regex`, the
database of all rules has a hit that ends within the match.

Hyperscan was seen to lose matches (behind a class before an unbounded class and a literal), and
a weakening that is right for a pattern by itself may be wrong where something is put before it.
"""

from __future__ import annotations

import itertools
import random
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import regex

from scanner.detect.engine import Engine
from scanner.detect.first_pass import FirstPass
from scanner.detect.keyed import Pair, word_pattern
from scanner.detect.plan import KEYED, RULE
from scanner.ruleset.loading import load_rules
from scanner.ruleset.schema import Rule
from scanner.ruleset.shipped import shipped_packs
from tests.lookalikes import fill

pytestmark = pytest.mark.slow

RULES = load_rules([shipped_packs()])
SEEDS = range(4)
AROUND = (
    b"\n",
    b" ",
    b'"',
    b"'",
    b"=",
    b": ",
    b",",
    b";",
    b"\t",
    b"(",
    b">",
    b"\r\n",
    b"\\n",
    b"/",
)
REAL_BYTES = 400_000
_CHECKED = re.compile(r"\{\{checksum:")
_SEPARATORS = (b"_", b"-", b".", b" ", b"", b"_API_KEY=", b" token: '", b'Key": "', b" => ", b"=")


def _generated(rule: Rule) -> Iterator[bytes]:
    """
    Yield the rule's own examples and counter-examples, each several times, in changing company.
    """
    generator = random.Random(rule.id)
    for template, seed in itertools.product((*rule.examples, *rule.counter_examples), SEEDS):
        if not _CHECKED.search(template):
            text = fill(template, seed=seed).encode()
            yield generator.choice(AROUND) + text + generator.choice(AROUND)


def _real() -> bytes:
    """
    Return real text: the standard library's own, the same for one Python.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    names = sorted(folder.glob("*.py")) + sorted((folder / "email").glob("*.py"))
    return b"\n".join(name.read_bytes() for name in names)[:REAL_BYTES]


class Everything:
    """
    All databases of the shipped rules, that of the common words too.
    """

    def __init__(self) -> None:
        self.plan = Engine.from_rules(RULES).plan
        late = self.plan.late_database()
        assert late is not None
        self._pass = FirstPass([*self.plan.databases(), late])

    def hits(self, text: bytes, kind: int) -> dict[int, list[int]]:
        """
        Return where the hits of one kind end, by the number of what they are for.
        """
        found: dict[int, list[int]] = {}
        for end, number in self._pass.hits(text):
            target = self.plan.targets[number]
            if target[0] == kind:
                found.setdefault(target[1], []).append(end)
        return found


@pytest.fixture(scope="module")
def everything() -> Everything:
    return Everything()


def _lost(everything: Everything, text: bytes, rules: dict[int, Rule]) -> list[tuple[str, bytes]]:
    hits = everything.hits(text, RULE)
    lost = []
    for number, rule in rules.items():
        ends = hits.get(number, [])
        lost += [
            (rule.id, match[0][:60])
            for match in regex.finditer((rule.pattern or "").encode(), text, timeout=20)
            if not any(match.start() < end <= match.end() for end in ends)
        ]
    return lost


def test_every_pattern_is_hit_in_generated_text(everything: Everything):
    lost = []
    for number, rule in enumerate(RULES):
        if rule.pattern is not None:
            lost += _lost(everything, b"".join(_generated(rule)), {number: rule})
    assert lost == []


def test_every_pattern_is_hit_in_real_text(everything: Everything):
    rules = {number: rule for number, rule in enumerate(RULES) if rule.pattern is not None}
    # Real text holds next to nothing: look-alikes of every tenth rule stand in it.
    planted = [b"".join(_generated(rule)) for rule in list(rules.values())[::10]]
    lines = _real().split(b"\n")
    step = len(lines) // len(planted)
    for index, text in enumerate(planted):
        lines.insert(index * (step + 1), text)
    assert _lost(everything, b"\n".join(lines), rules) == []


def test_every_pair_of_word_and_value_is_hit(everything: Everything):
    """
    What stands behind a word, over the gap that the rule allows, is told by the pair's hit.
    """
    matcher = everything.plan.keyed_matcher()
    lost = []
    # A common word is in two groups: that of what may stand apart and that of what is given to it.
    groups: dict[Pair, list[int]] = {}
    for number, group in enumerate(matcher.groups):
        for pair in group:
            groups.setdefault(pair, []).append(number)
    for pair, numbers in groups.items():
        rule = RULES[pair.rules[0]]
        text = b"\n".join(_near_the_word(pair.word, pair.value, rule))
        pattern = (
            rf"(?is:{word_pattern(pair.word)}.{{0,{pair.distance - 1}}}[^A-Za-z0-9])"
            rf"(?<![A-Za-z0-9+])(?P<value>{pair.value})(?![A-Za-z0-9_\-+=])"
        )
        hits = everything.hits(text, KEYED)
        ends = [end for number in numbers for end in hits.get(number, [])]
        for match in regex.finditer(pattern.encode(), text, timeout=20):
            start, end = match.span("value")
            if not any(start < hit <= end for hit in ends):
                lost.append((rule.id, pair.word, match[0][:80]))
    assert lost == []


def _near_the_word(word: str, value: str, rule: Rule) -> Iterator[bytes]:
    generator = random.Random(f"{word} {value}")
    spellings = (word, word.upper(), word.title().replace(" ", ""), word.replace(" ", "_"))
    for text in _generated(rule):
        yield text
        for match in itertools.islice(regex.finditer(value.encode(), text), 2):
            name = generator.choice(spellings).encode()
            yield name + generator.choice(_SEPARATORS) + match[0]
            yield name + b"." * generator.randrange(1, 30) + b'"' + match[0] + b'"'
