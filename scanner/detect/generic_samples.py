"""
Values that say of themselves that nobody made them to open anything: runs of letters and digits,
what a hand leaves on the home row, the word for a secret in disguise, and what is public by the
type that it is given to.
"""

from __future__ import annotations

from scanner.expressions import expression

_RUNS = b"abcdefghijklmnopqrstuvwxyz 0123456789 9876543210"
_TWO_RUNS = expression(rb"([a-z]{3,8})([0-9]{3,8})")
_HOME_ROW = expression(rb"[asdfghjkl]{4,12}|[a-z0-9-]{0,24}asdf[a-z0-9-]{0,24}")
_PLAIN = bytes.maketrans(b"01345$@", b"oieassa")
_IN_DISGUISE = expression(rb"(?:my|top|super)?[-_]?(?:secret|token)s?")
_PASSWORD = expression(rb"(?i)pass|pwd|\bpw")
_OF_PUBLIC = expression(rb"(?i)public_?key\w{0,12}[({][^(){}]*\Z")
_NEAR = 100
_LONGEST = 64
_HASHED = (b"sha1$", b"sha224$", b"sha256$", b"sha384$", b"sha512$", b"md5$")
_SHOWN = expression(rb"(?i)(?:\A|[^A-Za-z])(?:example|sample)[ \t]{1,3}\Z")
_ESCAPES = expression(rb"(?:\\[uU][0-9A-Fa-f]{4,8}){1,40}")
_COMMIT = expression(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_AMOUNT = expression(
    rb"-0x[0-9a-fA-F]{1,16}|[0-9]{1,6}(?:ns|us|ms|s|m|h|d|kb|mb|gb|KB|MB|GB|Ki|Mi|Gi)"
)
"""A number of the code, a time or a size."""

_ID = expression(rb"(?:[-_.]uid|UID|(?i:uuid|guid|ids))\Z")


def made_up(name: bytes, value: bytes) -> bool:
    """
    Return whether the look of a value says that it was made up while writing; not of a password:
    people choose such ones.
    """
    if len(value) > _LONGEST or _PASSWORD.search(name):
        return False
    plain = value.lower().translate(_PLAIN)
    if plain != value.lower() and _IN_DISGUISE.fullmatch(plain):
        return True
    if value.isdigit() and value in _RUNS:
        return True
    runs = _TWO_RUNS.fullmatch(value)
    if runs and runs[1] in _RUNS and runs[2] in _RUNS:
        return True
    return _HOME_ROW.fullmatch(value) is not None


def public(name: bytes, value: bytes, before: bytes, line: bytes) -> bool:
    """
    Return whether a value is public by the last word of its name, by the type that `before` the
    name says it is part of, an amount, a hash, the commit that its line links to, a sign that is
    written by its number, or called an example.
    """
    if _COMMIT.fullmatch(value) and b"/commit/" + value in line:
        return True
    if value.startswith(b"\\") and _ESCAPES.fullmatch(value):
        return True
    if _SHOWN.search(before[-_NEAR:]):
        return True
    return (
        _ID.search(name) is not None
        or _AMOUNT.fullmatch(value) is not None
        or value.startswith(_HASHED)
        or (name[-3:].lower() == b"key" and _OF_PUBLIC.search(before[-_NEAR:]) is not None)
    )
