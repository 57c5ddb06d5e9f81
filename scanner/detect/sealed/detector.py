"""
The sealed formats as a detector of the engine: every state but `sealed` and `reference` is a
match under the rule `FORMAT-STATE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scanner.detect.registry import Candidate, Expression, Text
from scanner.detect.sealed.registry import CHECKERS, Checker, named, seal_records
from scanner.model import Document, Match, Position, SealRecord

SOUND = ""
"""Stands for a rule where there is nothing to find: who asks for the past of sealed files wants
to know of sound ones too."""

_PUBLIC = 1_000
_PUBLICS = (
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----",
    rb"-----BEGIN (?:RSA )?PUBLIC KEY-----",
    rb"ssh-(?:rsa|ed25519|dss) AAAA",
    rb"ecdsa-sha2-nistp(?:256|384|521) AAAA",
)
_PUBLIC_TEXT = re.compile(
    rb"-----BEGIN (?P<kind>(?:TRUSTED )?CERTIFICATE|(?:RSA )?PUBLIC KEY)-----"
    rb"[A-Za-z0-9+/=\s\\]{40,16000}-----END (?P=kind)-----"
    rb"|(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp(?:256|384|521)) AAAA"
    rb"[A-Za-z0-9+/]{40,8000}={0,2}"
)
_LONGEST_START, _LONGEST_PUBLIC = 40, 16_100
_OPEN_KEY = "private-key-plaintext"
_OF_A_SAMPLE = 0.4
"""Below what is told by default: the file lies open, and what is in it opens nothing."""

_SAMPLE = "its values are those of a sample"
_QUIET = frozenset({"sealed", "reference"})
_START = 24  # bytes; every magic number ends within
_MAX_SIZE = 64 << 20  # bytes; larger documents are no manifests


def rule_id(record: SealRecord) -> str | None:
    """
    Return the rule under which a record is a finding; `None` if it is none.
    """
    return None if record.state in _QUIET else f"{record.format}-{record.state}"


class SealedDetector:
    """
    See `Detector`.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Detector.expressions`."""
        return [
            *(
                Expression(pattern=pattern, tag=tag)
                for tag, checker in enumerate(CHECKERS)
                for pattern in checker.literals
            ),
            *(
                Expression(pattern=pattern, tag=tag, within=_START)
                for tag, checker in enumerate(CHECKERS)
                for pattern in checker.starts
            ),
            *(Expression(pattern=pattern, tag=_PUBLIC) for pattern in _PUBLICS),
        ]

    def detect(self, texts: Sequence[Text]) -> Iterable[Candidate]:
        """
        See `Detector.detect`.
        """
        for text in texts:
            if len(text.data) > _MAX_SIZE:
                continue
            yield from _publics(text)
            if text.document.inner_path:
                continue
            if named(text.document.path):
                continue  # judged by its name, in `matches_by_name`, and whole
            tags = {tag for _, tag in text.hits} - {_PUBLIC}
            if not tags:
                continue
            checkers = [CHECKERS[tag] for tag in sorted(tags)]
            yield from self._candidates(text, checkers)

    def _candidates(self, text: Text, checkers: list[Checker]) -> Iterator[Candidate]:
        records = seal_records(text.data, text.document.path, checkers=checkers)
        for record in records:
            rule = rule_id(record)
            if rule == _OPEN_KEY and text.document.decoded:
                continue  # the key itself is found there; its file is told by its own format
            if rule is not None or record.state == "sealed":
                start, end = line_span(text.data, record.line)
                yield Candidate(
                    text=text,
                    rule_id=rule or SOUND,
                    start=start,
                    end=end,
                    secret=None,
                    score=_OF_A_SAMPLE if record.sample else 1.0,
                    reasons=(record.reason, *((_SAMPLE,) if record.sample else ())),
                    seal=replace(record, blob=text.document.blob),
                    proven=True,
                )


def _publics(text: Text) -> Iterator[Candidate]:
    for end, tag in text.hits:
        if tag != _PUBLIC:
            continue
        start = max(0, end - _LONGEST_START)
        for found in _PUBLIC_TEXT.finditer(text.data, start, end + _LONGEST_PUBLIC):
            if found.start() < end <= found.end():
                yield Candidate(
                    text=text, rule_id=SOUND, start=found.start(), end=found.end(), secret=None,
                    public=True,
                )  # fmt: skip
                break


def matches_by_name(data: bytes, document: Document) -> list[Match]:
    """
    Return the matches of a file that is judged by its name; none if it is not such a file.

    The first pass cannot call for these: their texts need not hold any literal.
    """
    if not named(document.path) or len(data) > _MAX_SIZE:
        return []
    found = []
    for record in seal_records(data, document.path):
        rule = rule_id(record)
        if rule is not None:
            start, end = line_span(data, record.line)
            width = len(data[start:end].decode("utf-8", "replace"))
            found.append(
                Match(
                    rule_id=rule,
                    secret=None,
                    document=document,
                    position=Position(record.line, 1, record.line, width + 1),
                    start=start,
                    end=end,
                    score=_OF_A_SAMPLE if record.sample else 1.0,
                    reasons=(record.reason, *((_SAMPLE,) if record.sample else ())),
                    seal=replace(record, blob=document.blob),
                    proven=True,
                )
            )
    return found


def line_span(data: bytes, line: int) -> tuple[int, int]:
    """
    Return the byte offsets of one line, from 1; at least one byte where there is any.
    """
    start = 0
    for _ in range(line - 1):
        following = data.find(b"\n", start)
        if following < 0:
            break
        start = following + 1
    end = data.find(b"\n", start)
    end = len(data) if end < 0 else end
    return start, max(end, min(start + 1, len(data)))


DETECTOR = SealedDetector()
