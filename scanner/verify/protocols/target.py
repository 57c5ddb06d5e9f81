"""
What a finding says about the server it opens: kind, host, user, database.

A URL stands around its password as two companions, `login` (`postgresql://app`) and
`where` (`db.example:5432/orders?sslmode=require`), which touch it: no other URL can.
Where host, user and port are set apart, `detect.server` has put them into one companion,
`server_login` (`postgresql://app@db.example:5432/orders`), so that none can join another's.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from scanner.model import Finding
from scanner.verify.companions import values_of

_MOST = 3
_ESCAPED_DOUBT = "the password may be written in an escaped form"
_MANY = "it stands beside more servers than were asked"
_ELSEWHERE = "the same value stands in another file too"
_ANY_SERVICE = "the entry does not say for which service it is"
# Scheme, without what follows a `+` → (kind, port, TLS from the first byte).
_SCHEMES: Mapping[str, tuple[str, int, bool]] = {
    "postgres": ("postgresql", 5432, False),
    "postgresql": ("postgresql", 5432, False),
    "postgis": ("postgresql", 5432, False),
    "mysql": ("mysql", 3306, False),
    "mysql2": ("mysql", 3306, False),
    "mariadb": ("mysql", 3306, False),
    "mongodb": ("mongodb", 27017, False),
    "redis": ("redis", 6379, False),
    "rediss": ("redis", 6379, True),
    "amqp": ("amqp", 5672, False),
    "pyamqp": ("amqp", 5672, False),
    "amqps": ("amqp", 5671, True),
    "mqtt": ("mqtt", 1883, False),
    "mqtts": ("mqtt", 8883, True),
    "nats": ("nats", 4222, False),
    "ldap": ("ldap", 389, False),
    "ldaps": ("ldap", 636, True),
    "smtp": ("smtp", 587, False),
    "smtps": ("smtp", 465, True),
    "imap": ("imap", 143, False),
    "imaps": ("imap", 993, True),
    "ftp": ("ftp", 21, False),
    "ftps": ("ftp", 990, True),
    "ssh": ("ssh", 22, False),
    "sftp": ("ssh", 22, False),
    "http": ("http", 80, False),
    "https": ("http", 443, True),
}
_LOGIN = re.compile(r"([a-z][a-z0-9.]*)(?:\+[a-z0-9]+)?://([^/?#@:]*)\Z", re.IGNORECASE)
_WHERE = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>\d{1,5}))?"
    r"(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?(?:#.*)?\Z",
    re.IGNORECASE,
)
# A password with one of these may be written in an escaped form: a refusal of what we
# made of it says nothing about the one that was meant.
_ESCAPED = re.compile(r"[%\\$&{}]")
_TLS_FIRST = frozenset({"mongodb", "redis", "mqtt", "amqp"})
_TLS_PORTS = {465: "smtp", 993: "imap", 636: "ldap", 990: "ftp", 8883: "mqtt", 5671: "amqp"}
_TLS_WORDS = frozenset(
    {"require", "required", "verify-ca", "verify-full", "verify_identity", "true"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    One login at one server.
    """

    kind: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    path: str = ""
    """Database, virtual host or path, percent-decoded, without the leading slash."""

    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The query, names in lower case."""

    tls: bool = False
    """Encrypted from the first byte."""

    wants_tls: bool = False
    """The URL asks for encryption, from the first byte or later."""

    doubt: str | None = None
    """Why a refusal would not be believed."""

    place: str | None = None
    """Why it would not be, unless this machine is one where the credential is used."""

    at_home: bool = False
    """The user says that this machine is."""


def targets_of(finding: Finding) -> list[Target]:
    """
    Return the logins that a finding stands for, three at most; none if they cannot be told apart.
    """
    if finding.secret is None or finding.secret.withheld:
        return []
    try:
        password = finding.secret.reveal().decode("utf-8")
    except UnicodeDecodeError:
        return []
    found = [*_of_urls(finding, password), *_of_settings(finding, password)]
    targets = list({repr(t): t for t in found if t is not None}.values())
    if len(targets) > _MOST:
        # Those that are not asked may take it.
        targets = [dataclasses.replace(t, doubt=t.doubt or _MANY) for t in targets[:_MOST]]
    return targets


def _of_urls(finding: Finding, password: str) -> list[Target | None]:
    logins, places = values_of(finding, "login"), values_of(finding, "where")
    if min(len(logins), len(places)) != 1:
        # Several of both: which belongs to which is not ours to guess, a guess is a wrong try.
        return []
    return [target_of(login, place, password) for login in logins for place in places]


def _of_settings(finding: Finding, password: str) -> list[Target | None]:
    found: list[Target | None] = []
    for value in values_of(finding, "server_login"):
        login, _, where = value.rpartition("@")
        target = target_of(login, where, password, plain=True)
        if target is None:
            continue
        if "+netrc:" in login:
            target = dataclasses.replace(target, doubt=target.doubt or _ANY_SERVICE)
        elif len({one.path for one in finding.occurrences}) > 1:
            # Another file may set it for another server, and not name that.
            target = dataclasses.replace(target, doubt=target.doubt or _ELSEWHERE)
        found.append(target)
    return found


def target_of(login: str, where: str, password: str, *, plain: bool = False) -> Target | None:
    """
    Return the login that the parts of a URL make, `None` if they make none that we can ask.

    A password that is `plain` is no part of a URL, so that nothing in it is escaped.
    """
    start, place = _LOGIN.match(login), _WHERE.match(where.rstrip("\\.,;)]}'\"`"))
    if start is None or place is None:
        return None
    if login.lower().startswith("mongodb+srv:"):
        # A name of a service and no host: whom it stands for is for the domain's records to say.
        return None
    known = _SCHEMES.get(start[1].lower())
    meant = password if plain else unquote(password)
    if known is None or not meant or "\0" in meant or not place["host"].strip("."):
        return None
    kind, port, tls = known
    port = int(place["port"] or port)
    tls = tls or _TLS_PORTS.get(port) == kind
    options = {name.lower(): value for name, value in parse_qsl(place["query"] or "")}
    asked = [options.get(n, "").lower() for n in ("sslmode", "ssl-mode", "ssl", "tls", "usessl")]
    wants = tls or any(word in _TLS_WORDS for word in asked)
    host = place["host"].strip("[]").lower()
    return Target(
        kind=kind,
        host=host,
        port=port,
        user=unquote(start[2]),
        password=meant,
        path=unquote(place["path"] or ""),
        options=options,
        # These know no other way than from the first byte.
        tls=tls or (wants and kind in _TLS_FIRST),
        wants_tls=wants,
        doubt=_ESCAPED_DOUBT if _ESCAPED.search(password) else None,
        place=_place(host),
    )


def _place(host: str) -> str | None:
    try:
        inside = not ipaddress.ip_address(host).is_global
    except ValueError:
        inside = "." not in host
    if inside:
        return f"{host} may be another server where the credential is used"
    return None
