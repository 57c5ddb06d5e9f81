"""
Text of PDF files: the strings that a page shows, joined as they are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scanner.detect.decode.pdf_objects import Stream, objects, streams, unhex
from scanner.detect.registry import Budget, Derived, Expression, Text

_SHOWS = re.compile(rb"\b(?:Tj|TJ)\b|[)>]\s*['\"]")
_TOKEN = re.compile(
    rb"""\( | << | >> | < | \[ | \] | /[^\x00\t\n\f\r\ ()<>\[\]{}/%]* | %[^\r\n]*
    | [-+]?[0-9]*\.?[0-9]+ | [A-Za-z'"][A-Za-z*0-9]*""",
    re.VERBOSE,
)
_FONT = re.compile(rb"/ToUnicode[ \t\r\n]+(\d{1,10})[ \t\r\n]+\d+[ \t\r\n]+R")
_FONTS = re.compile(rb"/Font[ \t\r\n]*<<([^<>]{0,8000})>>")
_REFERENCE = re.compile(
    rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]+)[ \t\r\n]+(\d{1,10})[ \t\r\n]+\d+[ \t\r\n]+R"
)
_SPACING = -200.0
_MAX_MAPPING = 70_000
_BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|\r\n|(\r|\n)|(.))", re.DOTALL)


class PdfDeriver:
    """
    Reads what the streams of a PDF file show, and its other packed streams as they are.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [Expression(pattern=rb"%PDF-", within=1024)]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if re.search(rb"/Encrypt[ \t\r\n]+\d+[ \t\r\n]+\d+[ \t\r\n]+R", data):
            budget.unread("encrypted")
            return
        found = list(streams(data, budget))
        fonts = _fonts(data, found) if any(b"beginbf" in one.data for one in found) else {}
        pages: list[bytes] = []
        for stream in found:
            if _SHOWS.search(stream.data):
                pages.append(_Page(fonts).read(stream.data))
            elif stream.packed and b"beginbf" not in stream.data and stream.data:
                yield Derived(data=stream.data, decoded=("pdf-stream",))
        shown = b"\n".join(page for page in pages if page)
        if shown:
            yield Derived(data=shown, decoded=("pdf-text",))


@dataclass(slots=True)
class _Mapping:
    """How the codes of a font map to text."""

    width: int = 1
    texts: dict[int, str] = field(default_factory=dict)

    def decode(self, raw: bytes) -> bytes:
        codes = (
            int.from_bytes(raw[at : at + self.width], "big")
            for at in range(0, len(raw), self.width)
        )
        text = "".join(self.texts.get(code, "") for code in codes)
        return text.encode("utf-8", errors="replace")


class _Page:
    def __init__(self, fonts: Mapping[bytes, _Mapping]) -> None:
        self.fonts = fonts
        self.font: _Mapping | None = None
        self.out: list[bytes] = []
        self.height = self.last = 0.0

    def read(self, data: bytes) -> bytes:
        """
        Return the text of one content stream: a line for each line it moves to.
        """
        shown: list[bytes] = []
        numbers: list[float] = []
        name = b""
        in_array = False
        at = 0
        while (found := _TOKEN.search(data, at)) is not None:
            token, at = found[0], found.end()
            if token == b"(":
                raw, at = literal(data, at)
                shown.append(self._plain(raw))
            elif token == b"<":
                end = data.find(b">", at)
                end = end if end >= 0 else len(data)
                shown.append(self._plain(unhex(data[at:end])))
                at = end + 1
            elif token == b"[":
                in_array = True
            elif token == b"]":
                in_array = False
            elif token[:1] == b"/":
                name = token[1:]
            elif token[:1] in b"+-.0123456789":
                numbers.append(float(token))
                if in_array and numbers[-1] < _SPACING:
                    shown.append(b" ")
            elif token[:1].isalpha() or token in (b"'", b'"'):
                self._operate(token, numbers, name, shown)
                numbers, shown = [], []
        return b"".join(self.out).strip()

    def _plain(self, raw: bytes) -> bytes:
        if self.font is not None:
            return self.font.decode(raw)
        # Without a table, two bytes a character are taken for what they look like.
        if len(raw) >= 4 and not raw[::2].strip(b"\0"):
            return raw[1::2]
        return raw

    def _operate(
        self, operator: bytes, numbers: list[float], name: bytes, shown: list[bytes]
    ) -> None:
        if operator == b"Tf":
            self.font = self.fonts.get(name)
        elif operator in (b"Td", b"TD"):
            self._move(self.height + numbers[-1] if numbers else 0.0)
        elif operator == b"Tm":
            self._move(numbers[-1] if numbers else 0.0)
        elif operator == b"BT":
            self.height = 0.0
        elif operator in (b"T*", b"'", b'"'):
            self.out.append(b"\n")
        if operator in (b"Tj", b"TJ", b"'", b'"'):
            self.out += shown

    def _move(self, height: float) -> None:
        # Runs on one height are one line, however many there are.
        self.out.append(b" " if height == self.last else b"\n")
        self.height = self.last = height


def literal(data: bytes, at: int) -> tuple[bytes, int]:
    """
    Return the string whose opening bracket is before `at`, unescaped, and where it ends.
    """
    depth = 1
    for found in _BRACKET.finditer(data, at):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if not depth:
            return _ESCAPE.sub(_unescaped, data[at : found.start()]), found.end()
    return _ESCAPE.sub(_unescaped, data[at:]), len(data)


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes([int(found[1], 8) & 0xFF])
    if found[3] is None:
        return b""
    return _ESCAPES.get(found[3], found[3])


def _fonts(pdf: bytes, found: list[Stream]) -> dict[bytes, _Mapping]:
    table = objects(pdf, found)
    tables = {one.number: one for one in found if b"beginbf" in one.data}
    by_object: dict[int, _Mapping] = {}
    for number, text in table.items():
        font = _FONT.search(text)
        if font is not None and int(font[1]) in tables:
            by_object[number] = _mapping(tables[int(font[1])].data)
    named: dict[bytes, _Mapping] = {}
    for text in table.values():
        for fonts in [*_FONTS.findall(text), text]:
            for name, number in _REFERENCE.findall(fonts):
                mapping = by_object.get(int(number))
                if mapping is not None:
                    named.setdefault(name, mapping)
    return named


def _mapping(data: bytes) -> _Mapping:
    space = re.search(rb"begincodespacerange\s*<([0-9A-Fa-f]+)>", data)
    mapping = _Mapping(width=max(1, len(space[1]) // 2) if space else 2)
    texts = mapping.texts
    for section in re.findall(rb"beginbfchar(.*?)endbfchar", data, re.DOTALL):
        for code, text in re.findall(rb"<([0-9A-Fa-f]{1,8})>\s*<([0-9A-Fa-f\s]{1,200})>", section):
            texts[int(code, 16)] = _wide(text)
    for section in re.findall(rb"beginbfrange(.*?)endbfrange", data, re.DOTALL):
        ranges = re.findall(
            rb"<([0-9A-Fa-f]{1,8})>\s*<([0-9A-Fa-f]{1,8})>\s*(?:<([0-9A-Fa-f]{1,8})>|\[([^\]]*)\])",
            section,
        )
        for low, high, first, items in ranges:
            codes = range(int(low, 16), int(high, 16) + 1)
            if len(texts) + len(codes) > _MAX_MAPPING:
                return mapping
            for code, text in zip(codes, re.findall(rb"<([0-9A-Fa-f]*)>", items), strict=False):
                texts[code] = _wide(text)
            if first:
                for code in codes:
                    point = int(first, 16) + code - codes.start
                    texts[code] = chr(point) if point < 0x110000 else ""
    return mapping


def _wide(digits: bytes) -> str:
    return unhex(digits).decode("utf-16-be", errors="replace")


DERIVER = PdfDeriver()
