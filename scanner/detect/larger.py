"""
Values that are a piece of something larger: a line of a certificate, a part of a token, a digest
in a lock file.  Near a provider's word they look like its credential, and are none.
"""

from __future__ import annotations

import re

_REACH = 240
_LONG_RUN = 60
"""So long an unbroken run of base64 is a text of its own, of which the value is a piece."""

_RUN_BEFORE = re.compile(rb"[A-Za-z0-9+/]*\Z")
_RUN_AFTER = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_DIGEST = re.compile(
    rb"(?i)(?:\b(?:sha-?(?:1|224|256|384|512)|md5|blake2b|h1)(?:[:=@-]|[\"']?\s?[:=]\s?[\"'])"
    rb"|\.t(?:ar\.)?gz#|/packages/[0-9a-f]{2}/[0-9a-f]{2}/)[A-Za-z0-9+/]*\Z"
)
_INSIDE_TOKEN = re.compile(rb"eyJ[\w-]{6,}(?:\.[\w-]*){0,2}\Z")
_REST_OF_TOKEN = re.compile(rb"\.[\w-]{10}")
_WRAPPED = re.compile(rb"[\s\"'+*#/\\]*[A-Za-z0-9+/]{60,76}(?:\\n)?[\"'\s+\\,]*\Z")
_ALONE = re.compile(rb"[\s\"'+*#/\\]*\Z")


def piece_of_larger(data: bytes, start: int, end: int) -> bool:
    """
    Tell whether `data[start:end]` is only a piece of what stands there.
    """
    before = data[max(0, start - _REACH) : start]
    after = data[end : end + _REACH]
    if _DIGEST.search(before) or _INSIDE_TOKEN.search(before):
        return True
    if data.startswith(b"eyJ", start) and _REST_OF_TOKEN.match(after):
        return True
    return _in_base64(before, after, end - start) or _ends_wrapped(before)


def _in_base64(before: bytes, after: bytes, length: int) -> bool:
    ahead, behind = _RUN_BEFORE.search(before), _RUN_AFTER.match(after)
    beside = (len(ahead[0]) if ahead else 0) + (len(behind[0].rstrip(b"=")) if behind else 0)
    return beside > 0 and beside + length >= _LONG_RUN


def _ends_wrapped(before: bytes) -> bool:
    """
    Tell whether a value begins its line, and the line before is one of wrapped base64.
    """
    rest, newline, own = before.rpartition(b"\n")
    if not newline or not _ALONE.match(own):
        return False
    return _WRAPPED.match(rest.rpartition(b"\n")[2]) is not None
