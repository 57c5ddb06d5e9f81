"""
How much a value is made of the words that placeholders are made of: a feature, not a verdict.

`detect.placeholder` says what is surely none; here `test`, `secret` and `1234` only weigh.
"""

from __future__ import annotations

import re

from scanner.expressions import expression

# Asked of lower-case text: where every branch begins with a letter, the search skips ahead in C.
_WORDS = expression(
    rb"""(?x)
    your | my(?<=\bmy) | example | sample | change[_ -]?me | change[_ -]?this | placeholder
    | replace | insert
  | dummy | fake | mock | foo | bar(?![a-z]) | baz | test | demo | todo | fixme | redacted
    | removed | hidden | masked
  | default | some | any | here | secret | password | passwd | token | api[_ -]?key | value | string
  | xxx | \*\*\* | \.\.\. | 1234 | abcd | qwerty | invalid | wrong | bogus | not[_ -]?a | none
    | null | undefined
  | enter | provide | specify | required | optional | user | admin | root | hello | world
    | letmein | lorem
    """
)
_BRACKETED = expression(
    rb"\A(?:<.*>|\[.*\]|\{.*\}|\(.*\)|\$.*|%.*%|_{2,}.*_{2,}|@.*@|#.*#)\Z", re.DOTALL
)
_MASKED = expression(rb"(?i)\A(?:(.)\1{3,}|[x*.\-_#0]+|.{0,8}[x*.]{6,}.{0,8})\Z", re.DOTALL)
_LONGEST = 200


def placeholder_likeness(value: bytes) -> float:
    """
    Return the share of a value that such words cover, 0 to 1; 2 if it is bracketed or masked
    as a whole.
    """
    if _BRACKETED.match(value) or _MASKED.match(value):
        return 2.0
    if len(value) > _LONGEST:
        return 0.0
    return sum(map(len, _WORDS.findall(value.lower()))) / len(value)
