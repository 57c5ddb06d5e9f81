"""
Ansible Vault: whole files and inline values, format 1.0 to 1.2.

Format: https://docs.ansible.com/ansible/latest/vault_guide/vault_encrypting_content.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.detect.sealed.ansible_vault_tags import tagged
from scanner.detect.sealed.evidence import (
    Lines,
    base_name,
    extension,
    from_base64,
    from_hex,
    is_filler,
    is_padded_text,
    is_readable,
    tells,
)
from scanner.detect.sealed.line_reader import Leaf, read_lines
from scanner.model import SealRecord

FORMAT = "ansible-vault"
MAGIC = b"$ANSIBLE_VAULT"

# A header stands at the start of its line, or right after `!vault |`, a quote or an escape.
_HEADER = re.compile(
    rb"(?P<before>^[ \t]*|\A\xef\xbb\xbf|[:\-][ \t]+(?:!vault(?:-encrypted)?[ \t]+)?[\"'])"
    rb"(?P<header>\$ANSIBLE_VAULT(?:;[^\r\n\\\"']{0,200})?)(?P<end>\r?\n|\r|\Z|\\r?\\n|\\n|[\"'])",
    re.MULTILINE,
)
_VERSIONS = frozenset({b"1.0", b"1.1", b"1.2"})
_CIPHERS = frozenset({b"AES", b"AES256"})
_TAGGED = re.compile(rb"!vault(?:-encrypted)?[ \t]+[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n\Z")
_BLOCK = re.compile(rb"[:\-][ \t]+[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n\Z")
_HEX_LINE = re.compile(rb"[0-9A-Fa-f]+")
_BODY = re.compile(rb"[0-9A-Fa-f]{40,}\r?\n")
_NO_TEXT = re.compile(rb"(?:\xef\xbb\xbf|\s|---|%YAML[^\n]*)*")
_CONFLICT = re.compile(rb"^(?:<{7}|={7}|>{7})", re.MULTILINE)
_PROSE = frozenset({"md", "rst", "adoc", "html", "htm", "tex", "ipynb", "diff", "patch", "log"})
_VAULT_NAME = re.compile(r"^(?:.*[-_.])?vault(?:[-_.].*)?\.(?:ya?ml|json)$|\.vault$")
_VARS_FOLDER = re.compile(rb"(?:^|/)(?:group_vars|host_vars|vars|inventor(?:y|ies))/")
_LONGEST_LEAD = 400  # bytes before a header on its line
_LONGEST_HEADER = 240  # bytes, with the end of the line
_SALT_SIZE = 32
_BLOCK_SIZE = 16


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    One vault text as found: its header, body and place.
    """

    version: str
    cipher: str
    label: str | None
    body: bytes
    """The hex digits of all body lines, joined."""

    lines: int
    inline: bool
    start: int
    end: int
    """Byte offsets of header and body in the file, half-open."""

    trailing: bytes = b""
    """What follows the body and belongs to no value (whole files)."""

    stray: bytes = b""
    """The first line in the body that is not hex."""

    indented: bool = False

    lead: bytes | None = None
    """What stands before a header that is not the first line, though nothing else holds it."""


_BLANK = re.compile(rb"[\xef\xbb\xbf \t\r\n]*")
_FOLLOWING = re.compile(rb"[\r\n]*[ \t\v\f]")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)?")


def envelopes(data: bytes) -> Iterator[Envelope]:
    """
    Yield each vault text of a file: the file itself, or its inline values.
    """
    position = 0
    blank = _BLANK.match(data)
    first = blank.end() if blank else 0
    while True:
        found = _header(data, position)
        if found is None:
            return
        whole = found.start("header") <= first
        if found["end"][:1] in (b"\\", b'"', b"'"):
            envelope = _quoted(data, found)
        else:
            envelope = _block(data, found, whole=whole)
        if envelope is not None:
            yield envelope
        position = max(found.end(), envelope.end if envelope else 0)


def _header(data: bytes, position: int) -> re.Match[bytes] | None:
    # The magic word is sought at the speed of the machine, and only its line is looked at.
    at = data.find(MAGIC, position)
    while at >= 0:
        line = max(position, data.rfind(b"\n", at - _LONGEST_LEAD, at) + 1, at - _LONGEST_LEAD)
        found = _HEADER.search(data, line, at + _LONGEST_HEADER)
        if found is not None:
            return found
        at = data.find(MAGIC, at + len(MAGIC))
    return None


def _fields(header: bytes) -> tuple[str, str, str | None]:
    parts = [part.strip().decode("utf-8", "replace") for part in header.split(b";")]
    parts += [""] * (3 - len(parts))
    return parts[1], parts[2], parts[3] if len(parts) > 3 and parts[3] else None


def _quoted(data: bytes, found: re.Match[bytes]) -> Envelope | None:
    if found["end"] in (b'"', b"'"):
        body, end = b"", found.end()
    else:
        close = data.find(found["before"][-1:], found.end())
        end = close if close >= 0 else len(data)
        body = re.sub(rb"\\r|\\n|\s", b"", data[found.end() : end])
    version, cipher, label = _fields(found["header"])
    return Envelope(version, cipher, label, body, 1, True, found.start("header"), end)


def _block(data: bytes, found: re.Match[bytes], *, whole: bool) -> Envelope | None:
    before = data[max(0, found.start() - 200) : found.start()]
    lead = None
    inline = not whole
    if inline and not _TAGGED.search(before) and not _BLOCK.search(before):
        if found["before"] or not _BODY.match(data, found.end()):
            return None  # prose that quotes a header
        lead, inline = data[: found.start()].strip(), False
    indent = len(found["before"].replace(b"\xef\xbb\xbf", b"").expandtabs(8))
    parts: list[bytes] = []
    stray = b""
    position = end = found.end()
    indented = whole and indent > 0
    # Line by line from here: a file of many values must not be copied for each of them.
    for raw in _lines(data, position):
        line = raw.strip()
        depth = len(raw.expandtabs(8)) - len(raw.expandtabs(8).lstrip(b" \t"))
        if inline and line and depth < indent:
            break
        if line and not _HEX_LINE.fullmatch(line):
            stray = line
            break
        if not line and not raw.endswith((b"\n", b"\r")):
            break
        position += len(raw)
        if line:
            parts.append(line)
            end = position
            indented = indented or (whole and depth > 0)
        elif inline and not _FOLLOWING.match(data, position):
            break
    version, cipher, label = _fields(found["header"])
    trailing = data[position:] if whole and stray else b""
    return Envelope(
        version, cipher, label, b"".join(parts), len(parts), inline, found.start("header"),
        max(end, found.end()), trailing=trailing, stray=stray, indented=indented, lead=lead,
    )  # fmt: skip


def _lines(data: bytes, position: int) -> Iterator[bytes]:
    while (found := _LINE.match(data, position)) and found[0]:
        position = found.end()
        yield found[0]


@dataclass(frozen=True, slots=True)
class Parts:
    """
    The three parts of a 1.1 or 1.2 body.
    """

    salt: bytes
    code: bytes
    """HMAC-SHA256 of the ciphertext."""

    ciphertext: bytes


def parts_of(envelope: Envelope) -> Parts | None:
    """
    Return salt, authentication code and ciphertext; `None` if the body has not this shape.
    """
    outer = from_hex(envelope.body)
    fields = outer.split(b"\n", 2) if outer else []
    if len(fields) != 3:
        return None
    salt, code, ciphertext = (from_hex(field) for field in fields)
    if salt is None or code is None or ciphertext is None:
        return None
    return Parts(salt, code, ciphertext)


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record for each vault text in `data`, and for each telling value left plain beside.
    """
    records: list[SealRecord] = []
    if MAGIC in data:
        where = Lines(data)
        prose = extension(path) in _PROSE  # a page may show a vault
        found = [one for one in envelopes(data) if one.lead is None or not prose]
        for envelope in found:
            state, reason = judge(envelope)
            records.append(_record(envelope, state, reason, where))
        sealed_whole = any(not envelope.inline for envelope in found)
        if found and not sealed_whole:
            records += _left_plain(data, "partly-sealed", "stands plain beside sealed values")
    if b"!vault" in data:
        records += tagged(data, path)
    if not records and is_vault_name(path) and extension(path) != "json":
        records += _left_plain(data, "plaintext", "lies open in a file that is named a vault")[:1]
    return records


def is_vault_name(path: bytes | None) -> bool:
    """
    Whether a path says that its file is a vault of variables.
    """
    if path is None or not _VAULT_NAME.search(base_name(path)):
        return False
    return base_name(path).endswith(".vault") or bool(_VARS_FOLDER.search(path))


def _record(envelope: Envelope, state: str, reason: str, where: Lines) -> SealRecord:
    detail = [("cipher", envelope.cipher), ("kind", "inline" if envelope.inline else "file")]
    if envelope.indented:
        detail.append(("note", "indented: Ansible reads it only once the blanks are gone"))
    parts = parts_of(envelope) if state == "sealed" else None
    if parts is not None:
        detail.append(("salt", parts.salt.hex()[:16]))
    return SealRecord(
        format=FORMAT,
        state=state,
        reason=reason,
        line=where.at(envelope.start),
        version=envelope.version or None,
        label=envelope.label,
        detail=tuple(detail),
    )


def judge(envelope: Envelope) -> tuple[str, str]:
    """
    Return state and reason of one vault text, from its structure alone.
    """
    state, reason = _judge_body(envelope)
    if state == "fake":
        return state, reason
    if envelope.version.encode() not in _VERSIONS:
        return "broken", f"the header names no known version: {_shown(envelope.version)}"
    if envelope.cipher.encode() not in _CIPHERS:
        return "broken", f"the header names no known cipher: {_shown(envelope.cipher)}"
    if state == "sealed" and envelope.trailing.strip():
        return "partly-sealed", "plain text follows the sealed body"
    if state == "sealed" and envelope.lead is not None:
        return _displaced(envelope.lead)
    return state, reason


def _displaced(lead: bytes) -> tuple[str, str]:
    # Ansible looks at the first bytes alone: such a file is text to it, and stays sealed for ever.
    if _CONFLICT.search(lead):
        return "broken", "a merge conflict stands in it: Ansible reads no vault here"
    if _NO_TEXT.fullmatch(lead):
        return "broken", "the header is not the first line: Ansible reads no vault here"
    return "partly-sealed", "plain text stands before the sealed body"


def _shown(text: str) -> str:
    return repr(text[:20]) if text else "nothing"


def _judge_body(envelope: Envelope) -> tuple[str, str]:
    body = envelope.body
    if not body:
        if envelope.stray:
            return "fake", f"what follows the header is no hex: {_nature(envelope)}"
        return "broken", "the header stands alone: its body is gone"
    outer = from_hex(body)
    if outer is None and _HEX_LINE.fullmatch(body):
        outer = from_hex(body[:-1]) or b""
        if _starts_as_vault(outer):
            return "broken", f"the body ends inside a byte: {_extent(envelope)}"
        return "fake", "the body is hex, but of no vault"
    if outer is None:
        plain = from_base64(body)
        if plain is not None and is_readable(plain, minimum=4):
            return "fake", "the body is base64 of text that anyone can read"
        if from_hex(body[:40]) is not None and _starts_as_vault(from_hex(body[:40]) or b""):
            return "broken", "the body holds characters that are no hex"
        return "fake", "the body is no hex"
    if outer.startswith(b"Salted__"):
        return _judge_old(outer)
    inner = from_hex(outer.replace(b"\n", b""))
    if inner is not None and is_readable(inner):
        return "fake", "the body is hex of hex of text that anyone can read"
    if not _starts_as_vault(outer):
        if is_readable(outer, minimum=1):
            return "fake", "the body is hex of text that anyone can read"
        if _nearly_vault(outer):
            return "broken", "the body is altered: its parts are no hex"
        return "fake", "the body has none of the three parts of a vault"
    return _judge_parts(envelope, outer)


def _judge_parts(envelope: Envelope, outer: bytes) -> tuple[str, str]:
    torn = envelope.stray and not envelope.trailing
    fields = outer.split(b"\n", 2)
    names = ("salt", "authentication code", "ciphertext")
    for name, field in zip(names, fields, strict=False):
        if not _HEX_LINE.fullmatch(field) and field:
            return "broken", f"the {name} is altered: it is no hex"
    if len(fields) < 3 or not fields[2]:
        name = names[min(len(fields), 3) - 1]
        return "broken", f"the body ends inside the {name}: {_extent(envelope)}"
    if len(fields[0]) != _SALT_SIZE * 2:
        return "broken", f"the salt has {len(fields[0])} hex digits, not 64"
    if len(fields[1]) != 64:
        return "broken", f"the authentication code has {len(fields[1])} hex digits, not 64"
    parts = parts_of(envelope)
    if parts is None or len(parts.ciphertext) % _BLOCK_SIZE:
        return "broken", f"the body ends inside the ciphertext: {_extent(envelope)}"
    if is_padded_text(parts.ciphertext):
        return "fake", "the ciphertext is hex of text that anyone can read"
    if any(is_filler(part) for part in (parts.salt, parts.code, parts.ciphertext)):
        return "fake", "salt, code or ciphertext is filler"
    if torn:
        return "broken", "a line of the body is no hex"
    return "sealed", f"{len(parts.ciphertext) // _BLOCK_SIZE} whole blocks behind salt and code"


def _judge_old(outer: bytes) -> tuple[str, str]:
    ciphertext = outer[16:]
    if is_readable(ciphertext):
        return "fake", "the ciphertext is hex of text that anyone can read"
    if not ciphertext or len(ciphertext) % _BLOCK_SIZE:
        return "broken", "the body ends inside the ciphertext"
    return "sealed", "AES of format 1.0: old and weak, re-encrypt it"


def _starts_as_vault(outer: bytes) -> bool:
    if b"Salted__".startswith(outer[:8]) and outer:
        return True
    salt = outer.split(b"\n", 1)[0]
    whole = b"\n" in outer or len(outer) < 64
    return bool(outer) and bool(_HEX_LINE.fullmatch(salt)) and (whole or len(salt) > 40)


def _nearly_vault(outer: bytes) -> bool:
    digits = sum(byte in b"0123456789abcdefABCDEF\n" for byte in outer)
    return digits * 20 >= len(outer) * 18


def _extent(envelope: Envelope) -> str:
    lines = "1 line" if envelope.lines == 1 else f"{envelope.lines} lines"
    return f"{lines}, {len(envelope.body)} hex digits"


def _nature(envelope: Envelope) -> str:
    plain = from_base64(envelope.stray)
    if plain is not None and is_readable(plain, minimum=4):
        return "base64 of text that anyone can read"
    return "text that anyone can read"


def _left_plain(data: bytes, state: str, words: str) -> list[SealRecord]:
    records = []
    for leaf in read_lines(data.decode("utf-8", "replace")):
        if _open_value(leaf):
            reason = f"{leaf.path[-1]!r} {words}"
            records.append(SealRecord(format=FORMAT, state=state, reason=reason, line=leaf.line))
    return records


def _open_value(leaf: Leaf) -> bool:
    names = [part for part in leaf.path if not part.startswith("#")]
    if not names or leaf.value.lstrip().startswith("$ANSIBLE_VAULT") or leaf.value[:1] in "*&[{":
        return False
    if leaf.tag is not None and leaf.tag.startswith("!vault"):
        return False
    return tells(names[-1], leaf.value)
