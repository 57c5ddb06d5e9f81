"""
transcrypt, and `openssl enc`: files that are base64 of `Salted__`, a salt and whole blocks.

Format: https://github.com/elasticdog/transcrypt
"""

from __future__ import annotations

import re

from scanner.detect.sealed.evidence import (
    base_name,
    extension,
    from_base64,
    is_filler,
    is_readable,
    plain_run,
)
from scanner.model import SealRecord

FORMAT = "transcrypt"
MAGIC = b"U2FsdGVkX1"
_SALTED = b"Salted__"
_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record if the whole file is the output of `openssl enc` with a salt.
    """
    del path
    if data.startswith(_SALTED):
        return [_record(*_judge(data))]
    if not data.startswith(MAGIC):
        return []
    lines = [line.rstrip(b"\r") for line in data.split(b"\n")]
    count = 0
    while count < len(lines) and _LINE.fullmatch(lines[count]):
        count += 1
    rest = b"\n".join(lines[count:]).strip()
    body = b"".join(lines[:count])
    raw = from_base64(body)
    if raw is None:
        if rest and (is_readable(rest) or not _LINE.match(lines[0][:40])) and len(body) < 64:
            return [_record("fake", "behind the first letters stands no base64")]
        return [_record("broken", "no whole base64: cut off or altered")]
    state, reason = _judge(raw)
    if state == "sealed" and rest:
        state, reason = "partly-sealed", "plain text follows the sealed body"
    return [_record(state, reason)]


def named_for_it(path: bytes | None) -> bool:
    """
    Whether the name says that the file is sealed by openssl.
    """
    return extension(path) == "enc" and not base_name(path).startswith(".")


def _record(state: str, reason: str) -> SealRecord:
    return SealRecord(format=FORMAT, state=state, reason=reason)


def _judge(raw: bytes) -> tuple[str, str]:
    if not raw.startswith(_SALTED):
        return "fake", "base64 of something without the salt's mark"
    salt, ciphertext = raw[8:16], raw[16:]
    if is_readable(ciphertext) or (is_readable(salt, minimum=8) and is_readable(raw)):
        return "fake", "behind the salt's mark stands text that anyone can read"
    if plain_run(ciphertext) is not None:
        return "partly-sealed", "plain text stands beside the ciphertext"
    if len(salt) < 8 or not ciphertext:
        return "broken", "it ends before the ciphertext"
    if len(ciphertext) % 16:
        return "broken", f"it ends inside a block: {len(ciphertext)} bytes of ciphertext"
    if is_filler(ciphertext):
        return "fake", "the ciphertext is filler"
    return "sealed", f"a salt and {len(ciphertext) // 16} whole blocks"
