"""
Names and values that cannot be a credential together.
"""

from __future__ import annotations

import re

# A key of a table or a keyboard opens nothing, and a UUID that is called an id is one.
_OF_DATABASES = re.compile(
    rb"(?i)(?:primary|foreign|composite|unique|sort|partition)[-_.]?keys?\Z|key[-_.]?(?:down|up|press)"
)
_ID_NAME = re.compile(rb"(?i)(?:credentials?|key|access|app|tenant|project|object)[-_.]?ids?\Z")
_UUID = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_TOKEN = re.compile(rb"(?i)token|key|jwt|cookie|session")
_ANY_SIGN = re.compile(rb"(?i)pass|pwd|secret|phrase|seed|mnemonic|salt|url")
_QUERY = re.compile(rb"\?\w+=[^?]*&")


def excluded(name: bytes, value: bytes) -> bool:
    """
    Return whether `value` opens nothing if it is given to `name`.
    """
    if _OF_DATABASES.search(name) or (_ID_NAME.search(name) and _UUID.fullmatch(value)):
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
