"""
Values that stand for a credential and are none: `xxxx`, `${TOKEN}`, `<your-key>`.
"""

from __future__ import annotations

import re

from scanner.detect.well_known import well_known
from scanner.expressions import expression

_WORDS = expression(
    rb"(?i)example|placeholder|changeme|change[_-](?:me|this)|redacted|dummy|"
    rb"your[_-]?(?:api|token|key|secret|password|access|private|client|account|own)|"
    rb"(?:insert|replace|enter|put|add)[_-](?:your|me|here|with)|[_-]here\b|"
    rb"to-?be-?replaced|notarealkey|not-?a-?real|foo_?bar|(?:deadbeef){2}|random[_-](?:password|secret|token|key)"
)
_SHAPES = expression(
    rb"\$\{?[A-Za-z_(][^\s]*|\$\([^)]*\)|\{\{.*\}\}|<[^<>]*>|%\([^)]*\)s|%[A-Za-z_]+%|"
    rb"\[[A-Za-z _-]+\]|"
    rb"#\{[^}]*\}|@[A-Za-z_.]+@",
    re.DOTALL,
)
TEMPLATE_SLOT = expression(rb"\{\{-?\s*[\w.:|-]+\s*(?:\}\}|\Z)")
"""A part that is filled in later: a value around it is a template and no credential."""

_NAME = expression(rb"(?:[a-z]{2,15}_){2,6}(?:string|value|data)")
"""`service_account_token_string`: what belongs there, by its name."""

_MASK = expression(rb"[xX]{6}|\*{4}|\.{4}|_{6}|-{8}|\xe2\x80\xa6|\xe2\x80\xa2{3}|0{10}|[?]{4}")
_REPEAT = expression(rb"(.)\1{7}|(.{2,4})\2{4}", re.DOTALL)
_REPEATED = 7
"""At least so many bytes of what it fits have stood before."""

_LONG = 200
_BINARY = 100
_NOUGHTS = expression(rb"A{8,}")
_BLANKS = expression(rb"\s+")
# `user:pass` and its kin in base64, as header and registry samples have it.
_TAUGHT = expression(
    rb"(?:dXNlcjpwYXNz(?:d29yZA==)?|dXNlcm5hbWU6cGFzc3dvcmQ=|Zm9vOmJhcg==|dGVzdDp0ZXN0)"
)
_RUNS = (
    b"abcdefghijklmnopqrstuvwxyz",
    b"01234567890123456789",
    b"qwertyuiopasdfghjklzxcvbnm",
    b"98765432109876543210",
)
_RUN_LENGTH = 8
_RUN_PARTS = frozenset(
    run[at : at + _RUN_LENGTH] for run in _RUNS for at in range(len(run) - _RUN_LENGTH + 1)
)
_LONG_RUN = expression(b"|".join(_RUNS[0][at : at + 12] for at in range(15)))
"""Chance makes no such run, however long the value around it is."""


def placeholder(value: bytes) -> str | None:
    """
    Return why `value` is no real credential, or `None`.
    """
    if _SHAPES.fullmatch(value):
        return "a reference to a value kept elsewhere"
    if TEMPLATE_SLOT.search(value):
        return "a template"
    if _WORDS.search(value) or _NAME.fullmatch(value):
        return "it says that it is an example"
    if _MASK.search(value):
        return "it is masked"
    if _repeats(value):
        return "the same characters over and over"
    if well_known(value):
        return "its vendor has published it as an example"
    if _TAUGHT.fullmatch(value):
        return "it says that it is an example"
    lowered = value.lower()
    parts = [lowered[at : at + _RUN_LENGTH] for at in range(0, len(value), 4)]
    runs = sum([part in _RUN_PARTS for part in parts])
    if runs * 8 >= len(value) or _LONG_RUN.search(lowered) or _ends_in_a_run(lowered):
        return "a run of the alphabet or the keyboard"
    return None


def _repeats(value: bytes) -> bool:
    """
    Return whether a value is the same over and over; of a long one a part in eight must be: the
    lines of a key are indented, and keys hold noughts.  Noughts are `A` in base64: messages of
    a protocol are half full of them.
    """
    if len(value) >= _BINARY:
        rest = _NOUGHTS.sub(b"", value)
        value = rest if 2 * len(rest) > len(value) else value
    if len(value) < _LONG:
        # What repeats so has few bytes of its own; most values have many.
        return len(set(value)) <= len(value) - _REPEATED and _REPEAT.search(value) is not None
    body = _BLANKS.sub(b"", value)
    return sum(len(found[0]) for found in _REPEAT.finditer(body)) * 8 >= len(body)


def _ends_in_a_run(value: bytes) -> bool:
    """
    Return whether the last part of an address is a run: the part before tells who, not what.
    """
    if b"://" not in value:
        return False
    last = value.rstrip(b"/").rpartition(b"/")[2]
    return len(last) >= _RUN_LENGTH and any(last in run for run in _RUNS)
