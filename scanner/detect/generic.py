"""
Credentials without a shape: from the hits of the first pass to the candidates of their lines,
and their score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from scanner.detect import registry
from scanner.detect.features import content_features
from scanner.detect.features_value import is_ordinary
from scanner.detect.generic_forms import Candidate, Form, values_on
from scanner.detect.generic_lines import windows
from scanner.detect.generic_triggers import EXPRESSIONS
from scanner.detect.score import KEEP_FROM, score_rows
from scanner.detect.score_reasons import reasons
from scanner.detect.score_tables import load
from scanner.expressions import expression

_MEMORY = 40_000
"""Lines whose judgement is remembered: the versions of one file share most of theirs."""


_KINDS = (
    ("generic-password", expression(rb"(?i)pass|pwd|\bpw|kennwort|securestring|identified")),
    ("generic-token", expression(rb"(?i)token|bearer|jwt|session|cookie|[cx]srf")),
    ("generic-api-key", expression(rb"(?i)api[_.-]?key|access[_.-]?key|app(?:lication)?[_.-]?key")),
    ("generic-authorization", expression(rb"(?i)auth|basic|ntlm|digest")),
    ("generic-salt", expression(rb"(?i)salt|nonce|seed")),
    (
        "generic-secret",
        expression(rb"(?i)secret|cred|key|private|cipher|encrypt|sign|hmac|otp|pin"),
    ),
)


def kind_of(candidate: Candidate) -> str:
    """
    Return the id of the rule (of `rules/generic.yml`) that a candidate is reported under.
    """
    if candidate.form is Form.URL:
        return "generic-url-password"
    for rule_id, pattern in _KINDS:
        if pattern.search(candidate.name):
            return rule_id
    return "generic-secret"


Judged = tuple[Candidate, tuple[float, ...], float]


class GenericDetector:
    """
    See `registry.Detector`.
    """

    expressions = EXPRESSIONS

    def __init__(self) -> None:
        # What a line says does not depend on where it stands, so forgetting is always safe.
        self._remembered: dict[bytes, tuple[Judged, ...]] = {}

    def detect(self, texts: Sequence[registry.Text]) -> Iterable[registry.Candidate]:
        """
        See `registry.Detector.detect`.
        """
        places: list[tuple[registry.Text, int, bytes]] = []
        for text in texts:
            data = text.data
            places += [(text, begin, data[begin:end]) for begin, end in windows(data, text.hits)]
        judged = self._judge({line for _, _, line in places})
        found: list[tuple[registry.Text, int, Judged]] = []
        seen: set[tuple[int, int]] = set()
        for text, begin, line in places:
            for item in judged[line]:
                key = id(text), begin + item[0].start
                if key not in seen:
                    seen.add(key)
                    found.append((text, begin, item))
        return self._with_paths(found)

    def _judge(self, lines: set[bytes]) -> dict[bytes, tuple[Judged, ...]]:
        if len(self._remembered) > _MEMORY:
            self._remembered.clear()
        # Threads share it: what one asks for another may be clearing away.
        known = {line: told for line in lines if (told := self._remembered.get(line)) is not None}
        fresh = [line for line in lines if line not in known]
        tables = load().tables
        read = [(line, item) for line in fresh for item in values_on(line)]
        read = [(line, item) for line, item in read if not is_ordinary(item.value, tables)]
        rows = [content_features(item, tables) for _, item in read]
        grouped: dict[bytes, list[Judged]] = {line: [] for line in fresh}
        for (line, item), row, score in zip(
            read, rows, score_rows(rows, [None] * len(rows)), strict=True
        ):
            if score >= KEEP_FROM / 5:
                grouped[line].append((item, row, score))
        for line, items in grouped.items():
            known[line] = tuple(items)
        self._remembered.update((line, known[line]) for line in fresh)
        return known

    def _with_paths(
        self, found: list[tuple[registry.Text, int, Judged]]
    ) -> Iterator[registry.Candidate]:
        paths = [text.document.path for text, _, _ in found]
        scores = [item[2] for _, _, item in found]
        named = [index for index, path in enumerate(paths) if path is not None]
        rows = [found[index][2][1] for index in named]
        for index, score in zip(
            named, score_rows(rows, [paths[index] for index in named]), strict=True
        ):
            scores[index] = score
        for (text, begin, (item, row, _)), score in zip(found, scores, strict=True):
            if score < KEEP_FROM:
                continue
            yield registry.Candidate(
                text=text,
                rule_id=kind_of(item),
                start=begin + item.start,
                end=begin + item.end,
                secret=item.value,
                score=score,
                reasons=reasons(row),
                features=row,
                generic=True,
            )


DETECTOR = GenericDetector()
