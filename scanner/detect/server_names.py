"""
Servers told by settings that stand together: `DB_HOST`, `DB_USER` and `DB_PASSWORD`.

A setting counts if its name is the password's own with another last word, and if there is one
such value alone: of two hosts nobody knows which is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from scanner.detect.companion_names import named_values
from scanner.detect.server_kinds import (
    MYSQL,
    OTHER,
    PORTS,
    POSTGRESQL,
    REDIS,
    Server,
    is_nothing,
    kind_at,
    kind_named,
    kinds_in,
    port_in,
)
from scanner.detect.server_strings import jdbc

_SECRET = re.compile(
    rb"(?P<before>.*?)(?:pass(?:word|wd|phrase)?|passwd|pwd|pw|secret|auth|requirepass)\Z"
)
_ENDINGS = re.compile(rb"(?P<name>.+?)(?P<end>prod|production|dev|development|test|testing|staging"
                      rb"|stage|live|[0-9]{1,2})\Z")  # fmt: skip
_SUBJECT = re.compile(rb"(?P<before>.*?)(?:host|user|login|bind|client|auth|root|account)\Z")
_ROLES: Mapping[str, tuple[bytes, ...]] = {
    "host": (b"host", b"hostname", b"server", b"servername", b"address", b"addr", b"url",
             b"uri", b"endpoint", b"connectionurl", b"serverurl", b"writerhost",
             b"broker", b"connectionstring", b"jdbcurl"),
    "port": (b"port",),
    "user": (b"user", b"username", b"userid", b"uid", b"login", b"usr", b"dn", b"binddn",
             b"hostuser", b"userdn", b"managerdn", b"account", b"accountname"),
    "path": (b"database", b"name", b"dbname", b"db", b"databasename", b"schema", b"vhost",
             b"virtualhost"),
    "kind": (b"connection", b"driver", b"engine", b"adapter", b"dialect", b"type", b"client",
             b"driverclassname", b"driverclass", b"provider", b"scheme", b"protocol", b"backend",
             b"mailer", b"transport", b"vendor", b"dbdriver", b"platform"),
    "encryption": (b"sslmode", b"ssl", b"tls", b"usetls", b"usessl", b"encryption", b"secure",
                   b"sslenabled", b"requiretls", b"sslrequired"),
}  # fmt: skip
_OF_ROLE = {name: role for role, names in _ROLES.items() for name in names}
_OWN_NAME = re.compile(
    rb"(?P<n>[A-Za-z][\w.-]{0,63})[\"'`]?\]?\)?[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8}[\"'`]?\Z"
)
_OPENINGS, _GIVEN = b" \t\"'`", (b":", b"=", b">")
_UNSET = frozenset({b"null", b"none", b"nil", b"undefined"})
_OF_OBJECT = re.compile(rb"\A(?:self|this|process\.env)\.")
_NAMELESS = frozenset({b"", b"value", b"default"})
_GOES_ON = re.compile(rb"(?:[,({\[&]|<(?!/))[^\s\"'\])}]")
_SET = re.compile(
    rb"(?<![\w.-])(?P<n>[A-Za-z][\w.-]{0,63})[\"'`]?\]?[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8}"
    rb"(?![\"'`][\"'`]|[#\s,;)}\]])"
)
_WORD = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_COMMENT = re.compile(rb"[ \t]*(?:#|//|;|--|\*|<!--|REM\s)")
_SECTION = re.compile(rb"[ \t]*\[[^\]\r\n]{1,80}\][ \t]*\r?\Z")
_URL = re.compile(
    rb"(?P<scheme>[A-Za-z][A-Za-z0-9+.]{1,20})://(?P<host>[^\s/@:?#]+(?::[0-9]{1,5})?)"
    rb"(?:/(?P<path>[^\s?#]*))?(?:[?#].*)?\Z"
)
_WORDPRESS = re.compile(rb"\$table_prefix|DB_COLLATE|wp-settings")
_KIND_REACH = 1_500
_NAME_REACH = 120
_SEPARATORS = b"_-. "
# Each name of the role begins with one of these, or is one.
_HOST_WORDS = (b"host", b"server", b"addr", b"url", b"jdbc", b"uri", b"endpoint", b"connection",
               b"writer", b"broker")  # fmt: skip
# One of these stands wherever a kind can be told: as a word, as a port, as a habit of WordPress.
_KIND_WORDS = (b"sql", b"postgres", b"pg", b"maria", b"redis", b"valkey", b"mongo", b"amqp",
               b"rabbit", b"mqtt", b"mosquitto", b"emqx", b"nats", b"ldap", b"smtp", b"mail",
               b"imap", b"ftp", b"ssh", b"cockroach", b"timescale",
               b"tableprefix", b"dbcollate", b"wp",
               b"[client", *(b"%d" % port for port in PORTS))  # fmt: skip


class _Setting(NamedTuple):
    name: bytes
    start: int
    text: bytes
    remarked: bool
    """It stands in a comment."""


class _Own(NamedTuple):
    written: bytes
    """What the password is set under."""

    prefixes: tuple[bytes, ...]
    """What the others' names begin with; the shorter one last."""

    suffix: bytes
    """And what they end with."""


def from_names(data: bytes, start: int, end: int) -> Server | None:
    """
    Return the server that is set beside the password at `data[start:end]`.
    """
    own = _own(data, start, end)
    if own is None or not _may_be_set(data, own.prefixes):
        return None
    low, high = _block(data, start, end)
    # A bare `password` belongs to what is set right beside it.
    bare = not own.prefixes[-1]
    first, last = (low, high) if bare else (0, len(data))
    settings = list(_settings(data, first, last, start))
    remarked, size = _is_remarked(data, start), len(own.suffix)
    siblings = [
        s._replace(name=s.name[: len(s.name) - size])
        for s in settings
        if s.remarked == remarked and s.name.endswith(own.suffix)
    ]
    near = [s for s in siblings if low <= s.start < high]
    name = _joined(own.written)
    name = name[: len(name) - size]
    secret = data[start:end]
    if _several(siblings, name, secret):
        siblings = near
        if _several(siblings, name, secret):
            return None
    found = _roles(siblings, own.prefixes)
    if found is None:
        found = _roles(near, own.prefixes)
    if found is None or "host" not in found:
        return None
    return _server(found, own, (data, start, end, low))


def _own(data: bytes, start: int, end: int) -> _Own | None:
    around = _own_name(data, start)
    written = around["n"] if around else b""
    if _joined(written) in _NAMELESS:
        if not _may_be_set(data, (b"",)):
            return None
        held = (v.name for v in named_values(data, start) if v.start <= start and end <= v.end)
        written = next((name for name in held if _joined(name) not in _NAMELESS), b"")
    name = _joined(written)
    ending = _ENDINGS.match(name)
    suffix = ending["end"] if ending else b""
    own = _SECRET.match(name[: len(name) - len(suffix)])
    if own is None:
        return None
    subject = _SUBJECT.match(own["before"])
    prefixes = (own["before"], subject["before"]) if subject else (own["before"],)
    return _Own(written, prefixes, suffix)


def _own_name(data: bytes, start: int) -> re.Match[bytes] | None:
    # The pattern tries at every byte of the line: most often its end says that it cannot match.
    low = max(0, start - _NAME_REACH)
    if not data[low:start].rstrip(_OPENINGS).endswith(_GIVEN):
        return None
    return _OWN_NAME.search(data, low, start)


def _settings(data: bytes, first: int, last: int, secret: int) -> Iterator[_Setting]:
    known = set()
    for part in named_values(data[first:last], secret - first):
        value = part._replace(start=part.start + first, end=part.end + first)
        name = _joined(value.name)
        known.add(name)
        if name and value.start != secret:
            # `a.shop.net,b.shop.net` is cut at the comma: what is left is not the value.
            cut = not value.quoted and _GOES_ON.match(data, value.end) is not None
            text = value.text + b"{" if cut else value.text
            yield _Setting(name, value.start, text, _is_remarked(data, value.start))
    for match in _SET.finditer(data, first, last):
        # Set to what is not read here: `${DB_USER}`, a call.
        if _joined(match["n"]) not in known:
            at = match.start()
            yield _Setting(_joined(match["n"]), at, b"{", _is_remarked(data, at))


def _may_be_set(data: bytes, prefixes: tuple[bytes, ...]) -> bool:
    """
    Say whether a host may be set under one of the prefixes; cheap, and sure only of a no.
    """
    low = data.lower().translate(None, _SEPARATORS)
    if not any(word in low for word in _KIND_WORDS):
        return False
    if prefixes[0] != prefixes[-1] and prefixes[0] in low:
        return any(word in low for word in _HOST_WORDS)
    return any(prefix + word in low for prefix in prefixes for word in _HOST_WORDS)


def _joined(name: bytes) -> bytes:
    plain = _OF_OBJECT.sub(b"", name.rpartition(b" ")[2])
    return re.sub(rb"[^a-z0-9]+", b"", plain.lower())


def _several(settings: Iterable[_Setting], name: bytes, secret: bytes) -> bool:
    """
    Say whether another password is set under the same name: one of them is for another server.
    """
    return any(s.name == name and s.text != secret for s in settings)


def _roles(settings: Iterable[_Setting], prefixes: tuple[bytes, ...]) -> dict[str, bytes] | None:
    """
    Return what is set for each role, `None` if one is set twice and differently.
    """
    found: dict[str, set[bytes]] = {}
    for setting in settings:
        role = _role(setting.name, prefixes)
        if role is None or setting.text.lower() in _UNSET:
            continue
        if is_nothing(setting.text) and role in ("host", "port", "user"):
            # It is set, and elsewhere: the usual one in its place would be another login.
            return None
        found.setdefault(role, set()).add(setting.text)
    if any(len(found.get(role, ())) > 1 for role in ("host", "port", "user")):
        return None
    return {role: values.pop() for role, values in found.items() if len(values) == 1}


def _role(name: bytes, prefixes: tuple[bytes, ...]) -> str | None:
    for prefix in prefixes:
        if name.startswith(prefix) and name[len(prefix) :] in _OF_ROLE:
            return _OF_ROLE[name[len(prefix) :]]
    if name == prefixes[0] != prefixes[-1]:
        # `EMAIL_HOST_PASSWORD` beside `EMAIL_HOST`, `DB_USER_PASSWORD` beside `DB_USER`.
        return _OF_ROLE.get(name[len(prefixes[-1]) :])
    return None


def _server(
    found: Mapping[str, bytes],
    own: _Own,
    place: tuple[bytes, int, int, int],
) -> Server | None:
    name = _joined(own.written)
    data, start, end, block = place
    host, path, user = found["host"], found.get("path", b""), found.get("user", b"")
    port, encryption = found.get("port", b""), found.get("encryption", b"")
    told = jdbc(host) if host.startswith(b"jdbc:") else None
    if told is not None:
        return told._replace(user=told.user or user or _root(name))
    url = _URL.match(host)
    driver = found.get("kind", b"")
    scheme = OTHER if b"db2" in driver.lower() else kind_named(driver)
    if url is not None:
        if url["scheme"].lower() not in (b"tcp", b"ssl", b"tls"):
            scheme = kind_named(url["scheme"]) or OTHER
        host, path = url["host"], (url["path"] or b"") or path
        encryption = encryption or (b"true" if url["scheme"].lower() in _SECURE else b"")
    kind = (
        scheme
        or kind_named(b"-".join([*_WORD.findall(own.written), own.prefixes[-1]]))
        or kind_at(port_in(host) or port)
        or _kind_headed(_head(data, block))
        or kind_named(host.split(b":")[0].split(b".")[0])
        or _kind_around(data, start, end)
    )
    if kind is None:
        return None
    if kind not in (POSTGRESQL, MYSQL) and url is None and "path" in found and kind != "amqp":
        path = b"" if kind != "mongodb" else path
    return Server(
        kind=kind, host=host, port=port, user=user or _root(name), path=path, encryption=encryption
    )


_SECURE = frozenset({b"ssl", b"tls", b"rediss", b"amqps", b"mqtts", b"ldaps", b"smtps", b"imaps"})


def _root(name: bytes) -> bytes:
    return b"root" if b"mysqlroot" in name or b"mariadbroot" in name else b""


def _kind_around(data: bytes, start: int, end: int) -> str | None:
    text = data[max(0, start - _KIND_REACH) : end + _KIND_REACH]
    kinds = kinds_in(text)
    if _WORDPRESS.search(text):
        return MYSQL
    databases = kinds & {POSTGRESQL, MYSQL, REDIS, OTHER}
    return databases.pop() if len(databases) == 1 else None


def _kind_headed(head: bytes) -> str | None:
    # The section of an option file that every client of MySQL reads.
    return MYSQL if head.strip().startswith(b"[client") else kind_named(head)


def _head(data: bytes, block: int) -> bytes:
    """
    Return what the block around the password is called: its key, section, call or table.
    """
    line = data.rfind(b"\n", 0, block) + 1
    if line < block:
        return data[line:block]
    before = data[:block].rstrip(b"\r\n")
    return before[before.rfind(b"\n") + 1 :]


def _is_remarked(data: bytes, at: int) -> bool:
    return _COMMENT.match(data, data.rfind(b"\n", 0, at) + 1, at) is not None


def _block(data: bytes, start: int, end: int) -> tuple[int, int]:
    """
    Return the span of what stands together with the password: a bracket that opened on its
    line, else the lines around that are indented as far, up to one that is less so.
    """
    line = data.rfind(b"\n", 0, start) + 1
    depth = 0
    for at in range(start - 1, line - 1, -1):
        if data[at] in b")]}":
            depth += 1
        elif data[at] in b"([{":
            if not depth:
                # The call's own words may go on in the next lines.
                closed = re.compile(rb"[)}\]]").search(data, end)
                return at + 1, closed.start() if closed else len(data)
            depth -= 1
    own = _indent(data, line)
    low = line
    while low > 0:
        above = data.rfind(b"\n", 0, low - 1) + 1
        if _ends_block(data, above, own):
            break
        low = above
    high = data.find(b"\n", end) + 1 or len(data)
    while high < len(data) and not _ends_block(data, high, own):
        high = data.find(b"\n", high) + 1 or len(data)
    return low, high


def _ends_block(data: bytes, line: int, own: int) -> bool:
    stop = data.find(b"\n", line)
    text = data[line : stop if stop >= 0 else len(data)]
    if not text.strip():
        return own == 0
    if _SECTION.match(text) or text.startswith((b"---", b"<?", b"machine ")):
        return True
    return _indent(data, line) < own


def _indent(data: bytes, line: int) -> int:
    match = re.compile(rb"[ \t]*(?:- )?").match(data, line)
    return (match.end() if match else line) - line
