"""
Rules whose shape proves little: their candidates go before the confidence score together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from scanner.detect.entropy import shannon
from scanner.detect.overlap import Found
from scanner.detect.registry import Evidence, Judge, Judgement, load_judge
from scanner.expressions import expression
from scanner.ruleset.schema import Rule
from scanner.ruleset.table import RuleTable

_BEFORE, _AFTER = 200, 100
_KEEP_FROM = 0.15
"""Below, a provider's word and some value stood near each other by chance."""

_LIKELY_BITS = 3.0
_BOUND = expression(
    rb"""[\w .-]{0,24}[\])"'`]{0,2}[ \t]{0,4}(?:=>|:=|==|=|:|->|,|\()?[ \t]{0,4}"""
    rb"""[brfu@]?["'`({]{0,2}"""
)
_BOUND_GAIN = 1.5
"""
What it adds to the logarithm of the odds that a value of the provider's own form is given to a
name with the provider's word in it: the score has not learned of forms.
"""

_NAMED = expression(rb"(?i)key|token|secret|passw|credential|private|access")
_NAMED_GAIN = 4.0
"""The same where that name says that it is a credential, and the word is a provider's alone."""

_SHAPE_GAIN = 1.0
"""The same for what a rule's own pattern found: it tells where a credential stands."""


class EntropyJudge:
    """
    A stand-in where no trained score is at hand: by entropy and mixture alone.
    """

    def judge(self, evidence: Sequence[Evidence]) -> list[Judgement]:
        """
        See `registry.Judge`.
        """
        return [self._one(item.value) for item in evidence]

    def _one(self, value: bytes) -> Judgement:
        digits = any(byte in b"0123456789" for byte in value)
        letters = any(byte not in b"0123456789-_." for byte in value)
        bits = shannon(value)
        if bits < _LIKELY_BITS or not digits:
            return Judgement(score=0.2, reasons=("little randomness",))
        return Judgement(score=0.6 if letters else 0.3, reasons=(f"{bits:.1f} bits a character",))


def settle_scores(found: Iterable[Found], rules: RuleTable) -> list[Found]:
    """
    Ask for the score of what waits for one; return all that is worth keeping.
    """
    items = list(found)
    waiting = [item for item in items if item.waits]
    if not waiting:
        return items
    judge: Judge = load_judge() or EntropyJudge()
    judgements = judge.judge([_evidence(item, rules) for item in waiting])
    for item, judgement in zip(waiting, judgements, strict=True):
        item.waits = False
        item.score = _raised(item, rules[item.rule], judgement.score)
        item.features = judgement.features
        item.reasons = (*item.reasons, *judgement.reasons)
    return [item for item in items if item.score >= _KEEP_FROM]


def _raised(item: Found, rule: Rule, score: float) -> float:
    """
    Return the score with what the rule's form adds to it.
    """
    if rule.pattern is not None:
        gain = _SHAPE_GAIN
    elif _BOUND.fullmatch(item.source.data, item.start - item.distance, item.start):
        named = _NAMED.search(item.source.data, item.start - item.distance, item.start)
        own = named is not None
        gain = _NAMED_GAIN if own else _BOUND_GAIN
    else:
        return score
    return score / (score + (1 - score) * math.exp(-gain))


def _evidence(item: Found, rules: RuleTable) -> Evidence:
    data = item.source.data
    return Evidence(
        value=item.secret or b"",
        before=data[max(0, item.start - _BEFORE) : item.start],
        after=data[item.end : item.end + _AFTER],
        path=item.source.document.path,
        rule=rules[item.rule],
        words=item.words,
    )
