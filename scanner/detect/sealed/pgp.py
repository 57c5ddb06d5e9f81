"""
OpenPGP: messages and files, read packet by packet.

Format: https://www.rfc-editor.org/rfc/rfc9580
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.sealed.evidence import (
    Lines,
    base_name,
    extension,
    from_base64,
    is_readable,
    tells,
)
from scanner.detect.sealed.line_reader import Leaf, read_assignments, read_lines
from scanner.model import SealRecord

FORMAT = "pgp"
_BEGIN = re.compile(
    rb"^[ \t]*-----BEGIN PGP MESSAGE(?:, PART \d+/\d+)?-----[ \t]*\r?$", re.MULTILINE
)
_END = re.compile(rb"-----END PGP MESSAGE(?:, PART \d+/\d+)?-----")
_ARMOR_HEADER = re.compile(rb"[ \t]*[A-Za-z]+: .*")
_SESSION_KEYS = frozenset({1, 3})
_PROTECTED = frozenset({18, 20})
_UNPROTECTED = 9
_OPEN = {2: "a signature", 4: "a signature", 8: "compressed data", 11: "literal data"}
_KEYS = frozenset({5, 6, 7, 14})
_KNOWN_TAGS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21})
_MDC_SIZE = 22
_SIGNED = re.compile(
    rb"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\r?\n(?P<text>.*?)^-----BEGIN PGP SIGNATURE",
    re.MULTILINE | re.DOTALL,
)
_DATA_NAME = re.compile(
    r"\.(?:ya?ml|json|env|ini|conf|cfg|properties|tfvars|toml|txt|sql|csv)\.asc$"
)
_CRC_LIMIT = 1 << 20  # bytes; the checksum is taken in Python


@dataclass(frozen=True, slots=True)
class Packet:
    """
    One packet: its tag, and its body without the length octets.
    """

    tag: int
    body: bytes
    whole: bool = True


def packets(data: bytes) -> Iterator[Packet]:
    """
    Yield the packets; the last one is not `whole` if the data end inside it.

    Raise `ValueError` where no packet starts.
    """
    position = 0
    while position < len(data):
        first = data[position]
        if not first & 0x80:
            raise ValueError(f"no packet starts at byte {position}")
        new = bool(first & 0x40)
        tag = first & 0x3F if new else (first >> 2) & 0x0F
        if tag not in _KNOWN_TAGS:
            raise ValueError(f"a packet of no known kind ({tag}) at byte {position}")
        packet, position = (_new if new else _old)(data, position + 1, tag, first & 3)
        yield packet


def _new(data: bytes, position: int, tag: int, _kind: int) -> tuple[Packet, int]:
    parts: list[bytes] = []
    while True:
        if position >= len(data):
            return Packet(tag, b"".join(parts), whole=False), len(data)
        first = data[position]
        partial = 224 <= first < 255
        if first < 192:
            size, position = first, position + 1
        elif first < 224:
            size = (
                ((first - 192) << 8)
                + int.from_bytes(data[position + 1 : position + 2], "big")
                + 192
            )
            position += 2
        elif partial:
            size, position = 1 << (first & 0x1F), position + 1
        else:
            size, position = int.from_bytes(data[position + 1 : position + 5], "big"), position + 5
        part = data[position : position + size]
        parts.append(part)
        position += size
        if len(part) < size:
            return Packet(tag, b"".join(parts), whole=False), len(data)
        if not partial:
            return Packet(tag, b"".join(parts)), position


def _old(data: bytes, position: int, tag: int, kind: int) -> tuple[Packet, int]:
    if kind == 3:
        return Packet(tag, data[position:]), len(data)
    width = 1 << kind
    size = int.from_bytes(data[position : position + width], "big")
    position += width
    body = data[position : position + size]
    return Packet(tag, body, whole=len(body) == size), position + size


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record for each armored message in `data`, or for a binary file named as one.
    """
    where = Lines(data) if b"-----BEGIN PGP MESSAGE" in data else None
    records = []
    for start in _BEGIN.finditer(data) if where else ():
        line = where.at(start.start()) if where else 1
        records.append(_armored(data, start, line))
    records += _signed(data)
    if records or extension(path) not in ("gpg", "pgp", "asc"):
        return records
    if data[:1] and data[0] & 0x80 and not is_readable(data[:64]):
        record = _judged(data, 1)
        return [record] if record else []
    if extension(path) != "asc" and data.strip() and b"-----BEGIN PGP" not in data:
        reason = "named as an OpenPGP file, and text that anyone can read"
        return [SealRecord(format=FORMAT, state="fake", reason=reason)]
    if _DATA_NAME.search(base_name(path)) and b"-----BEGIN PGP" not in data:
        told = _telling(data)
        if told is not None:
            reason = f"named as an OpenPGP file, and {told.path[-1]!r} lies open in it"
            return [SealRecord(format=FORMAT, state="fake", reason=reason, line=told.line)]
    return []


def _signed(data: bytes) -> list[SealRecord]:
    """
    Return a record for each signed text that holds a secret: a signature hides nothing.
    """
    records = []
    for found in _SIGNED.finditer(data) if b"-----BEGIN PGP SIGNED" in data else ():
        told = _telling(found["text"])
        if told is not None:
            line = data.count(b"\n", 0, found.start("text")) + told.line
            reason = f"{told.path[-1]!r} lies open: the text is signed, and not encrypted"
            records.append(SealRecord(format=FORMAT, state="fake", reason=reason, line=line))
    return records


def _telling(data: bytes) -> Leaf | None:
    text = data.decode("utf-8", "replace")
    leaves = (*read_lines(text), *read_assignments(text))
    return next((leaf for leaf in leaves if tells(leaf.path[-1], leaf.value)), None)


def _armored(data: bytes, start: re.Match[bytes], line: int) -> SealRecord:
    end = _END.search(data, start.end())
    following = _BEGIN.search(data, start.end())
    if end and following and following.start() < end.start():
        end = None
    limit = end.start() if end else following.start() if following else len(data)
    lines = [part.strip() for part in data[start.end() : limit].split(b"\n")]
    state, reason, ids, version = _open_armor(lines, ended=end is not None)
    if state == "sealed" and end and not data[: start.start()].strip():
        rest = data[end.end() :]
        if rest.strip() and not _BEGIN.search(rest):
            state, reason = "partly-sealed", "plain text follows the sealed block"
    return SealRecord(
        format=FORMAT, state=state, reason=reason, line=line, recipients=ids, version=version
    )


def _open_armor(lines: list[bytes], *, ended: bool) -> tuple[str, str, tuple[str, ...], str | None]:
    rest = [part for part in lines if part and not _ARMOR_HEADER.fullmatch(part)]
    code = None
    if rest and re.fullmatch(rb"=[A-Za-z0-9+/]{4}", rest[-1]):
        code = from_base64(rest.pop()[1:])
    raw = from_base64(b"".join(rest))
    if not rest:
        return "broken", "the armor is empty", (), None
    if raw is None:
        head = from_base64(rest[0][:40] if len(rest[0]) >= 40 else rest[0][: len(rest[0]) // 4 * 4])
        if head and head[0] & 0x80 and _first_tag(head) in _SESSION_KEYS | _PROTECTED:
            return "broken", "the armor is no whole base64: cut off or altered", (), None
        return "fake", "between the armor's lines stands text that anyone can read", (), None
    if is_readable(raw, minimum=1):
        return "fake", "the armor holds base64 of text that anyone can read", (), None
    record = _judged(raw, 1)
    if record is None:
        return "broken", "the armor holds keys and no message", (), None
    if record.state == "sealed":
        if not ended:
            return "broken", "the armor's last line is gone", (), None
        if (
            code is not None
            and len(raw) <= _CRC_LIMIT
            and int.from_bytes(code, "big") != crc24(raw)
        ):
            return "broken", "the armor's checksum does not hold: it was altered", (), None
    return record.state, record.reason, record.recipients, record.version


def _first_tag(head: bytes) -> int:
    return head[0] & 0x3F if head[0] & 0x40 else (head[0] >> 2) & 0x0F


def _judged(raw: bytes, line: int) -> SealRecord | None:
    found: list[Packet] = []
    problem = None
    try:
        found.extend(packets(raw))
    except ValueError as error:
        problem = str(error)
        # The good packets before the damage still say what it was.
        found = _good_part(raw)
    if found and found[0].tag in _KEYS:
        return None  # a key ring
    ids = tuple(dict.fromkeys(_recipients(found)))
    state, reason = _verdict(found, problem)
    return SealRecord(format=FORMAT, state=state, reason=reason, line=line, recipients=ids)


def _good_part(raw: bytes) -> list[Packet]:
    found = []
    try:
        for packet in packets(raw):
            found.append(packet)  # noqa: PERF402 # keeps what came before the error
    except ValueError:
        pass
    return found


def _verdict(found: list[Packet], problem: str | None) -> tuple[str, str]:
    tags = [packet.tag for packet in found]
    sealed = [packet for packet in found if packet.tag in _PROTECTED]
    if not tags:
        return "fake", f"no OpenPGP packets: {problem}"
    if tags[0] in _OPEN and not sealed and tags[0] != 2:
        return "fake", f"holds {_OPEN[tags[0]]}, which anyone can read, and nothing encrypted"
    if tags[0] == 2 and not sealed:
        return "fake", "holds a signature, and nothing encrypted"
    if problem or not found[-1].whole:
        return "broken", problem or "it ends inside a packet"
    if not sealed:
        if _UNPROTECTED in tags:
            return "broken", "an old encrypted packet without authentication code"
        return "broken", "a wrapped key without the data it opens"
    if not _SESSION_KEYS.intersection(tags):
        return "broken", "encrypted data without a wrapped key: nobody can open it"
    extra = [tag for tag in tags if tag not in _SESSION_KEYS | _PROTECTED | {10, 21}]
    if any(tag in _OPEN for tag in extra):
        return "partly-sealed", "an open packet stands beside the encrypted one"
    if any(len(packet.body) < _MDC_SIZE or is_readable(packet.body[1:]) for packet in sealed):
        return "fake", "the encrypted packet holds no ciphertext"
    return "sealed", f"{tags.count(1) + tags.count(3)} wrapped keys and protected data"


def _recipients(found: list[Packet]) -> Iterator[str]:
    for packet in found:
        if packet.tag == 1 and packet.body[:1] == b"\x03":
            yield packet.body[1:9].hex().upper()
        elif packet.tag == 3:
            yield "passphrase"


def crc24(data: bytes) -> int:
    """
    Return the checksum of an armor (RFC 9580, 6.1.1).
    """
    value = 0xB704CE
    for byte in data:
        value = ((value << 8) ^ _TABLE[((value >> 16) ^ byte) & 0xFF]) & 0xFFFFFF
    return value


def _crc_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        value = index << 16
        for _ in range(8):
            value = (value << 1) ^ (0x1864CFB if value & 0x800000 else 0)
        table.append(value & 0xFFFFFF)
    return tuple(table)


_TABLE = _crc_table()
