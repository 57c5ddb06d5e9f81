"""
Credentials known only by a word near a value: one mechanism for a thousand providers.

Each pair of word and value form is one expression of the first pass; pairs of one
form make a group, and a hit says which group.  What it hits is looked at once: where
the value stands (the whole of an unbroken run), which of the group's words is near
enough, and whether one of the wanted names is between.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from scanner.detect.confirm import SCORES
from scanner.detect.entropy import shannon
from scanner.detect.larger import piece_of_larger
from scanner.detect.overlap import JUDGED, Found
from scanner.detect.patterns import compiled
from scanner.detect.placeholder import placeholder
from scanner.detect.texts import Source
from scanner.expressions import expression
from scanner.ruleset.expression import weaken
from scanner.ruleset.schema import Keyed, Rule
from scanner.ruleset.table import RuleTable

_EDGE_BEFORE = rb"(?<![A-Za-z0-9+])"
_EDGE_AFTER = rb"(?!={0,2}[A-Za-z0-9_\-+]|={3})"
"""What may follow: base64's padding is no part of every form, and does not make another of it."""

_AFTER = 4
"""Bytes behind a value that are looked at."""

_SEPARATOR = r"[ _.\-]?"
_BETWEEN_PARTS = b" _.-"
"""What `_SEPARATOR` fits."""

_TIMEOUT_S = 0.5
_WIDEST = 2_048
_AHEAD = 24
"""Bytes before a word that may hold one of the wanted names: `<secret>{box …`."""

_SUFFIX = r"(?:[ _.\-]?(?:io|ai|com|app|co|api|crm))?"
"""What the same provider's name may go on with."""

_BINDING = expression(
    rb"""(?i:[ _.\-]?(?:io|ai|com|app|co|api|crm))?"""
    rb"""(?:_?\d{1,2})?["'`\])]{0,2}[ \t]*"""
    rb"""(?:=>|:=|==|=|:(?:[ \t]*\r?\n){0,2}|->|,)?[ \t]*[brfu@]?["'`({]{0,2}"""
)
_GIVEN = r"[\"'`]?(?:[ \t]{0,2}[:=]\s{0,4}[\"'`]?|[ \t][\"'`])"
_MEMO_ENTRIES = 20_000
_CREDENTIAL = expression(rb"(?i)key|token|secret|private|access")
_LEAST_BITS = 2.5
_IDENTIFIER = expression(
    rb"(?:[A-Z]{2,}|[a-z]{2,})\d?(?:_(?:[A-Z]{2,}|[a-z]{2,})\d?)+"
    rb"|[A-Z]?[a-z]{3,}\d?(?:-[a-z]{3,}\d?){2,}"
    rb"|[A-Z]?[a-z]{3,}\d?(?:[A-Z]{1,4}[a-z]{2,}\d?){2,}"
    rb"|(?:\d{1,4}[hlmqtvzHLMQTVZ]{1,2}){3,}\d{0,4}"
)
"""
The name of a variable, a package or a class, and a path of SVG: chance makes no value of such
parts.
"""

_DIGIT = expression(rb"[0-9]")
_HEX = expression(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_OBJECT = expression(
    rb"""(?ix) (?:\A|[^a-z]) (?:sha-?\d{0,3} | commits? | rev(?:ision)? | digest | checksum | etag
      | (?<!api)(?<!api[_-])(?<!app[_-])hash | blob | tree | integrity | fingerprint )
    (?:[_-]?(?:id|sum|sha|hash))? ["'`]{0,2} \s{0,4} (?:=>|:=|[:=]) \s{0,4} ["'`]? \Z
  | /(?:blobs?|commits?|trees?|compare|raw|src|archive)/ \Z"""
)
"""Digests and the names of git objects say so, whoever's word stands near them."""

_WHOLE_NAMES = {
    "pat": r"(?<![a-z])pats?(?![a-z])",
    "auth": r"auth(?!or(?!iz))",
    "pass": r"pass(?!ed|es|ing|iv)",
}
"""Names that are the beginning of common words too."""


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


def pair_expression(pair: Pair) -> bytes:
    """
    Return the first pass's expression for a pair (any case).
    """
    value = weaken(pair.value.encode(), head=False).pattern.decode()
    gap = f"(?:.{{0,{pair.distance - 1}}}[^A-Za-z0-9])"
    return f"{word_pattern(pair.word)}{gap}(?-i:{value})".encode()


def bound_expression(pair: Pair) -> bytes:
    """
    Return the expression for a value that is given to the word itself, as in `word = value`.
    """
    value = weaken(pair.value.encode(), head=False).pattern.decode()
    word = word_pattern(pair.word)
    return f"(?:^|[^A-Za-z0-9]){word}{_SUFFIX}{_GIVEN}(?-i:{value})".encode()


def word_pattern(word: str) -> str:
    """
    Return a pattern for a word: its parts with ` `, `_`, `-`, `.` or nothing between.
    """
    return _SEPARATOR.join(_parts(word))


def _parts(word: str) -> list[str]:
    return "".join(part if part.isalnum() else " " for part in word).split()


def _letters(word: str) -> bytes:
    return "".join(_parts(word)).lower().encode()


class _Spot(NamedTuple):
    """
    A value of one rule, by offsets from the end of the hit that led to it.
    """

    rule: int
    start: int
    end: int
    distance: int
    word: str


class KeyedMatcher:
    """
    Looks at what the pairs' expressions hit.
    """

    def __init__(self, rules: RuleTable, groups: Sequence[Sequence[Pair]]) -> None:
        """
        The pairs of a group have their value and distance in common.
        """
        self._rules = rules
        self.groups = groups
        # The most that a word may measure, and each word without what may stand in it.
        self._longest = [2 * max(len(pair.word) for pair in group) for group in groups]
        self._letters = [[(_letters(pair.word), pair) for pair in group] for group in groups]
        self._values: dict[str, tuple[Any, int, int]] = {}
        self._words: dict[str, Any] = {}
        self._reaches: dict[int, tuple[int, int]] = {}
        self._names: dict[tuple[str, ...], re.Pattern[bytes]] = {}
        # The next version of a file brings the same text around the same hit.
        self._memo: dict[tuple[int, bytes, int], tuple[_Spot, ...]] = {}

    def look(
        self, source: Source, hits: Sequence[tuple[int, int]], enabled: Container[int]
    ) -> list[Found]:
        """
        Return what the hits `(end, number of the group)` in one document come to.
        """
        data = source.data
        found: dict[tuple[int, int, int], Found] = {}
        pieces: dict[tuple[int, int], bool] = {}
        memo = self._memo
        for end, number in hits:
            before, after = self._reach(number)
            low = end - before if end > before else 0
            around = data[low : end + after]
            # Near either end of a document two hits may share all the text around them.
            key = (number, around, end - low)
            spots = memo.get(key)
            if spots is None:
                if len(memo) >= _MEMO_ENTRIES:
                    memo.clear()
                spots = tuple(self._spots(around, end - low, number))
                memo[key] = spots
            for spot in spots:
                where = (spot.rule, end + spot.start, end + spot.end)
                if spot.rule not in enabled or where in found:
                    continue
                span = where[1:]
                if span not in pieces:
                    pieces[span] = piece_of_larger(data, *span)
                if not pieces[span]:
                    found[where] = self._found(source, where, spot.distance, spot.word)
        return list(found.values())

    def _reach(self, number: int) -> tuple[int, int]:
        """
        Return how far around a hit of a group its value and its words are looked for.
        """
        known = self._reaches.get(number)
        if known is None:
            pair = self.groups[number][0]
            _, reach, width = self._value_pattern(pair.value)
            before = reach + pair.distance + self._longest[number] + _AHEAD + 1
            known = self._reaches[number] = before, width + _AFTER
        return known

    def _spots(self, data: bytes, end: int, group: int) -> Iterator[_Spot]:
        span = self._value(data, end, self.groups[group][0].value)
        if span is None:
            return
        secret = data[span[0] : span[1]]
        if placeholder(secret) is not None or _IDENTIFIER.fullmatch(secret):
            return
        # A group may have a hundred words: most are ruled out without a search.
        before = data[: span[0]].lower().translate(None, _BETWEEN_PARTS)
        for letters, pair in self._letters[group]:
            if letters in before:
                yield from self._spots_of(data, end, pair, span)

    def _spots_of(
        self, data: bytes, end: int, pair: Pair, span: tuple[int, int]
    ) -> Iterator[_Spot]:
        secret = data[span[0] : span[1]]
        word = self._word(data, span[0], pair)
        if word is None:
            return
        before = data[word[1] : span[0]]
        if _HEX.fullmatch(secret) and _OBJECT.search(before):
            return
        ahead = data[max(0, word[0] - _AHEAD) : word[0]].rpartition(b"\n")[2]
        for number in pair.rules:
            rule = self._rules[number]
            keyed = rule.keyed
            if keyed is None or len(before) > keyed.distance:
                continue
            named = self._name_pattern(keyed)
            if not (named.search(before) or _BINDING.fullmatch(before) or named.search(ahead)):
                continue
            if rule.entropy is not None and shannon(secret) < _floor(rule.entropy, before):
                continue
            if rule.secret_part:
                yield _Spot(number, span[0] - end, span[1] - end, len(before), pair.word)

    def _value_pattern(self, value: str) -> tuple[Any, int, int]:
        """
        Return a value's pattern, and how far it reaches before and after a hit.
        """
        known = self._values.get(value)
        if known is None:
            pattern = compiled(_EDGE_BEFORE + b"(?:" + value.encode() + b")" + _EDGE_AFTER)
            weak = weaken(value.encode())
            known = pattern, min(weak.before, _WIDEST), min(weak.width, _WIDEST)
            self._values[value] = known
        return known

    def _name_pattern(self, keyed: Keyed) -> re.Pattern[bytes]:
        """
        Return a pattern for the names that a rule wants; of no names, one that is everywhere.
        """
        known = self._names.get(keyed.names)
        if known is None:
            names = [
                _WHOLE_NAMES.get(name, re.escape(name)) for name in map(str.lower, keyed.names)
            ]
            known = self._names[keyed.names] = re.compile("|".join(names).encode(), re.IGNORECASE)
        return known

    def _value(self, data: bytes, end: int, value: str) -> tuple[int, int] | None:
        pattern, reach, width = self._value_pattern(value)
        low = max(0, end - reach)
        try:
            match = pattern.search(data, low, end + width + _AFTER, timeout=_TIMEOUT_S)
        except TimeoutError:
            return None
        if match is None or match.start() >= end:
            return None
        ahead = data[max(0, match.start() - 1) : match.start()]
        if ahead == b"@" and _HEX.fullmatch(match[0]):
            return None  # `actions/checkout@…`: a commit
        if ahead == b"?":
            return None  # the rest of a longer value, or of a query
        span: tuple[int, int] = match.span()
        return span

    def _word(self, data: bytes, start: int, pair: Pair) -> tuple[int, int] | None:
        """
        Return where the nearest word before a value stands, if one is near enough.
        """
        low = max(0, start - pair.distance - len(pair.word) * 2)
        if pair.word.isalnum():
            # Nearly all are one part, and need no pattern: to compile one costs more than it finds.
            plain = pair.word.encode()
            at = data[low:start].lower().rfind(plain)
            return None if at < 0 else (low + at, low + at + len(plain))
        pattern = self._words.get(pair.word)
        if pattern is None:
            pattern = self._words[pair.word] = compiled(word_pattern(pair.word), "ir")
        match = pattern.search(data, low, start)
        if match is None:
            return None
        span: tuple[int, int] = match.span()
        return span

    def _found(self, source: Source, key: tuple[int, int, int], distance: int, word: str) -> Found:
        number, start, end = key
        rule = self._rules[number]
        return Found(
            source=source,
            rule=number,
            start=start,
            end=end,
            secret=source.data[start:end],
            rank=JUDGED,
            score=SCORES[rule.confidence],
            reasons=(f"the word {word!r} stands before it",),
            words=(word,),
            # Without a digit it may be a name in camel case, however rare the word.
            waits=rule.judged or not _DIGIT.search(source.data, start, end),
            distance=distance,
        )


def _floor(entropy: float, before: bytes) -> float:
    """
    Return the floor for a value that stands behind `before`: lower where a name says what it is.
    """
    return min(entropy, _LEAST_BITS) if _CREDENTIAL.search(before) else entropy
