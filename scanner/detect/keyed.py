"""
Credentials known only by a word near a value: one mechanism for a thousand providers.

Each pair of word and value form is one expression of the first pass.  What it
hits is looked at once: where the value stands (the whole of an unbroken run),
whether the word is near enough, and whether one of the wanted names is between.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

import regex

from scanner.detect.confirm import SCORES
from scanner.detect.entropy import shannon
from scanner.detect.overlap import JUDGED, Found
from scanner.detect.placeholder import placeholder
from scanner.detect.texts import Source
from scanner.ruleset.expression import weaken
from scanner.ruleset.schema import Keyed, Rule
from scanner.ruleset.table import RuleTable

_EDGE_BEFORE = rb"(?<![A-Za-z0-9])"
_EDGE_AFTER = rb"(?![A-Za-z0-9_\-])"
_SEPARATOR = r"[ _.\-]?"
_TIMEOUT_S = 0.5


class Pair(NamedTuple):
    """
    One word before one form of value, and the rules (by number) that ask for it.
    """

    word: str
    value: str
    distance: int
    rules: tuple[int, ...]


def pairs(rules: Iterable[Rule]) -> list[Pair]:
    """
    Return the distinct pairs of all keyed rules, in a fixed order.
    """
    grouped: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, rule in enumerate(rules):
        if rule.keyed is None:
            continue
        for word in rule.keyed.words:
            members = grouped.setdefault((word.lower(), rule.keyed.value), [])
            members.append((number, rule.keyed.distance))
    return [
        Pair(
            word,
            value,
            max(distance for _, distance in members),
            tuple(number for number, _ in members),
        )
        for (word, value), members in sorted(grouped.items())
    ]


def expression(pair: Pair) -> bytes:
    """
    Return the first pass's expression for a pair (any case).
    """
    value = weaken(pair.value.encode()).pattern.decode()
    gap = f"(?:.{{0,{pair.distance - 1}}}[^A-Za-z0-9])"
    return f"{word_pattern(pair.word)}{gap}(?-i:{value})".encode()


def word_pattern(word: str) -> str:
    """
    Return a pattern for a word: its parts with ` `, `_`, `-`, `.` or nothing between.
    """
    parts = "".join(part if part.isalnum() else " " for part in word).split()
    return _SEPARATOR.join(parts)


class KeyedMatcher:
    """
    Looks at what the pairs' expressions hit.
    """

    def __init__(self, rules: RuleTable, pairs_: Sequence[Pair]) -> None:
        self._rules = rules
        self._pairs = pairs_
        self._values: dict[str, tuple[regex.Pattern[bytes], int]] = {}
        self._words: dict[str, regex.Pattern[bytes]] = {}

    def look(
        self, source: Source, hits: Sequence[tuple[int, int]], enabled: Container[int]
    ) -> list[Found]:
        """
        Return what the hits `(end, number of the pair)` in one document come to.
        """
        found: dict[tuple[int, int, int], Found] = {}
        for end, number in hits:
            pair = self._pairs[number]
            span = self._value(source.data, end, pair.value)
            if span is None:
                continue
            before = self._before(source.data, span[0], pair)
            if before is None:
                continue
            for rule in pair.rules:
                key = (rule, *span)
                if rule in enabled and key not in found:
                    item = self._found(source, rule, span, before, pair.word)
                    if item is not None:
                        found[key] = item
        return list(found.values())

    def _value(self, data: bytes, end: int, value: str) -> tuple[int, int] | None:
        known = self._values.get(value)
        if known is None:
            pattern = regex.compile(_EDGE_BEFORE + b"(?:" + value.encode() + b")" + _EDGE_AFTER)
            known = self._values[value] = (pattern, weaken(value.encode()).before)
        pattern, reach = known
        try:
            match = pattern.search(data, max(0, end - reach), end + 4096, timeout=_TIMEOUT_S)
        except TimeoutError:
            return None
        if match is None or match.start() >= end:
            return None
        return match.span()

    def _before(self, data: bytes, start: int, pair: Pair) -> bytes | None:
        """
        Return the text from behind the nearest word to the value, if one is near enough.
        """
        pattern = self._words.get(pair.word)
        if pattern is None:
            pattern = self._words[pair.word] = regex.compile(
                word_pattern(pair.word).encode(), regex.IGNORECASE | regex.REVERSE
            )
        low = max(0, start - pair.distance - len(pair.word) * 2)
        match = pattern.search(data, low, start)
        return None if match is None else data[match.end() : start]

    def _found(
        self, source: Source, number: int, span: tuple[int, int], before: bytes, word: str
    ) -> Found | None:
        rule = self._rules[number]
        keyed = rule.keyed
        if keyed is None or len(before) > keyed.distance or not _named(before, keyed):
            return None
        secret = source.data[span[0] : span[1]]
        if rule.entropy is not None and shannon(secret) < rule.entropy:
            return None
        if placeholder(secret) is not None or not rule.secret_part:
            return None
        return Found(
            source=source,
            rule=number,
            start=span[0],
            end=span[1],
            secret=secret,
            rank=JUDGED,
            score=SCORES[rule.confidence],
            reasons=(f"the word {word!r} stands before it",),
            words=(word,),
            waits=rule.judged,
            distance=len(before),
        )


def _named(before: bytes, keyed: Keyed) -> bool:
    lowered = before.lower()
    return not keyed.names or any(name.lower().encode() in lowered for name in keyed.names)
