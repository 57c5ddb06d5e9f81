"""
Streams of a PDF file, found by scanning: a damaged cross-reference table hides nothing.

Format: ISO 32000-1, https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from scanner.detect.decode.inflating import inflate
from scanner.detect.registry import Budget

_STREAM = re.compile(rb"stream(?:\r\n|\n|\r)")
_LENGTH = re.compile(rb"/Length[ \t\r\n]+(\d{1,10})(?![0-9]*[ \t\r\n]+\d+[ \t\r\n]+R)")
_FILTER = re.compile(rb"/F(?:ilter)?[ \t\r\n]*(\[[^\]]{0,200}\]|/[A-Za-z0-9]{1,20})")
_NAME = re.compile(rb"/([A-Za-z0-9]+)")
_OBJECT = re.compile(rb"(\d{1,10})[ \t\r\n]+\d{1,5}[ \t\r\n]+obj\b")
# Pictures, font programs and the cross-reference table hold no text.
_DULL = re.compile(
    rb"/Subtype[ \t\r\n]*/(?:Image|Type1C|CIDFontType0C|OpenType)\b"
    rb"|/Length1\b|/Type[ \t\r\n]*/XRef\b"
)
_LONGEST_DICTIONARY = 8192
MAX_STREAM = 16 << 20
_MAX_STREAMS = 50_000
_MAX_OBJECTS = 200_000


@dataclass(frozen=True, slots=True)
class Stream:
    """
    One stream, decoded.
    """

    number: int
    """Of its object; 0 if there is none."""

    dictionary: bytes
    data: bytes
    packed: bool
    """Whether any filter was undone: if not, the raw file shows the same bytes."""


def streams(pdf: bytes, budget: Budget) -> Iterator[Stream]:
    """
    Yield each stream that may hold text, in the order of the file.
    """
    at = 0
    left = budget.bytes_left
    for _ in range(_MAX_STREAMS):
        found = _STREAM.search(pdf, at)
        if found is None:
            return
        at = found.end()
        if pdf[found.start() - 3 : found.start()] == b"end":
            continue
        dictionary, number = _dictionary(pdf, found.start())
        end = _end(pdf, at, dictionary)
        body = pdf[at:end]
        at = end
        if _DULL.search(dictionary):
            continue
        decoded = _decoded(body, dictionary, min(left, MAX_STREAM), budget)
        if decoded is None:
            continue
        left -= len(decoded)
        yield Stream(number, dictionary, decoded, decoded is not body)
        if left <= 0:
            budget.limit("derived-bytes", "not every stream of the PDF was read")
            return


def objects(pdf: bytes, found: list[Stream]) -> dict[int, bytes]:
    """
    Return the text of each object that is not a stream's data, by number; those of object streams
    too.
    """
    table: dict[int, bytes] = {}
    for start in islice(_OBJECT.finditer(pdf), _MAX_OBJECTS):
        end = pdf.find(b"endobj", start.end(), start.end() + _LONGEST_DICTIONARY)
        high = end if end >= 0 else start.end() + _LONGEST_DICTIONARY
        table[int(start[1])] = pdf[start.end() : high].split(b"stream", 1)[0]
    for stream in found:
        if b"/ObjStm" in stream.dictionary:
            table.update(_packed_objects(stream))
    return table


def _packed_objects(stream: Stream) -> dict[int, bytes]:
    first = re.search(rb"/First[ \t\r\n]+(\d{1,9})", stream.dictionary)
    if first is None:
        return {}
    start = int(first[1])
    heads = [int(item) for item in stream.data[:start].split() if item.isdigit() and len(item) < 10]
    numbers, offsets = heads[0::2], heads[1::2]
    ends = [*offsets[1:], len(stream.data)]
    return {
        number: stream.data[start + low : start + high]
        for number, low, high in zip(numbers, offsets, ends, strict=False)
    }


def _dictionary(pdf: bytes, end: int) -> tuple[bytes, int]:
    low = max(0, end - _LONGEST_DICTIONARY)
    before = pdf[low:end]
    start = before.rfind(b" obj")
    if start < 0:
        return before[before.rfind(b"endobj") + 1 :], 0
    head = re.search(rb"(\d{1,10})[ \t\r\n]+\d{1,5}$", before[max(0, start - 20) : start])
    return before[start:], int(head[1]) if head else 0


def _end(pdf: bytes, start: int, dictionary: bytes) -> int:
    length = _LENGTH.search(dictionary)
    if length is not None:
        end = start + int(length[1])
        if b"endstream" in pdf[end : end + 32]:
            return end
    end = pdf.find(b"endstream", start)
    return end if end >= 0 else len(pdf)


def _decoded(body: bytes, dictionary: bytes, most: int, budget: Budget) -> bytes | None:
    found = _FILTER.search(dictionary)
    for name in _NAME.findall(found[1]) if found else ():
        if name in (b"FlateDecode", b"Fl"):
            result = inflate(body, "zlib", most=most)
            if result.limit is not None:
                budget.limit(result.limit or "member-size", "a PDF stream was not read to its end")
            elif result.error is not None and not result.data:
                budget.unread(f"pdf: a stream is {result.error}")
            body = result.data
        elif name in (b"ASCII85Decode", b"A85"):
            body = _ascii85(body)
        elif name in (b"ASCIIHexDecode", b"AHx"):
            body = unhex(body.split(b">", 1)[0])
        elif name in (b"LZWDecode", b"LZW"):
            body = _lzw(body, most)
        else:
            return None
    return body


def unhex(digits: bytes) -> bytes:
    """
    Return the bytes of `digits`, whatever stands between them; a missing last digit is 0.
    """
    clean = re.sub(rb"[^0-9A-Fa-f]", b"", digits)
    return bytes.fromhex((clean + b"0" * (len(clean) % 2)).decode())


def _ascii85(body: bytes) -> bytes:
    text = body.split(b"~>", 1)[0].removeprefix(b"<~")
    try:
        return base64.a85decode(text, ignorechars=b" \t\n\r\v\f\0")
    except ValueError:
        return b""


def _lzw(body: bytes, most: int) -> bytes:
    out = bytearray()
    table: list[bytes] = []
    bits = width = held = 0
    before = b""
    for byte in body:
        held = held << 8 | byte
        bits += 8
        width = width or 9
        if bits < width:
            continue
        bits -= width
        code = held >> bits
        held &= (1 << bits) - 1
        if code == 257 or len(out) > most:
            break
        if code == 256:
            table, before, width = [], b"", 9
            continue
        if code < 256:
            entry = bytes([code])
        elif code - 258 < len(table):
            entry = table[code - 258]
        elif before:
            entry = before + before[:1]
        else:
            break
        out += entry
        if before and len(table) < 4096 - 258:
            table.append(before + entry[:1])
        before = entry
        # Codes widen one entry early.
        width = max(9, min(12, (len(table) + 259).bit_length()))
    return bytes(out[:most])
