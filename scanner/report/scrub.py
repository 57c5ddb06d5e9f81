"""
The last step before a format: no known secret is left in any field, in any coding.

A leaked value turns up in more places than its own: in a file name, in a commit
author, in what an issuer answered.  Every redacted report is made from a
scrubbed `Report`, so no format has to think of it.
"""

from __future__ import annotations

import binascii
import dataclasses
import html
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scanner.model import (
    Companion,
    Coverage,
    Finding,
    Identity,
    KindCount,
    Limit,
    Occurrence,
    Report,
    Run,
    SealRecord,
    Suppressed,
    Unread,
    Verification,
)
from scanner.report.options import RuleText
from scanner.secret import Secret

MASK = "********"
_MASK = MASK.encode()

_GRAM = 4  # bytes of a needle by which it is looked up
_SHORTEST = 8
_SHORTEST_OF_WORDS = 16
"""
A weak password such as `test` or `password` stands in half of all paths: to mask
it there would tell more than it hides, and take the paths from the report.
"""

_WORDS = re.compile(rb"(?:(?:[A-Z]?[a-z]{2,}|[A-Z]{2,})[ _./:-]{0,2})+")

_SHORTEST_LINE = 20  # of a secret of several lines, each one counts by itself
_NOT_SECRET_COMPANIONS = re.compile(
    r"host|server|endpoint|url|port|region|user|name|login|account|tenant|domain|database|email|id$",
    re.IGNORECASE,
)

_RUNS = (
    ("base64", re.compile(rb"[A-Za-z0-9+/_-]{6,}={0,2}")),
    ("hex", re.compile(rb"(?:[0-9A-Fa-f]{2}){4,}")),
    ("hex", re.compile(rb"(?:[0-9A-Fa-f]{2}[ :-]?){4,}")),
)
_PERCENT = rb"(?P<percent>%[0-9A-Fa-f]{2})"
_HTML = rb"(?P<html>&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,7});)"
_BACKSLASH = (
    rb"(?P<unicode>\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})"
    rb"|(?P<byte>\\x[0-9A-Fa-f]{2})"
    rb"|(?P<octal>\\[0-7]{3})"
    rb"|(?P<short>\\[^ux0-9])"
)
_ESCAPES = tuple(
    re.compile(pattern, re.DOTALL)
    # One by one, for what is an escape in one coding is plain text in another; then together.
    for pattern in (_PERCENT, _HTML, _BACKSLASH, b"|".join((_PERCENT, _HTML, _BACKSLASH)))
)
_SHORT = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"e": b"\x1b"}
_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DEEPEST = 3  # codings one inside the other

_DATES = ("checked_at", "created_at", "last_used_at", "expires_at", "rotated_at")


class Scrubber:
    """
    Masks a set of secrets in text and bytes.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        needles: set[bytes] = set()
        for secret in secrets:
            if not secret.withheld:
                needles.update(filter(_is_telling, _needles(secret.reveal())))
        self._by_gram: dict[bytes, list[bytes]] = {}
        for needle in sorted(needles, key=lambda one: (-len(one), one)):
            self._by_gram.setdefault(needle[:_GRAM], []).append(needle)
        self._seen: dict[bytes, bytes] = {}

    def text(self, text: str) -> str:
        """
        Return `text` with every secret masked.
        """
        if not self._by_gram:
            return text
        data = text.encode("utf-8", errors="surrogatepass")
        return self.data(data).decode("utf-8", errors="replace")

    def maybe(self, text: str | None) -> str | None:
        """
        Return `text` with every secret masked, or `None`.
        """
        return None if text is None else self.text(text)

    def object_id(self, name: str | None) -> str | None:
        """
        Return the id of a git object, masked if it holds a secret as it stands.

        A hash encodes nothing, and a report has hundreds of thousands of them.
        """
        if name is None or _OBJECT_ID.fullmatch(name) is None:
            return self.maybe(name)
        data = name.encode()
        return _masked(data, list(self._plain(data))).decode()

    def texts(self, texts: Iterable[str]) -> tuple[str, ...]:
        """
        Return every one of `texts` with every secret masked.
        """
        return tuple(map(self.text, texts))

    def data(self, data: bytes) -> bytes:
        """
        Return `data` with every secret masked, whatever coding it stands in.
        """
        if not self._by_gram or len(data) < _SHORTEST:
            return data
        known = self._seen.get(data)
        if known is None:
            known = self._seen[data] = _masked(data, self._spans(data, _DEEPEST))
        return known

    def _spans(self, data: bytes, depth: int) -> list[tuple[int, int]]:
        spans = list(self._plain(data))
        if not depth:
            return spans
        for escapes in _ESCAPES:
            if escapes.search(data):
                plain, origins = _unescaped(data, escapes)
                inner = self._spans(plain, depth - 1)
                spans += [(origins[start], origins[end]) for start, end in inner]
        for coding, pattern in _RUNS:
            spans += [
                run.span()
                for run in pattern.finditer(data)
                if any(self._spans(text, depth - 1) for text in _decodings(coding, run[0]))
            ]
        return spans

    def _plain(self, data: bytes) -> Iterator[tuple[int, int]]:
        by_gram = self._by_gram
        for start in range(len(data) - _GRAM + 1):
            for needle in by_gram.get(data[start : start + _GRAM], ()):
                if data.startswith(needle, start):
                    yield start, start + len(needle)
                    break


def scrubbed(report: Report) -> Report:
    """
    Return `report` with every secret of its findings masked in every field but `secret` itself.
    """
    return _Report(Scrubber(secrets_of(report))).report(report)


def scrubbed_rules(report: Report, rules: Mapping[str, RuleText]) -> dict[str, RuleText]:
    """
    Return the texts of rules with every secret of `report` masked.
    """
    scrubber = Scrubber(secrets_of(report))
    return {
        rule_id: dataclasses.replace(
            rule,
            title=scrubber.text(rule.title),
            description=scrubber.text(rule.description),
            remediation=scrubber.text(rule.remediation),
            references=scrubber.texts(rule.references),
            tags=scrubber.texts(rule.tags),
        )
        for rule_id, rule in rules.items()
    }


def secrets_of(report: Report) -> Iterator[Secret]:
    """
    Yield every secret that a report knows, companions that are credentials included.
    """
    for finding in report.findings:
        if finding.secret is not None:
            yield finding.secret
        for companion in finding.companions:
            if not _NOT_SECRET_COMPANIONS.search(companion.name):
                yield companion.value


@dataclasses.dataclass(frozen=True, slots=True)
class _Report:
    clean: Scrubber

    def report(self, report: Report) -> Report:
        return dataclasses.replace(
            report,
            run=self._run(report.run),
            findings=tuple(map(self._finding, report.findings)),
            unread=tuple(map(self._unread, report.unread)),
            limits=tuple(map(self._limit, report.limits)),
            seals=tuple(map(self._seal, report.seals)),
            coverage=self._coverage(report.coverage),
            notices=self.clean.texts(report.notices),
        )

    def _run(self, run: Run) -> Run:
        clean = self.clean
        return dataclasses.replace(
            run,
            target=clean.text(run.target),
            head=clean.maybe(run.head),
            base=clean.maybe(run.base),
        )

    def _finding(self, finding: Finding) -> Finding:
        clean = self.clean
        return dataclasses.replace(
            finding,
            title=clean.text(finding.title),
            remediation=clean.text(finding.remediation),
            score_reasons=clean.texts(finding.score_reasons),
            occurrences=tuple(map(self._occurrence, finding.occurrences)),
            verification=self._verification(finding.verification),
            companions=tuple(map(self._companion, finding.companions)),
            suppressed=None if finding.suppressed is None else self._suppressed(finding.suppressed),
            seal=None if finding.seal is None else self._seal(finding.seal),
        )

    def _occurrence(self, occurrence: Occurrence) -> Occurrence:
        clean, author = self.clean, occurrence.author
        return dataclasses.replace(
            occurrence,
            path=self._path(occurrence.path),
            inner_path=clean.texts(occurrence.inner_path),
            decoded=clean.texts(occurrence.decoded),
            blob=clean.object_id(occurrence.blob),
            commit=clean.object_id(occurrence.commit),
            author=author and Identity(clean.text(author.name), clean.text(author.email)),
            date=clean.maybe(occurrence.date),
            removed_at=clean.maybe(occurrence.removed_at),
        )

    def _verification(self, verification: Verification) -> Verification:
        clean = self.clean
        dates: Any = {name: clean.maybe(getattr(verification, name)) for name in _DATES}
        return dataclasses.replace(
            verification,
            identity=clean.maybe(verification.identity),
            scopes=clean.texts(verification.scopes),
            rights=clean.texts(verification.rights),
            reason=clean.maybe(verification.reason),
            **dates,
        )

    def _companion(self, companion: Companion) -> Companion:
        return dataclasses.replace(companion, name=self.clean.text(companion.name))

    def _suppressed(self, suppressed: Suppressed) -> Suppressed:
        clean = self.clean
        return dataclasses.replace(
            suppressed,
            by=clean.text(suppressed.by),
            reason=clean.maybe(suppressed.reason),
            until=clean.maybe(suppressed.until),
            owner=clean.maybe(suppressed.owner),
        )

    def _seal(self, record: SealRecord) -> SealRecord:
        clean = self.clean
        return dataclasses.replace(
            record,
            reason=clean.text(record.reason),
            version=clean.maybe(record.version),
            label=clean.maybe(record.label),
            recipients=clean.texts(record.recipients),
            detail=tuple((clean.text(name), clean.text(value)) for name, value in record.detail),
            path=self._path(record.path),
            blob=clean.maybe(record.blob),
            inner_path=clean.texts(record.inner_path),
        )

    def _unread(self, unread: Unread) -> Unread:
        fields = self._where(unread)
        return dataclasses.replace(unread, **fields)

    def _where(self, part: Unread | Limit) -> Any:
        clean = self.clean
        return {
            "reason": clean.text(part.reason),
            "path": self._path(part.path),
            "blob": clean.object_id(part.blob),
            "inner_path": clean.texts(part.inner_path),
        }

    def _limit(self, limit: Limit) -> Limit:
        fields = self._where(limit)
        return dataclasses.replace(limit, **fields)

    def _coverage(self, coverage: Coverage) -> Coverage:
        return Coverage(kinds={kind: self._count(count) for kind, count in coverage.kinds.items()})

    def _count(self, count: KindCount) -> KindCount:
        skipped: dict[str, int] = {}
        for reason, number in count.skipped.items():
            clean = self.clean.text(reason)
            skipped[clean] = skipped.get(clean, 0) + number
        return dataclasses.replace(count, skipped=skipped)

    def _path(self, path: bytes | None) -> bytes | None:
        return None if path is None else self.clean.data(path)


def _needles(value: bytes) -> Iterator[bytes]:
    yield value
    yield value.strip()
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (one.strip() for one in lines if len(one.strip()) >= _SHORTEST_LINE)
    # A field that was not UTF-8 has U+FFFD where the secret has the byte.
    yield value.decode("utf-8", errors="replace").encode()


def _is_telling(needle: bytes) -> bool:
    if len(needle) >= _SHORTEST_OF_WORDS:
        return True
    return len(needle) >= _SHORTEST and _WORDS.fullmatch(needle) is None


def _masked(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    if not spans:
        return data
    out, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            out += [data[position:start], _MASK]
        position = max(position, end)
    return b"".join([*out, data[position:]])


def _decodings(coding: str, run: bytes) -> Iterator[bytes]:
    if coding == "hex":
        digits = re.sub(rb"[ :-]", b"", run)
        for skip in (0, 1):
            part = digits[skip:]
            yield bytes.fromhex(part[: len(part) // 2 * 2].decode("ascii"))
        return
    body = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    for skip in range(4):
        part = body[skip:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield binascii.a2b_base64(part + b"=" * (-len(part) % 4))


def _unescaped(data: bytes, escapes: re.Pattern[bytes]) -> tuple[bytes, list[int]]:
    """
    Return `data` with its escapes undone, and for each byte (and the end) where it came from.
    """
    out, position = bytearray(), 0
    origins: list[int] = []
    for found in escapes.finditer(data):
        out += data[position : found.start()]
        origins += range(position, found.start())
        plain = _plain_form(found)
        out += plain
        size = found.end() - found.start()
        origins += [found.start() + size * index // len(plain) for index in range(len(plain))]
        position = found.end()
    out += data[position:]
    origins += range(position, len(data) + 1)
    return bytes(out), origins


def _plain_form(found: re.Match[bytes]) -> bytes:
    text = found[0]
    match found.lastgroup:
        case "percent":
            return urllib.parse.unquote_to_bytes(text)
        case "html":
            return html.unescape(text.decode("ascii")).encode("utf-8", errors="replace")
        case "unicode":
            units = bytes.fromhex(text.replace(b"\\u", b"").decode("ascii"))
            return units.decode("utf-16-be", errors="replace").encode()
        case "byte":
            return bytes.fromhex(text[2:].decode("ascii"))
        case "octal":
            return bytes([int(text[1:], 8) & 0xFF])
        case _:
            return _SHORT.get(text[1:], text[1:])
