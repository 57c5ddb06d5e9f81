"""
The confidence score: how likely a candidate is a credential, as a calibrated probability.

`docs/model-card.md` says how it was trained and how it does.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Sequence

from scanner.detect.features import content_features
from scanner.detect.features_value import is_ordinary
from scanner.detect.features_words import path_features
from scanner.detect.generic_forms import Candidate, describe
from scanner.detect.generic_names import is_telling
from scanner.detect.registry import Evidence, Judgement
from scanner.detect.score_reasons import reasons
from scanner.detect.score_tables import Forest, load
from scanner.records import replace

KEEP_FROM = 0.05
"""Below this no path can lift a candidate into what is reported; it need not be kept."""

_ORDINARY = 0.1
"""
At most so likely is a value of ordinary words: the score has not learnt from such, as they are
left out before it is asked.
"""

_MEMORY = 20_000
"""Judgements that are remembered."""

_FEW = 1_000
"""
Up to so many candidates the plain way is faster than importing numpy would be (0.03 ms a
row; 60 ms).
"""


def score_candidates(candidates: Sequence[Candidate], path: bytes | None = None) -> list[float]:
    """
    Return the score of each candidate; all stand in the file `path`, if that is known.
    """
    tables = load().tables
    rows = [content_features(candidate, tables) for candidate in candidates]
    return score_rows(rows, [path] * len(rows))


def score(features: Sequence[float], path: bytes | None = None) -> float:
    """
    Return the score of one row of content features.
    """
    return score_rows([features], [path])[0]


def rescore(match_features: Sequence[float], path: bytes) -> float:
    """
    Return the score of a match once its path is known, from what `Match.features` holds.
    """
    return score(match_features, path)


def score_rows(rows: Sequence[Sequence[float]], paths: Sequence[bytes | None]) -> list[float]:
    """
    Return the score of each row of content features, each with the path of its file or `None`.
    """
    weights = load()
    few = len(rows) <= _FEW and "numpy" not in sys.modules
    scores = [0.0] * len(rows)
    for forest, known in ((weights.content, False), (weights.whole, True)):
        chosen = [index for index, path in enumerate(paths) if (path is not None) is known]
        if not chosen:
            continue
        full = [(*rows[index], *_of_path(paths[index])) for index in chosen]
        totals = plain_sums(forest, full) if few else _vector_sums(forest, full)
        for index, total in zip(chosen, totals, strict=True):
            scores[index] = _level(forest, total)
    return scores


def _of_path(path: bytes | None) -> tuple[float, ...]:
    return () if path is None else path_features(path)


def plain_sums(forest: Forest, rows: Sequence[Sequence[float]]) -> list[float]:
    """
    Return the raw sum of each row without numpy; equal to `score_vectors.sums`.
    """
    return [_sum(forest, row) for row in rows]


def _vector_sums(forest: Forest, rows: Sequence[Sequence[float]]) -> list[float]:
    from scanner.detect.score_vectors import sums  # noqa: PLC0415  # the hook must not pay for numpy

    return sums(forest, rows)


def _sum(forest: Forest, row: Sequence[float]) -> float:
    nodes, leaf = forest.nodes(), forest.leaf
    total = 0.0
    for root in forest.roots:
        node = root
        while node >= 0:
            feature, threshold, left, right = nodes[node]
            node = left if row[feature] <= threshold else right
        total += leaf[~node]
    return total


def _level(forest: Forest, total: float) -> float:
    """
    Return the probability for a raw sum: linear between the knots of the calibration.
    """
    knots, levels = forest.knots, forest.levels
    after = bisect_right(knots, total)
    if after == 0:
        return levels[0]
    if after == len(knots):
        return levels[-1]
    low, high = knots[after - 1], knots[after]
    share = (total - low) / (high - low) if high > low else 0.0
    return levels[after - 1] + share * (levels[after] - levels[after - 1])


class ScoreJudge:
    """
    The score as the engine asks for it: for what a rule of a pack found and cannot prove.
    """

    def __init__(self) -> None:
        # The versions of one file put the same evidence forward again and again.
        self._remembered: dict[tuple[object, ...], Judgement] = {}

    def judge(self, evidence: Sequence[Evidence]) -> Sequence[Judgement]:
        """
        See `registry.Judge.judge`.
        """
        if len(self._remembered) > _MEMORY:
            self._remembered.clear()
        asked = [_question(item) for item in evidence]
        # Threads share it: what one asks for another may be clearing away.
        known = {key: told for key in asked if (told := self._remembered.get(key)) is not None}
        fresh = {key: item for key, item in zip(asked, evidence, strict=True) if key not in known}
        known.update(zip(fresh, self._fresh(list(fresh.values())), strict=True))
        self._remembered.update((key, known[key]) for key in fresh)
        return [known[key] for key in asked]

    def _fresh(self, evidence: Sequence[Evidence]) -> list[Judgement]:
        tables = load().tables
        rows = []
        for item in evidence:
            before, line = _line_of(item)
            candidate = describe(line, len(before), len(before) + len(item.value))
            if item.words and not is_telling(candidate.name):
                # The provider's word tells as much as a name would.
                candidate = replace(candidate, name=candidate.name + b"_api_key")
            rows.append(content_features(candidate, tables))
        scores = [
            min(score, _ORDINARY) if not item.words and is_ordinary(item.value, tables) else score
            for item, score in zip(
                evidence, score_rows(rows, [item.path for item in evidence]), strict=True
            )
        ]
        return [
            Judgement(score=score, reasons=reasons(row), features=row)
            for score, row in zip(scores, rows, strict=True)
        ]


def _line_of(item: Evidence) -> tuple[bytes, bytes]:
    before = item.before.rpartition(b"\n")[2]
    return before, before + item.value + item.after.partition(b"\n")[0]


def _question(item: Evidence) -> tuple[object, ...]:
    before, line = _line_of(item)
    return line, len(before), len(item.value), item.path, bool(item.words)


JUDGE = ScoreJudge()
