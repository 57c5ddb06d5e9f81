"""
What only looks like an assignment: constants of a class, what a hash is asked for, files with their
digests, licences by their ids.
"""

from __future__ import annotations

from scanner.expressions import expression

_DIGEST = expression(rb"(?i)[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}")
_FILE = expression(
    rb"(?i)\w\.(?:c|cc|cpp|cs|css|erb|go|h|hpp|html?|java|jsx?|json|lock|md|php|pl|pm|pp|py|rb|rs|rst"
    rb"|scss|sh|svg|toml|tsx?|txt|vue|xml|ya?ml)\Z|\ALICEN[CS]E\Z"
)
_SEPARATOR = expression(rb"[\"'`]?[ \t]{0,8}:?[ \t]{1,8}[\"'`]?")
_LICENCE = expression(rb"(?i)licen[cs]e_?-?id\Z")
_CONSTANT = expression(rb"[A-Z]\w*")
_ASKS = expression(rb"(?i)key\Z")


def listed(name: bytes, value: bytes, before: bytes, between: bytes) -> bool:
    """
    Return whether a value is not set: it is a constant (`Token::Comma`), what a table is asked for
    (`key?("os")`), the digest of the file that `before` and `name` are the path of, or the id of
    a licence.
    """
    if between == b"::":
        return _CONSTANT.fullmatch(value) is not None
    if between.startswith(b"?("):
        return _ASKS.search(name) is not None
    if _LICENCE.search(name):
        return True
    if _DIGEST.fullmatch(value) and _SEPARATOR.fullmatch(between):
        return before.endswith(b"/") or _FILE.search(name) is not None
    return False
