"""
The kinds of server a password may be for, by the words, drivers and ports that tell them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from scanner.detect.placeholder import placeholder

POSTGRESQL, MYSQL, REDIS, MONGODB = "postgresql", "mysql", "redis", "mongodb"
AMQP, MQTT, NATS, LDAP = "amqp", "mqtt", "nats", "ldap"
SMTP, IMAP, FTP, SSH = "smtp", "imap", "ftp", "ssh"
OTHER = "other"
"""A kind that nobody here asks: it must not be taken for another."""

_WORDS: tuple[tuple[str, bytes], ...] = (
    (OTHER, (rb"sqlserver|mssql|sqlsrv|sqlite|oracle|oledb|snowflake|cassandra|pop3?"
            rb"|firebird|hsqldb|clickhouse|elastic\w*|memcached?|h2")),
    (POSTGRESQL, (rb"postgres(?:ql)?|psycopg[23]?|pgsql|npgsql|asyncpg|psql|postgis|pg|pgx"
                 rb"|timescale(?:db)?|cockroach(?:db)?")),
    (MYSQL, rb"(?:py|aio)?mysql(?:2|i|db|client|connector|dump|admin|import)?|mariadb"),
    (REDIS, rb"redis|valkey|ioredis"),
    (MONGODB, rb"mongo(?:db|ose)?|pymongo"),
    (AMQP, rb"(?:py)?amqp|rabbit(?:mq)?"),
    (MQTT, rb"mqtt|mosquitto|emqx"),
    (NATS, rb"nats"),
    (LDAP, rb"ldaps?"),
    (SMTP, rb"smtps?|mail(?:er)?|e?mail(?:host)?"),
    (IMAP, rb"imaps?"),
    (FTP, rb"ftps?"),
    (SSH, rb"ssh|sftp|scp"),
)  # fmt: skip
_WHOLE = tuple(
    (kind, re.compile(rb"(?:" + words + rb")(?:db|database|server|user|root|admin)?\Z"))
    for kind, words in _WORDS
)
_INSIDE = tuple((kind, re.compile(words)) for kind, words in _WORDS)
_WORD = re.compile(rb"[a-z0-9]+")
PORTS: Mapping[int, str] = {
    5432: POSTGRESQL, 5433: POSTGRESQL, 6432: POSTGRESQL, 3306: MYSQL, 3307: MYSQL,
    6379: REDIS, 6380: REDIS, 27017: MONGODB, 5672: AMQP, 5671: AMQP, 1883: MQTT, 8883: MQTT,
    4222: NATS, 389: LDAP, 636: LDAP, 465: SMTP, 587: SMTP, 2525: SMTP, 143: IMAP, 993: IMAP,
    990: FTP,
}  # fmt: skip
"""Port → the kind whose servers listen there."""

_MORE_PORTS: Mapping[int, str] = {
    21: FTP, 25: SMTP, 22: SSH, 80: OTHER, 110: OTHER, 443: OTHER, 995: OTHER, 1433: OTHER,
    1521: OTHER, 8080: OTHER, 8123: OTHER, 9042: OTHER, 9200: OTHER, 11211: OTHER,
}  # fmt: skip
# Those of the web have their user in the secret, or need none.
_NAMELESS = frozenset({REDIS, "docker", "npm.basic", "npm.token", "web"})
_HOST = re.compile(
    rb"(?:tcp:)?(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?)"
    rb"(?:[:,](?P<port>[0-9]{1,5}))?\Z"
)
_REFERENCE = re.compile(
    rb"(?i)\$|%\w+%|(?:self|this|process|os|env|environ|config|conf|settings|args|argv|options|opts|"
    rb"params|req|request|ctx|context|props|vars?|secrets|module|inputs|values|state)\.[a-z_]"
    rb"|get_?env|env\("
)
_NOTHING = re.compile(
    rb"(?i)(?:true|false|none|null|nil|undefined|str|string|host|hostname|server|user|username|name"
    rb"|your[\w.-]*|my[_-]?(?:host|user|db|database)|(?:db|database)[_-]?(?:host|user|name|server)"
    rb"|(?:[\w.@-]+\.)?example\.(?:com|org|net)|x{2,}|[a-z]*@(?:domain|company)\.\w+)\Z"
)
_ENCRYPTED = frozenset(
    b"require required verify-ca verify-full verify_ca verify_full verify_identity true 1 yes on"
    b" ssl tls starttls always strict_trans_tls".split()
)


class Server(NamedTuple):
    """
    What stands beside a password and says which server it opens.
    """

    kind: str
    host: bytes
    """As written; it may have a port behind it."""

    user: bytes = b""
    port: bytes = b""
    path: bytes = b""
    """Database or virtual host."""

    encryption: bytes = b""
    """What stands there about it."""

    remark: str = ""
    """Joins the scheme: `netrc`, where the entry does not say which service it is for."""

    def url(self) -> bytes | None:
        """
        Return it as a URL without a password, `None` if it names no server.
        """
        place = _HOST.match(self.host)
        if place is None or self.kind == OTHER or is_nothing(self.host):
            return None
        if not self.user and self.kind not in _NAMELESS:
            return None
        if self.user and is_nothing(self.user):
            return None
        port = place["port"] or self.port
        if port and not (port.isdigit() and 0 < int(port) < 1 << 16):
            return None
        where = place["host"].decode("ascii") + (f":{int(port)}" if port else "")
        path = b"" if is_nothing(self.path) else self.path
        asked = self.encryption.strip(b"\"' ").lower() in _ENCRYPTED
        return "".join(
            (
                self.kind + (f"+{self.remark}" if self.remark else ""),
                f"://{_quoted(self.user)}@{where}",
                f"/{_quoted(path)}" if path else "",
                "?sslmode=require" if asked else "",
            )
        ).encode("ascii")


def kind_named(text: bytes) -> str | None:
    """
    Return the kind that a whole word (`pg`, `spring.rabbitmq`, `db_mysql`) names.
    """
    words = [word for word in re.split(rb"[^a-z0-9]+", text.lower()) if word]
    for word in reversed(words):
        found = next((kind for kind, pattern in _WHOLE if pattern.match(word)), None)
        if found is not None:
            return found
    return None


def kinds_in(text: bytes) -> set[str]:
    """
    Return the kinds that are named anywhere in a stretch of text.
    """
    return {kind for word in set(_WORD.findall(text.lower())) for kind in _kinds_of(word)}


@lru_cache(4_096)
def _kinds_of(word: bytes) -> tuple[str, ...]:
    return tuple(kind for kind, pattern in _INSIDE if pattern.fullmatch(word))


def kind_at(port: bytes) -> str | None:
    """
    Return the kind whose servers listen on a port.
    """
    if not port.isdigit():
        return None
    return PORTS.get(int(port)) or _MORE_PORTS.get(int(port))


def port_in(host: bytes) -> bytes:
    """
    Return the port behind a host's name.
    """
    place = _HOST.match(host)
    return (place["port"] or b"") if place else b""


def is_nothing(text: bytes) -> bool:
    """
    Say whether a value stands for one that is kept elsewhere, or for none.
    """
    return bool(
        not text
        or _NOTHING.match(text)
        or _REFERENCE.search(text)
        or b"{" in text
        or b"<" in text
        or placeholder(text)
    )


def _quoted(text: bytes) -> str:
    return quote(text, safe="")
