"""
Values that are a piece of something larger: a line of a certificate, a part of a token, a digest
in a lock file.  Near a provider's word they look like its credential, and are none.
"""

from __future__ import annotations

from scanner.expressions import expression

_REACH = 240
_LONG_RUN = 60
"""So long an unbroken run of base64 is a text of its own, of which the value is a piece."""

_RUN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# What stands right before a run that is a digest; each but the last ends with what is in no run.
_DIGEST = expression(
    rb"(?i)(?:\b(?:sha-?(?:1|224|256|384|512)|md5|blake2b|h1)(?:[:=@-]|[\"']?\s?[:=]\s?[\"'])"
    rb"|\.t(?:ar\.)?gz#)\Z"
)
_DIGEST_ENDS = b":=@-\"'#"
_LONGEST_DIGEST = 24
_PACKAGE = expression(rb"(?i)/packages/[0-9a-f]{2}/[0-9a-f]{2}/[A-Za-z0-9+/]*\Z")
_INSIDE_TOKEN = expression(rb"eyJ[\w-]{6,}(?:\.[\w-]*){0,2}\Z")
_REST_OF_TOKEN = expression(rb"\.[\w-]{10}")
_WRAPPED = expression(rb"[\s\"'+*#/\\]*[A-Za-z0-9+/]{60,76}(?:\\n)?[\"'\s+\\,]*\Z")
_ALONE = expression(rb"[\s\"'+*#/\\]*\Z")


def piece_of_larger(data: bytes, start: int, end: int) -> bool:
    """
    Tell whether `data[start:end]` is only a piece of what stands there.
    """
    before = data[max(0, start - _REACH) : start]
    after = data[end : end + _REACH]
    # Asked for every value of a rule without a shape: the patterns wait until they may say yes.
    rest = before.rstrip(_RUN)
    if _digest(before, rest) or (b"eyJ" in before and _INSIDE_TOKEN.search(before)):
        return True
    if data.startswith(b"eyJ", start) and _REST_OF_TOKEN.match(after):
        return True
    beside = len(before) - len(rest) + len(after) - len(after.lstrip(_RUN))
    if beside and beside + end - start >= _LONG_RUN:
        return True
    return _ends_wrapped(before)


def _digest(before: bytes, rest: bytes) -> bool:
    if rest[-1:] in _DIGEST_ENDS and _DIGEST.search(rest[-_LONGEST_DIGEST:]):
        return True
    return b"/packages/" in before.lower() and _PACKAGE.search(before) is not None


def _ends_wrapped(before: bytes) -> bool:
    """
    Tell whether a value begins its line, and the line before is one of wrapped base64.
    """
    rest, newline, own = before.rpartition(b"\n")
    if not newline or not _ALONE.match(own):
        return False
    return _WRAPPED.match(rest.rpartition(b"\n")[2]) is not None
