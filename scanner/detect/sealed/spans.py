"""
Where ciphertext lies in a document, so that no other detector takes noise for a credential.
"""

from __future__ import annotations

import importlib
import re
import threading
from functools import lru_cache

import hyperscan

from scanner.expressions import expression

_MAX_BLOCK = 64 << 20
_SPANS = expression(
    rb"""(?x)
    ENC\[AES256_GCM,data:[^\]\r\n]*\]
    | \$ANSIBLE_VAULT;[^\r\n]*(?:\r?\n[ \t]*[0-9A-Fa-f]+(?=[ \t]*(?:\r?\n|\Z)))+
    | -----BEGIN\ AGE\ ENCRYPTED\ FILE-----[A-Za-z0-9+/=\s\\]*-----END
    | -----BEGIN\ PGP\ MESSAGE-----[^-]*-----END
    | [=:][ \t]*["']?encrypted:[A-Za-z0-9+/=]{100,}
    """
)
_MARKS = (b"ENC[AES256_GCM", b"$ANSIBLE_VAULT;", b"-----BEGIN AGE", b"-----BEGIN PGP MESSAGE",
    b"encrypted:", b"SealedSecret", b"PRIVATE KEY",
    b"PuTTY-User-Key-File-")  # fmt: skip
_thread = threading.local()
_SEALED_SECRET = expression(rb"kind[\"']?[ \t]*:[ \t\r\n]*[\"']?SealedSecret")
_LONG_VALUE = expression(rb":[ \t]*[\"']?(?P<value>A[gQ][A-Za-z0-9+/]{200,}={0,2})")
_SOPS_KEY = expression(
    rb"(?:enc|fp|mac|recipient|arn|created_at|lastmodified)[\"']?[ \t]*[:=][ \t]*[\"']?"
    rb"(?P<value>[^\s\"']{16,})"
)


def sealed_spans(data: bytes) -> list[tuple[int, int]]:
    """
    Return half-open ranges of bytes that are ciphertext (or its keys' public names), ascending.
    """
    if data.startswith((b"\0GITCRYPT\0", b"age-encryption.org/", b"U2FsdGVkX1", b"Salted__")):
        return [(0, len(data))]
    if not _marked(data):
        return []
    spans = [found.span() for found in _SPANS.finditer(data, 0, _MAX_BLOCK)]
    if _SEALED_SECRET.search(data):
        spans += [found.span("value") for found in _LONG_VALUE.finditer(data)]
    if spans and b"sops" in data:
        spans += [found.span("value") for found in _SOPS_KEY.finditer(data)]
    if b"PRIVATE KEY" in data or b"PuTTY-User-Key-File-" in data:
        # Loaded when a key is there: the hook pays for no parser that it does not need.
        keys = importlib.import_module("scanner.detect.sealed.private_key")
        spans += keys.sealed_spans(data)
    return _joined(sorted(spans))


@lru_cache(maxsize=1)
def _marks() -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[re.escape(mark) for mark in _MARKS],
        flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(_MARKS),
    )
    return database


def _marked(data: bytes) -> bool:
    # Most documents have no mark: one pass says so, where a search for each would be seven.
    if not hasattr(_thread, "scratch"):
        _thread.scratch = hyperscan.Scratch(_marks())
    seen: list[int] = []
    _marks().scan(data, lambda number, *_: seen.append(number), scratch=_thread.scratch)
    return bool(seen)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def inside(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """
    Whether a range lies wholly in one of the spans.
    """
    return any(first <= start and end <= last for first, last in spans)
