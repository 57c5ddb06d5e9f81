"""
From a hit of the first pass to a confirmed candidate of one rule, within one document.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scanner.detect.entropy import shannon
from scanner.detect.patterns import checksum, companions, compiled
from scanner.detect.placeholder import placeholder
from scanner.detect.well_known import well_known
from scanner.model import Confidence
from scanner.ruleset.schema import Rule

WINDOW = 4_096
"""How far a pattern without a bound of its own is followed from a hit, before and after."""

_SLACK = 128
_GROWTH = 16
_LONGEST = 1 << 20
_TIMEOUT_S = 0.5
_MEMO_ENTRIES = 8_192
SCORES = {Confidence.HIGH: 0.95, Confidence.MEDIUM: 0.65, Confidence.LOW: 0.3}
_WRONG_CHECKSUM = 0.5
_PROVEN = 0.99


class Confirmed(NamedTuple):
    """
    A candidate that a rule's pattern and checks let pass.
    """

    start: int
    end: int
    secret: bytes
    score: float
    reasons: tuple[str, ...]
    proven: bool


class PatternTimeoutError(Exception):
    """
    A pattern ran away.
    """


class Confirmer:
    """
    One rule's pattern and checks.
    """

    __slots__ = ("_after", "_before", "_companions", "_memo", "_pattern", "_reach", "rule")

    def __init__(self, rule: Rule, before: int, width: int) -> None:
        self.rule = rule
        self._before = min(before, WINDOW)
        self._after = min(width, WINDOW) + _SLACK
        self._pattern = compiled(rule.pattern or "")
        # The others are looked for once it is settled that the match counts.
        self._companions = companions(rule, required_only=True)
        self._reach = max(
            [_SLACK]
            + ([rule.context_distance] if rule.context else [])
            + ([self._companions.reach + WINDOW] if self._companions else [])
        )
        self._memo: dict[tuple[bytes, int, bool], tuple[Confirmed | None, int]] = {}

    def confirm(self, data: bytes, hit: int, floor: int) -> tuple[Confirmed | None, int]:
        """
        Return what stands at a hit that ends at `hit`, and where the pattern's match
        ends: hits up to there are its own.  Nothing before `floor` counts.

        The same text around a hit (the next version of a file) is looked at once.
        """
        start = max(floor, hit - self._before)
        low = max(0, start - self._reach)
        high = hit + self._after + self._reach
        key = (data[low:high], start - low, low == 0)
        known = self._memo.get(key)
        if known is None:
            known = self._confirm(data, hit, start, low)
            if known[1] > high - low:
                return _moved(known, low)  # it looked beyond the remembered text
            if len(self._memo) >= _MEMO_ENTRIES:
                self._memo.clear()
            self._memo[key] = known
        return _moved(known, low)

    def _confirm(self, data: bytes, hit: int, start: int, low: int) -> tuple[Confirmed | None, int]:
        while True:
            match = self._match(data, hit, start)
            if match is None:
                return None, 0
            confirmed = self._checked(data, match)
            if confirmed is not None or match.end() >= hit:
                break
            start = match.end()
        if confirmed is not None:
            confirmed = confirmed._replace(start=confirmed.start - low, end=confirmed.end - low)
        return confirmed, match.end() - low

    def _match(self, data: bytes, hit: int, start: int) -> Any:
        reach = self._after
        while True:
            stop = min(len(data), hit + reach)
            try:
                match = self._pattern.search(data, start, stop, timeout=_TIMEOUT_S)
            except TimeoutError as error:
                raise PatternTimeoutError(self.rule.id) from error
            if match is None or match.end() < stop or stop == len(data) or reach > _LONGEST:
                return match
            # It ends where the window does: perhaps the text goes on.
            reach *= _GROWTH

    def _checked(self, data: bytes, match: Any) -> Confirmed | None:
        rule = self.rule
        start, end = match.span("secret")
        if start < 0:
            return None
        secret = data[start:end]
        score, proven = SCORES[rule.confidence], False
        reasons: tuple[str, ...] = ()
        if rule.checksum is not None:
            fits = checksum(rule.checksum).fits(secret)
            if fits:
                score, reasons, proven = _PROVEN, ("its checksum fits",), True
            elif fits is False:
                score, reasons = min(score, _WRONG_CHECKSUM), ("its checksum does not fit",)
        if not proven and not self._plausible(secret):
            return None
        if rule.context and not self._in_context(data, match.start(), match.end()):
            return None
        if not self._has_companions(data, match.start(), match.end()):
            return None
        return Confirmed(start, end, secret, score, reasons, proven)

    def _plausible(self, secret: bytes) -> bool:
        floor = self.rule.entropy
        if floor is not None and shannon(secret) < floor:
            return False
        if well_known(secret):
            return False
        # What the rule itself demands says nothing: some prefixes repeat one letter.
        for anchor in self.rule.anchors:
            secret = secret.replace(anchor.encode(), b"")
        return placeholder(secret) is None

    def _in_context(self, data: bytes, start: int, end: int) -> bool:
        distance = self.rule.context_distance
        around = data[max(0, start - distance) : end + distance].lower()
        return any(word.lower().encode() in around for word in self.rule.context)

    def _has_companions(self, data: bytes, start: int, end: int) -> bool:
        try:
            return self._companions is None or self._companions.near(data, start, end) is not None
        except TimeoutError as error:
            raise PatternTimeoutError(self.rule.id) from error


def _moved(known: tuple[Confirmed | None, int], by: int) -> tuple[Confirmed | None, int]:
    confirmed, end = known
    if confirmed is None:
        return None, end + by
    return confirmed._replace(start=confirmed.start + by, end=confirmed.end + by), end + by
