"""
`ACME_CLIENT_ID=…` beside `ACME_SECRET=…`: values by the name that they are set under.

A name counts if it ends in a wanted one and is the provider's, or the secret's own
name begins as it does, or nothing else is in it: `OTHER_ID` is nobody's business here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from scanner.detect.patterns import compiled
from scanner.detect.placeholder import placeholder

DEFAULT_VALUE = r"[\w.@+-]{2,100}"
# Whole words only and without a way back: a long run must not be tried at every letter.
_NAME = rb"(?<!\w)(?P<n>(?:[A-Za-z]\w{0,24}+ )?[A-Za-z][\w.-]{0,63}+)"
_VALUE = (
    rb"(?:\"(?P<v>[^\"\r\n]{1,300})\"|'(?P<v>[^'\r\n]{1,300})'"
    rb"|(?P<v>[^\s\"'`,;(){}<>&\[\]]{1,300}+)(?=[\s,;)}<&\]\"'`]|\Z))"
)
_FORMS = (
    # NAME=value, name: value, "name" => "value", obj["name"] = value
    # The value is looked at and not passed: in a URL it may hold further names.
    _NAME + rb"[\"'`]?\]?[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8}(?=" + _VALUE + rb")",
    # - name: NAME          {"name": "NAME", "value": "…"}      <add key="NAME" value="…"/>
    #   value: …
    rb"\b(?:name|key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?" + _NAME
    + rb"[\"']?[,\s]\s{0,40}[\"']?value[\"']?\s{0,4}[:=]\s{0,4}" + _VALUE,
    # <name>value</name>
    rb"<" + _NAME + rb">\s{0,40}(?P<v>[^<>\s]{1,300})\s{0,40}</",
    # --name value
    rb"--" + _NAME + rb"[ \t]+" + _VALUE,
    # a call with a name and a value
    rb"\(\s{0,8}[\"']" + _NAME + rb"[\"']\s{0,8},\s{0,40}[\"'](?P<v>[^\"'\s]{1,300})[\"']",
)  # fmt: skip
# `curl -u user:secret`, `https://user:secret@host`
_USER = re.compile(rb"(?:(?:-u|--user)[ =][\"']?|://)(?P<v>[^\s:/@\"']{1,100}):\Z")
_USER_REACH = 120
_TIMEOUT_S = 0.5
_WORD = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_BLOCKS = re.compile(
    rb"\n[ \t]*\r?\n|[}\]]\s*,?\s*[{\[]|\n-{3}|\n[ \t]*\[|\}\s*,\s*\"\w+\"\s*:\s*\{"
)
_PLAIN = frozenset(
    b"my the our app application api rest http https auth basic oauth oauth2 default main prod "
    b"production dev development test testing stage staging live sandbox env const let var val "
    b"export set string str public private static final readonly config conf settings x account "
    b"client user service key access credential credentials new self this data local global "
    b"process name value def type param header input spring vite next react secret token".split()
)
_ENDINGS = frozenset(b"prod production dev development test staging stage live sandbox".split())
_NOTHING = re.compile(
    rb"(?i)(?:true|false|yes|no|on|off|null|none|nil|undefined|void|nan|string|str|text|number|int|"
    rb"integer|bool|boolean|object|array|required|optional|default|any|unknown|todo|tbd|n/?a|"
    rb"value|id|key|secret|token|user|username|email|host|hostname|domain|url|name|changeme|"
    rb"(?:user|me|you|name|email|admin|someone|somebody)@(?:domain|mail|email|company|site)\.\w+|"
    rb"[^@]*@?example\.(?:com|org|net)|foo|bar|baz)\Z"
)
_REFERENCE = re.compile(
    rb"(?i)\$|%\w+%|(?:self|this|process|os|env|environ|config|conf|settings|args|argv|options|opts|"
    rb"params|req|request|ctx|context|props|data|vars?|local|locals|secrets|module|each|inputs|"
    rb"values|state|credentials|account|client)\.[a-z_]"
)
_LONGEST_WORDS = 8
_SEPARATORS = b" _-."


class NamedValue(NamedTuple):
    """
    Something that is set to a value.
    """

    name: bytes
    start: int
    end: int
    text: bytes
    quoted: bool

    @property
    def words(self) -> tuple[bytes, ...]:
        """The name's parts in lower case."""
        return _words(self.name)


class Wanted(NamedTuple):
    """
    The names that a companion goes by, and what its value looks like.
    """

    names: tuple[bytes, ...]
    """Without separators, in lower case; the better ones first."""

    ends: tuple[bytes, ...]
    """How a name may end, without separators: nearly all names are told apart by it."""

    pattern: Any

    @classmethod
    def of(cls, names: tuple[str, ...], value: str | None) -> Wanted:
        """
        Return what these names and this pattern stand for.
        """
        joined = tuple(b"".join(_WORD.findall(name.lower().encode())) for name in names)
        ends = tuple(name + end for name in joined for end in (b"", *sorted(_ENDINGS)))
        return cls(joined, ends, compiled(value or DEFAULT_VALUE))

    def may_stand_in(self, text: bytes) -> bool:
        """
        Say whether a `squeezed` text could hold one of these; cheap, and sure only of a no.
        """
        return b"user".endswith(self.ends) or any(name in text for name in self.names)

    def may_be(self, value: NamedValue) -> bool:
        """
        Say whether a name could be one of these; cheap, and sure only of a no.
        """
        return squeezed(value.name).endswith(self.ends)

    def fitting(self, text: bytes) -> bytes | None:
        """
        Return the value in `text` if all of that is as it must be.
        """
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        value: bytes = match["value"] if "value" in self.pattern.groupindex else match[0]
        return value


def squeezed(text: bytes) -> bytes:
    """
    Return a text in lower case and without what separates a name's words.
    """
    return text.lower().translate(None, _SEPARATORS)


def words_of(name: str) -> bytes:
    """
    Return a provider's name or a rule's word without separators, in lower case.
    """
    return b"".join(re.findall(rb"[a-z0-9]+", name.lower().encode()))


def named_values(data: bytes, secret: int) -> Iterator[NamedValue]:
    """
    Yield what is set under a name in `data`; the secret begins at `secret`.
    """
    for form in _FORMS:
        for match in _compiled(form).finditer(data, timeout=_TIMEOUT_S):
            start, end = match.span("v")
            quoted = data[start - 1 : start] in (b'"', b"'")
            yield NamedValue(match["n"], start, end, match["v"], quoted)
    user = _USER.search(data, max(0, secret - _USER_REACH), secret)
    if user is not None:
        yield NamedValue(b"user", user.start("v"), user.end("v"), user["v"], True)


def rank_of(
    words: tuple[bytes, ...],
    wanted: Wanted,
    provider: frozenset[bytes],
    own: tuple[bytes, ...],
) -> tuple[int, int] | None:
    """
    Return how well a name fits, smaller is better, or `None`; `own` is the secret's name.
    """
    while len(words) > 1 and words[-1] in _ENDINGS:
        words = words[:-1]
    joined = b"".join(words)
    its_own = any(word in joined for word in provider)
    for word in provider:
        if joined.startswith(word) and joined[len(word) :] in wanted.names:
            return 0, wanted.names.index(joined[len(word) :])
    for index, name in enumerate(wanted.names):
        rest = _before(words, name)
        if rest is None:
            continue
        if its_own or (own and rest and rest[0] == own[0] and rest[0] not in _PLAIN):
            return 0, index
        if all(word in _PLAIN for word in rest):
            return 1, index
    return None


def is_nothing(value: NamedValue, wanted: Wanted) -> bool:
    """
    Say whether a value stands for one that is kept elsewhere, or for none.
    """
    text = value.text
    if _NOTHING.match(text) or _REFERENCE.match(text) or placeholder(text) is not None:
        return True
    if b"{{" in text or not any(chr(byte).isalnum() for byte in text):
        return True
    # `client_id: acmeClientId` in code names a variable.
    words = _words(text)
    joined = b"".join(words)
    if joined == b"".join(value.words):
        return True
    named = any(_before(words, name) is not None for name in wanted.names)
    return named and not value.quoted and not re.search(rb"[0-9@]", text)


def between_blocks(gap: bytes) -> bool:
    """
    Say whether one paragraph, section or object ends and another begins in `gap`.
    """
    return _BLOCKS.search(gap) is not None


def _before(words: tuple[bytes, ...], name: bytes) -> tuple[bytes, ...] | None:
    joined = b""
    for count, word in enumerate(reversed(words), 1):
        joined = word + joined
        if joined == name:
            return words[:-count]
        if len(joined) >= len(name):
            return None
    return None


def _words(name: bytes) -> tuple[bytes, ...]:
    return tuple(word.lower() for word in _WORD.findall(name)[-_LONGEST_WORDS:])


def _compiled(form: bytes) -> Any:
    if form not in _CACHE:
        _CACHE[form] = compiled(form)
    return _CACHE[form]


_CACHE: dict[bytes, Any] = {}
