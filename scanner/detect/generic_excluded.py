"""
Values under a telling name that open nothing: what is public by its nature, what is sealed already,
ids, and what no key or token looks like.

Labelled corpora call some of them credentials.  Nobody who is told of one can do anything about it.
"""

from __future__ import annotations

import re

_NAME = re.compile(
    rb"""(?ix)
    (?:signatures? | checksums? | (?:finger|thumb)prints? | digests? | etag | publickeytoken
      | hash | sig | nonce)\Z
  | public_?key | encrypted | key[-_.]?(?:down|up|press)
  | (?:primary|foreign|composite|unique|sort|partition)[-_.]?keys?\Z"""
)
_VALUES = (
    b"MIGfMA0G", b"MIIBIjANBg", b"MIICIjANBg", b"MFkwEwYHKoZI", b"LS0tLS1CRUdJTiBDRVJU",
    b"LS0tLS1CRUdJTiBQVUJ", b"-----BEGIN CERT", b"-----BEGIN PUBLIC", b"ssh-rsa ", b"AAAAB3NzaC1",
)  # fmt: skip
"""Public keys and certificates begin so: in DER, in base64 of PEM, in PEM, of SSH."""

_KEYBOARD = b"1234567890qwertyuiopasdfghjklzxcvbnm 0123456789 abcdefghijklmnopqrstuvwxyz"
_UUID = re.compile(rb"(?i)\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?")
# UUIDs name things.  Only where the name says that one opens something it may be a credential.
_OPENS = re.compile(
    rb"(?i)(?:tok|pass(?!p)|pw|secret|api|access[_.-]?key|auth|cred|sess|[cx]srf)(?!.*id\Z)|sessionid"
)

_TOKEN = re.compile(rb"(?i)token|key|jwt|cookie|session")
_ANY_SIGN = re.compile(rb"(?i)pass|pwd|secret|phrase|seed|mnemonic|salt|url")
_QUERY = re.compile(rb"\?\w+=[^?]*&")


def excluded(name: bytes, value: bytes) -> bool:
    """
    Return whether `value` opens nothing if it is given to `name`.
    """
    if _NAME.search(name) or value.startswith(_VALUES) or value.lower() in _KEYBOARD:
        return True
    if value.count(b"-") == 4 and _UUID.fullmatch(value) and not _OPENS.search(name):
        return True
    return (b"?" in value or b" " in value) and _has_foreign_sign(name, value)


def _has_foreign_sign(name: bytes, value: bytes) -> bool:
    """
    Return whether a value has a sign in it that keys and tokens do not have, whatever their
    issuer, and its name says that it is one; a password may have any.
    """
    if not _TOKEN.search(name) or _ANY_SIGN.search(name):
        return False
    if b"?" in value and not _QUERY.search(value):
        return True
    # A key of several lines may stand in one; so may the cookies of a header.
    return b" " in value and b"-----" not in value and b"cookie" not in name.lower()
