"""
What the score looks at: one row of numbers for a candidate, in plain Python.

Row = `CONTENT` features of the value, its name and its line, then `PATH` features, which are known
later in an audit (a blob is read before its path is known).
"""

from __future__ import annotations

from functools import lru_cache

from scanner.detect.features_value import VALUE_NAMES, parts_of, value_features
from scanner.detect.features_words import NAME_WORDS
from scanner.detect.generic_forms import Candidate, Form
from scanner.detect.generic_names import words_after_telling
from scanner.detect.score_tables import Tables
from scanner.expressions import expression

_COMPARE = expression(rb"[!=]==?|\b(?:eq|equals?|is)\b")
_COMMENT = expression(rb"\s*(?:#|//|/?\*|--|;|<!--|\"\"\"|[rR][eE][mM]\b)")
# `key, err := hex.DecodeString("…")`: what goes wrong is given a name too.
_AND_ERROR = expression(rb"\A,\s?(?:_|err|ok)(?=\s?:?=)")
_WORDS = expression(rb"[a-z]+")
_ASSERTS = (
    b"assert", b"expect", b"should", b"test", b"mock", b"stub", b"fake", b"dummy", b"example",
    b"sample",
)  # fmt: skip
_DECLARES = frozenset(
    b"def func function fn sub void public private static class interface import require return"
    b" if for".split()
)
_LOGS = (b"print", b"log", b"warn", b"error")
_LOG_WORDS = frozenset(
    b"echo throw raise message description title label text placeholder help".split()
)
_PASSWORDS = (b"passw", b"passphrase", b"pwd")
_SECRETS = frozenset(b"secret secrets token tokens credential credentials bearer".split())
_KEYS = frozenset(b"key keys apikey setkey aes hmac cipher encrypt decrypt sign".split())
_USERS = frozenset(b"user username login email admin root host account".split())
_NEAR = 200
_MEMORY = 4096

NAME_NAMES: tuple[str, ...] = (
    *(f"name.{name}" for name, _ in NAME_WORDS),
    "name_length", "name_parts", "name_unknown", "name_dots", "name_plural", "name_tail",
)  # fmt: skip
CONTENT_NAMES: tuple[str, ...] = (
    *VALUE_NAMES,
    *NAME_NAMES,
    "name_shared",
    # the syntax
    "form", "quote", "closed", "separator", "assigned", "called", "gap", "gap_blanks",
    "gap_escaped", "compared",
    "commented", "asserted", "declared", "logged", "indent", "line_length", "before_length",
    "last", "then_semicolon",
    "then_comma", "then_bracket", "then_more", "blanks", "words_after", "links", "nested",
    "local_url", "elided", "echoed", "near_password", "near_secret", "near_key", "near_user",
)  # fmt: skip
CONTENT = len(CONTENT_NAMES)


def content_features(candidate: Candidate, tables: Tables) -> tuple[float, ...]:
    """
    Return the features that need no path.
    """
    value = candidate.value
    return (
        *value_features(value, tables),
        *_name(candidate.name, tables),
        float(len(parts_of(candidate.name) & parts_of(value))),
        *_syntax(candidate, value),
    )


@lru_cache(_MEMORY)
def _name(name: bytes, tables: Tables) -> tuple[float, ...]:
    parts = parts_of(name)
    return (
        *[1.0 if pattern.search(name) else 0.0 for _, pattern in NAME_WORDS],
        float(len(name)),
        float(len(parts)),
        float(sum([not tables.knows(part) for part in parts])),
        float(name.count(b".")),
        float(name[-1:] in (b"s", b"S")),
        float(words_after_telling(name)),
    )


_QUOTES = {b'"': 0.0, b"'": 1.0, b"`": 2.0}
_SEPARATORS = {b"=": 0.0, b":": 1.0, b",": 2.0, b"(": 3.0, b">": 4.0, b"==": 5.0}


def _syntax(candidate: Candidate, value: bytes) -> tuple[float, ...]:
    line, start, end = candidate.line, candidate.start, candidate.end
    before, between = line[:start], _AND_ERROR.sub(b"", candidate.between)
    bare = between.replace(b"\\", b"").strip(b" \t\"'`")
    tail = line[end : end + 40].lstrip(b"\\\"'`")
    next_one = tail[:1]
    near = before[-_NEAR:].lower()
    words = set(_WORDS.findall(near))
    size = len(line)
    return (
        float(candidate.form),
        _QUOTES.get(between.rstrip(b" ")[-1:], -1.0),
        float(line[end : end + 4].lstrip(b"\\")[:1] in _QUOTES),
        _SEPARATORS.get(bare[:2].strip(), -1.0),
        float(bare.endswith((b"=", b":"))),
        float(b"(" in between),
        float(min(len(between), 60)),
        float(between.count(b" ")),
        float(b"\\" in between),
        float(_COMPARE.search(between) is not None),
        float(_COMMENT.match(line) is not None),
        float(any(word.startswith(_ASSERTS) for word in words)),
        float(not words.isdisjoint(_DECLARES)),
        float(not words.isdisjoint(_LOG_WORDS) or any(word.startswith(_LOGS) for word in words)),
        float(len(before) - len(before.lstrip())),
        float(min(size, 400)),
        float(min(start, 200)),
        float(next_one in (b"", b"\n", b"\r")),
        float(next_one == b";"),
        float(next_one == b","),
        float(next_one == b")"),
        float(tail.lstrip()[:1] in (b"+", b".", b"(", b"[", b"?", b"|")),
        line.count(b" ") / size,
        float(not tail.isspace() and _LETTER.search(tail) is not None),
        float(line.count(b"http")),
        float(b"{" in before or b"[" in before),
        float(candidate.form is Form.URL and b"localhost" in tail),
        float(tail.startswith((b"...", b"\xe2\x80\xa6"))),
        float(value.lower() in near),
        float(any(word.startswith(_PASSWORDS) for word in words)),
        float(not words.isdisjoint(_SECRETS)),
        float(not words.isdisjoint(_KEYS)),
        float(not words.isdisjoint(_USERS)),
    )


_LETTER = expression(rb"[A-Za-z]")
