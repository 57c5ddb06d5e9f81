"""
Reading one line: which values on it are given to a telling name, or have a telling form.

Nothing is judged here but the plainly impossible; `detect.score` says how likely the rest is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum

from scanner.detect.generic_excluded import begins_a_text, excluded
from scanner.detect.generic_listed import listed
from scanner.detect.generic_names import TELLING, is_telling
from scanner.detect.generic_orders import COMPARED, SHOUTED, SPOKEN, is_made
from scanner.detect.generic_samples import made_up, public
from scanner.detect.generic_whole import (
    ENCODED,
    JWK,
    LONGEST_SCHEME,
    PAIR,
    SHORT_OPTION,
    URL,
    URL_SCHEME,
    schemes,
)
from scanner.detect.placeholder import TEMPLATE_SLOT
from scanner.expressions import expression
from scanner.records import dataclass

MIN_VALUE = 4
MAX_VALUE = 4096


class Form(IntEnum):
    """
    How a candidate was recognised; the number is a feature of the score.
    """

    QUOTED = 0
    """A string literal after a telling name."""

    BARE = 1
    """An unquoted value after a telling name and a separator."""

    SCHEME = 2
    """What follows `Bearer`, `Basic` and their kin."""

    URL = 3
    """The password of a URL."""

    OPTION = 4
    """The argument of a command-line option."""

    KEY = 5
    """A private member of a JSON Web Key."""

    ELEMENT = 6
    """The text of an XML element or the value of an attribute pair."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A value that may be a credential, and the line that it stands on.
    """

    line: bytes
    """The line, or on a very long one the window around the value."""
    start: int
    end: int
    """The value within `line`."""

    name: bytes
    """What it is given to, as written; empty where nothing is."""

    between: bytes
    """What stands between name and value."""

    form: Form

    @property
    def value(self) -> bytes:
        """The value itself."""
        return self.line[self.start : self.end]


_SUFFIX = expression(rb"[\w.-]*")
_PREFIX = expression(rb"[\w.$-]*\Z")

# Every run of blanks is bounded: neighbours that share one would cost its cube.
_AFTER_NAME = expression(
    rb"""(?x)
    (?P<close> (?:\\*["'`])? [\]\)\}]{0,2} (?:\\*["'`*])? [?!]? )
    (?P<type> \s* : \s* [A-Za-z_&*\[][\w<>\[\].&?|*]{0,40} (?=\s+=[^=>]|=\s?["'`\w])
      | \s+ (?:string|str|text|varchar)\s*(?==) )?
    \s{0,24}
    (?P<sep> :=|=>|===?|!==?|\?\?=|\|\|=|\?=|\+=|=~|=|::|->|:|,|\(|>|<-|<<|\|\||\?\?
      |\bis\b|\bto\b )?
    \s{0,24}
    (?: [\s,;:]{0,24} \\*["']? (?:value|default|content|string|val|defaultValue) \\*["']? \s* [:=]>?
      \s* )?
    (?P<wrap> (?: [\[({&@!]{0,2} [\w.:\\]{0,40} [\[({] \s* ){0,3}
      (?:\[\]byte[({]|new\s+[\w.]{1,40}\(\s*)? )
    (?P<tag> \b[bBrRuUfFLN@$]{1,2}(?=["']) | @(?=") | \$(?=["']) )?
    (?P<quote> \"\"\" | ''' | `` | \\*["'`])?
    """
)
# Further literals on the line: `getenv("PASSWORD", "…")`, `put(PASSWORD, "…")`.
_LITERAL = expression(rb"""(\\*)(["'`])((?:(?!\1\2)[^\n]){4,512}?)\1\2""")
_BARE = expression(rb"""[^\s"'`,;<>(){}\[\]\\|&]{4,1024}""")
_BARE_SQUARE = expression(rb"""[^\s"'`<>\\]{4,1024}""")
_OPTION_NAME = expression(rb"(?:^|[\s\"'=(/])-{1,2}[\w-]*\Z")

_NAME_BEFORE = expression(rb"""([A-Za-z_][\w.-]*)["'`\])\s\\]*[=:>,(\s"'`\\{\[/-]*\Z""")


def values_on(line: bytes) -> list[Candidate]:
    """
    Return the candidates of one line, in order and without overlap.
    """
    found: dict[int, Candidate] = {}
    for candidate in _all_forms(line):
        if not MIN_VALUE <= candidate.end - candidate.start <= MAX_VALUE:
            continue
        if _impossible(candidate):
            continue
        known = found.get(candidate.start)
        if known is None or _better(candidate, known):
            found[candidate.start] = candidate
    return _without_overlap([found[start] for start in sorted(found)])


_QUOTES = (b'"', b"'", b"`")
_RANK = {
    Form.BARE: 1,
    Form.QUOTED: 2,
    Form.ELEMENT: 3,
    Form.KEY: 4,
    Form.OPTION: 5,
    Form.SCHEME: 6,
    Form.URL: 7,
}


def _better(one: Candidate, other: Candidate) -> bool:
    """
    Return whether `one` tells more of the same value: by its form, then by the nearer name that
    is none of a type.
    """
    return _telling_of(one) > _telling_of(other)


def _telling_of(one: Candidate) -> tuple[int, bool, int]:
    made = is_made(one.line, one.start - len(one.between) - len(one.name))
    return _RANK[one.form], not made, -len(one.between)


def describe(line: bytes, start: int, end: int) -> Candidate:
    """
    Return the candidate for a value that something else has found (a rule of a pack).
    """
    before = line[max(0, start - 80) : start]
    name, between = b"", before[-8:]
    for match in TELLING.finditer(before.lower()):
        begin = _begin_of_name(before, match.start())
        stop = _end_of_name(before, match.end())
        name, between = before[begin:stop], before[stop:]
    if not name:
        named = _NAME_BEFORE.search(before)
        if named:
            name, between = named[1], before[named.end(1) :]
    form = Form.QUOTED if before[-1:] in _QUOTES else Form.BARE
    return Candidate(line, start, end, name, between, form)


def _without_overlap(candidates: list[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    for candidate in candidates:
        if kept and candidate.start < kept[-1].end:
            # `"token=abc&x=1"`: the literal as a whole gives way to the value named inside it.
            inner = candidate.end <= kept[-1].end
            if (
                inner and candidate.start > kept[-1].start and b"=" in candidate.between[-2:]
            ) or _RANK[candidate.form] > _RANK[kept[-1].form]:
                kept[-1] = candidate
            continue
        kept.append(candidate)
    return kept


# With what stands on the line if anything does.
_WHOLE: tuple[tuple[re.Pattern[bytes], Form, tuple[bytes, ...]], ...] = (
    (PAIR, Form.OPTION, ()),
    (ENCODED, Form.OPTION, (b"ncode", b"btoa", b"Buffer.from")),
    (
        SHORT_OPTION,
        Form.OPTION,
        (b"sshpass", b"mysql", b"psql", b"redis-cli", b"docker", b"smbclient", b"net", b"htpasswd",
         b"openssl"),
    ),
    (JWK, Form.KEY, ()),
    (SHOUTED, Form.BARE, (b"SECRET", b"TOKEN", b"PASSWORD", b"ACCESS", b"PRIVATE", b"KEY")),
    (COMPARED, Form.QUOTED, (b"==", b"!=", b"<>")),
    (SPOKEN, Form.BARE, (b"dentified ", b"DENTIFIED ", b"password ", b"PASSWORD ", b"\\set ")),
)  # fmt: skip


def _all_forms(line: bytes) -> Iterator[Candidate]:
    lower = line.lower()
    yield from _after_names(line, lower)
    for match in schemes(line, lower):
        yield _matched(line, match, match.start("name"), Form.SCHEME)
    if b"@" in line:
        for match in URL.finditer(line):
            stop = match.start()
            scheme = URL_SCHEME.search(line, max(0, stop - LONGEST_SCHEME), stop)
            if scheme:
                yield _matched(line, match, scheme.start(), Form.URL)
    for pattern, form, words in _WHOLE:
        if words and not any(word in line for word in words):
            continue
        for match in pattern.finditer(line):
            begin = match.start("name")
            if pattern is SHOUTED:
                begin = _begin_of_name(line, begin)
            yield _matched(line, match, begin, form)


def _matched(line: bytes, match: re.Match[bytes], begin: int, form: Form) -> Candidate:
    start, end = match.span("value")
    first, last = match.span("between")
    # A name before the match ends where that begins.
    stop = match.end("name") if "name" in match.re.groupindex else first
    return Candidate(line, start, end, line[begin:stop], line[first:last], form)


def _begin_of_name(line: bytes, position: int) -> int:
    match = _PREFIX.search(line, max(0, position - 60), position)
    return match.start() if match else position


def _end_of_name(line: bytes, position: int) -> int:
    match = _SUFFIX.match(line, position, position + 60)
    return match.end() if match else position


def _after_names(line: bytes, lower: bytes) -> Iterator[Candidate]:
    done = 0
    for telling in TELLING.finditer(lower):
        if telling.start() < done:
            continue
        begin = _begin_of_name(line, telling.start())
        stop = _end_of_name(line, telling.end())
        done = stop
        yield from _after_name(line, begin, stop)


def _after_name(line: bytes, begin: int, stop: int) -> Iterator[Candidate]:
    name = line[begin:stop]
    match = _AFTER_NAME.match(line, stop)
    if match is None:
        return
    start = match.end()
    if match["quote"]:
        end = _end_of_literal(line, start, match["quote"])
        form = Form.ELEMENT if match["sep"] == b">" else Form.QUOTED
        yield Candidate(line, start, end, name, line[stop:start], form)
        # The literal may only be the key: `getenv("PASSWORD", "…")`, `if x == "a" else "b"`.
        yield from _next_literal(line, name, stop, end + len(match["quote"]))
        return
    if match["sep"] and not match["wrap"]:
        yield from _bare(line, name, stop, match)
    elif _OPTION_NAME.search(line, max(0, begin - 2), stop) and line[stop : stop + 1] in b" \t":
        bare = _BARE_SQUARE.match(line, start)
        if bare:
            yield Candidate(line, start, bare.end(), name, line[stop:start], Form.OPTION)
    yield from _next_literal(line, name, stop, stop)


def _bare(line: bytes, name: bytes, stop: int, match: re.Match[bytes]) -> Iterator[Candidate]:
    start = match.end()
    element = match["sep"] == b">"
    pattern = (
        _BARE_SQUARE
        if element or (match["sep"] in (b":", b"=") and line[:stop].strip() == name)
        else _BARE
    )
    bare = pattern.match(line, start)
    if bare is None:
        return
    end = bare.end()
    padded = _PADDED.match(line, start, end)
    if padded:
        end = padded.end()
    while end > start and line[end - 1 : end] in b".,;:" and end - start > MIN_VALUE:
        end -= 1
    if line[end : end + 1] in (b"(", b"[", b"{") or line[start : start + 1] in (b"=", b"$"):
        return
    if begins_a_text(name, line, start, end):
        return
    yield Candidate(
        line, start, end, name, line[stop:start], Form.ELEMENT if element else Form.BARE
    )


def _next_literal(line: bytes, name: bytes, stop: int, position: int) -> Iterator[Candidate]:
    match = _LITERAL.search(line, position, position + 160)
    if match is None or match.start() - stop > 100 or b";" in line[position : match.start()]:
        return
    if _OTHER_NAME.search(line, stop, match.start()):
        return
    yield Candidate(
        line, match.start(3), match.end(3), name, line[stop : match.start(3)], Form.QUOTED
    )


def _end_of_literal(line: bytes, start: int, quote: bytes) -> int:
    position = start
    while True:
        end = line.find(quote, position, start + MAX_VALUE)
        if end < 0:
            # The line was cut, or the literal goes on over the next: an unbroken run will do.
            run = _UNBROKEN.match(line, start, start + MAX_VALUE)
            return run.end() if run else start
        if len(quote) > 1 or line[end - 1 : end] != b"\\" or line[end - 2 : end - 1] == b"\\":
            return end
        position = end + 1


# `"credentials": {"region": "…"}`: the literal has a name of its own.
_OTHER_NAME = expression(
    rb"""(?x) (?<![\w-]) (?!(?:value|default|defaultValue|content|string|val|data|with)\b)
    [A-Za-z_][\w.-]* \\*["']? \s? [:=] >? \s* \Z"""
)
# Nothing goes on behind the padding of base64: what stands there is the sentence around it.
_PADDED = expression(rb"[A-Za-z0-9+/]{14,}={1,2}(?=[^\w+/=])")
_UNBROKEN = expression(rb"[\w+/=.~%-]{40,}(?=\s*\Z)")

_REFERENCE = expression(
    rb"""(?ix) \A (?: \$[\w{(] | \{\{ | <%? [\w\s%./-]+ >? \Z | %\( | %[sdv]\Z | \#\{ | @\{
    | \*+\Z | x+\Z | \.+\Z | -+\Z
    | (?:self|this|process\.env|os\.environ|env|config|settings|options|params|request|req|args)
      \.[\w.]+\Z
    | true\Z | false\Z | null\Z | none\Z | nil\Z | undefined\Z | string\Z | required\Z
      | optional\Z )"""
)

# A value cut short by dots lets nobody in.
_NOT_WHOLE = expression(rb"(?:\.\.\.|\xe2\x80\xa6)\Z")
# Moments (in seconds, milliseconds, as dates), and the security identifiers of Windows.
_PUBLIC = expression(
    rb"1[2-9]\d{8}(?:\d{3})?\Z|S-1-5-\d|(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ][\d:.]{4,18}Z?)?\Z"
)
_NO_SECRET_NAME = expression(
    rb"(?i)(?:user(?:name)?|host(?:name)?|expir\w*|_utc|_at|type|policy)\Z"
)
# `response["vendor"]`: the literal is a key to look something up by.
_SUBSCRIPT = expression(rb"[\w\])]\[[\"'`]\Z")


def _impossible(candidate: Candidate) -> bool:
    value = candidate.value
    if _REFERENCE.match(value) or TEMPLATE_SLOT.search(value):
        return True
    if excluded(candidate.name, value) or value.count(b" ") > 8:
        return True
    before = candidate.line[: candidate.start - len(candidate.between) - len(candidate.name)]
    if made_up(candidate.name, value) or public(candidate.name, value, before, candidate.line):
        return True
    if listed(candidate.name, value, before, candidate.between):
        return True
    if _NOT_WHOLE.search(value + candidate.line[candidate.end :][:3]):
        return True
    if _PUBLIC.match(value) or _NO_SECRET_NAME.search(candidate.name):
        return True
    _, dot, last = candidate.name.rpartition(b".")
    if dot and value.isalpha() and candidate.form <= Form.BARE and not is_telling(last):
        return True  # `token.page.title=Welcome`
    if candidate.between[-2:-1] == b"[" and candidate.line[candidate.end + 1 :][:1] == b"]":
        return bool(_SUBSCRIPT.search(candidate.between))
    return value.lower().strip(b"_-") == candidate.name.lower().strip(b"_-$")
