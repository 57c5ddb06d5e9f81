"""
age: binary and armored files.

Format: https://age-encryption.org/v1
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from scanner.detect.sealed.evidence import (
    Lines,
    extension,
    from_base64,
    is_filler,
    is_readable,
    plain_run,
)
from scanner.model import SealRecord

FORMAT = "age"
VERSION_LINE = b"age-encryption.org/v1\n"
_ARMOR = re.compile(
    rb"^(?P<indent>[ \t]*)-----BEGIN AGE ENCRYPTED FILE-----[ \t]*\r?$", re.MULTILINE
)
_ARMOR_END = re.compile(rb"^[ \t]*-----END AGE ENCRYPTED FILE-----[ \t]*\r?$", re.MULTILINE)
_ARMOR_BYTES = b"-----BEGIN AGE ENCRYPTED FILE-----"
_CHUNK = 64 * 1024 + 16
_COLUMNS = 64
_WRAPPED = 32  # bytes of a wrapped file key: 16 and a code of 16


class _BrokenError(Exception):
    pass


class _FakeError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Stanza:
    """
    The file key, wrapped for one recipient.
    """

    arguments: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """
    A parsed header.
    """

    stanzas: tuple[Stanza, ...]
    signed: bytes
    """What the authentication code covers: all up to and with `---`."""

    code: bytes
    payload: int
    """Where the payload starts."""


def parse_header(data: bytes) -> Header:
    """
    Return the header of a binary age file; raise `ValueError` with the reason if it is damaged.
    """
    try:
        return _header(data)
    except _BrokenError as error:
        raise ValueError(str(error)) from error


def _header(data: bytes) -> Header:
    if not data.startswith(VERSION_LINE):
        raise _BrokenError("the first line names no known version")
    position = len(VERSION_LINE)
    stanzas: list[Stanza] = []
    arguments: tuple[str, ...] | None = None
    body = b""
    while True:
        end = data.find(b"\n", position, position + 4096)
        if end < 0:
            raise _BrokenError("it ends inside the header")
        line = data[position:end]
        if arguments is not None:
            part = from_base64(line, padded=False)
            if part is None or len(line) > _COLUMNS:
                raise _BrokenError("a recipient's line is no base64")
            body += part
            if len(line) < _COLUMNS:
                stanzas.append(Stanza(arguments, body))
                arguments, body = None, b""
        elif line.startswith(b"-> "):
            arguments = tuple(line[3:].decode("ascii", "replace").split(" "))
        elif line.startswith(b"--- "):
            code = from_base64(line[4:], padded=False)
            if code is None or len(code) != 32:
                raise _BrokenError("the header's authentication code is damaged")
            return Header(tuple(stanzas), data[: position + 3], code, end + 1)
        else:
            raise _BrokenError("a line of the header is neither a recipient nor the code")
        position = end + 1


def dearmor(data: bytes) -> bytes:
    """
    Return the binary form of an armored file; raise `ValueError` if it is damaged.
    """
    try:
        return _dearmored(data)[0]
    except (_BrokenError, _FakeError) as error:
        raise ValueError(str(error)) from error


def _dearmored(data: bytes) -> tuple[bytes, bytes]:
    start = _ARMOR.search(data)
    if start is None:
        raise _BrokenError("no armor")
    end = _ARMOR_END.search(data, start.end())
    inner = data[start.end() : end.start() if end else None]
    lines = [line.strip() for line in inner.split(b"\n") if line.strip()]
    joined = b"".join(lines)
    raw = from_base64(joined)
    if raw is None:
        head = from_base64(joined[: min(len(joined), 40) // 4 * 4])
        if head is not None and VERSION_LINE.startswith(head[: len(VERSION_LINE)]) and head:
            raise _BrokenError("the armor is no whole base64: cut off or altered")
        raise _FakeError("between the armor's lines stands text that anyone can read"
                         if joined else "the armor is empty")  # fmt: skip
    if not raw:
        raise _BrokenError("the armor is empty")
    if not raw.startswith(VERSION_LINE):
        if VERSION_LINE.startswith(raw):
            raise _BrokenError("it ends inside the header")
        if is_readable(raw, minimum=1) and not raw.startswith(VERSION_LINE[:8]):
            raise _FakeError("the armor holds base64 of text that anyone can read")
        raise _BrokenError("the armor holds no age header")
    if end is None:
        raise _BrokenError("the armor's last line is gone")
    if any(len(line) != _COLUMNS for line in lines[:-1]) or len(lines[-1]) > _COLUMNS:
        raise _BrokenError("the armor's lines are not 64 columns wide")
    return raw, data[end.end() :]


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record for each age text in `data`: the file itself, or armored blocks.
    """
    if data.startswith(b"age-encryption.org/"):
        return [_record(data, 1)]
    records = []
    where = Lines(data)
    for start in _ARMOR.finditer(data):
        end = _ARMOR_END.search(data, start.end())
        records.append(_armored(data, start, end, where))
    if not records and extension(path) == "age" and is_readable(data, minimum=1):
        reason = "named as an age file, and text that anyone can read"
        records.append(SealRecord(format=FORMAT, state="fake", reason=reason))
    elif not records and extension(path) == "age" and data.strip():
        reason = "named as an age file, without its header"
        records.append(SealRecord(format=FORMAT, state="broken", reason=reason))
    return records


def _armored(
    data: bytes, start: re.Match[bytes], end: re.Match[bytes] | None, where: Lines
) -> SealRecord:
    line = where.at(start.start())
    block = data[start.start() : end.end() if end else None]
    try:
        raw, _ = _dearmored(block)
    except _BrokenError as error:
        return SealRecord(format=FORMAT, state="broken", reason=str(error), line=line)
    except _FakeError as error:
        return SealRecord(format=FORMAT, state="fake", reason=str(error), line=line)
    record = _record(raw, line)
    whole = not data[: start.start()].strip()
    if record.state == "sealed" and whole and end and data[end.end() :].strip():
        reason = "plain text follows the sealed block"
        rest = data[end.end() :]
        if _ARMOR_BYTES not in rest:
            return SealRecord(format=FORMAT, state="partly-sealed", reason=reason, line=line,
                              version="v1", recipients=record.recipients)  # fmt: skip
    return record


def _record(raw: bytes, line: int) -> SealRecord:
    names: tuple[str, ...] = ()
    try:
        header = _header(raw)
        names = tuple(dict.fromkeys(stanza.arguments[0] for stanza in header.stanzas))
        reason = _judge(raw, header)
        state = "sealed"
        if plain_run(raw[header.payload :]) is not None:
            state, reason = "partly-sealed", "plain text stands beside the sealed payload"
    except _BrokenError as error:
        state, reason = "broken", str(error)
        if is_readable(raw) and b"\n-> " not in raw[:200]:
            state, reason = "fake", "behind the header's line stands text that anyone can read"
            if raw.strip() == VERSION_LINE.strip():
                state, reason = "broken", "the first line stands alone: all else is gone"
    except _FakeError as error:
        state, reason = "fake", str(error)
    return SealRecord(
        format=FORMAT, state=state, reason=reason, line=line, version="v1", recipients=names
    )


def _judge(raw: bytes, header: Header) -> str:
    if not header.stanzas:
        raise _BrokenError("no recipient: no key can open it")
    for stanza in header.stanzas:
        _judge_stanza(stanza, len(header.stanzas))
    if is_filler(header.code):
        raise _FakeError("the header's authentication code is filler")
    payload = raw[header.payload :]
    if is_readable(payload):
        raise _FakeError("the payload is text that anyone can read")
    if len(payload) < 32:
        raise _BrokenError(f"it ends inside the payload: {len(payload)} bytes, 32 at least")
    rest = (len(payload) - 16) % _CHUNK
    if len(payload) - 16 > _CHUNK and 0 < rest <= 16:
        raise _BrokenError("it ends inside a chunk of the payload")
    return f"{len(header.stanzas)} recipients, {len(payload)} bytes of payload"


def _judge_stanza(stanza: Stanza, count: int) -> None:
    kind, *arguments = stanza.arguments
    if kind == "X25519":
        share = from_base64(arguments[0].encode(), padded=False) if len(arguments) == 1 else None
        if share is None or len(share) != 32 or len(stanza.body) != _WRAPPED:
            raise _BrokenError("an X25519 recipient is damaged")
    elif kind == "scrypt":
        salt = from_base64(arguments[0].encode(), padded=False) if len(arguments) == 2 else None
        if salt is None or len(salt) != 16 or not arguments[1].isdecimal():
            raise _BrokenError("the passphrase's salt is damaged")
        if len(stanza.body) != _WRAPPED or count != 1:
            raise _BrokenError("the key wrapped under the passphrase is damaged")
    elif kind == "ssh-ed25519" and (len(arguments) != 2 or len(stanza.body) != _WRAPPED):
        raise _BrokenError("an ssh-ed25519 recipient is damaged")
    elif kind == "ssh-rsa" and (len(arguments) != 1 or len(stanza.body) < 128):
        raise _BrokenError("an ssh-rsa recipient is damaged")


def canonical(text: bytes) -> bool:
    """
    Whether unpadded base64 is the one that its bytes give (no stray bits at its end).
    """
    raw = from_base64(text, padded=False)
    return raw is not None and base64.b64encode(raw).rstrip(b"=") == text
