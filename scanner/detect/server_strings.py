"""
Servers told in one string with the password: `.pgpass`, ODBC, JDBC, libpq, command lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from scanner.detect.server_kinds import (
    AMQP,
    LDAP,
    MQTT,
    MYSQL,
    POSTGRESQL,
    REDIS,
    Server,
    kind_at,
    kind_named,
    kinds_in,
    port_in,
)

_LONGEST = 1_200
_QUOTES = re.compile(rb"[\"'`\r\n]")
_JDBC = re.compile(
    rb"(?i)jdbc:(?:[a-z0-9]+:){0,2}?(?P<kind>postgresql|mysql|mariadb)(?::[a-z]+:|:)//"
    rb"(?P<host>[^/?;,\s]+)(?:/(?P<path>[^?;\s]*))?(?:[?;](?P<query>.*))?"
)
_PAIR = re.compile(rb"(?:^|;)\s*([A-Za-z][A-Za-z _]{1,30}?)\s*=\s*([^;]*)")
_WORD_PAIR = re.compile(rb"(?<![\w.])([a-z_]{2,20})\s*=\s*([^\s,;]+)")
_HOST_PAIR = re.compile(rb"\bhost ?=")
_CALLED = re.compile(rb"(?:sql|pg_|db|cli|mosquitto_|ldap|amqp-|mariadb)[\w-]*\s.*?-[hHs]")
_PAIR_REACH = 300
_COMMANDS: Mapping[str, tuple[bytes, Mapping[str, bytes]]] = {
    # Kind → its programs, and the flags for host, port, user and database.
    MYSQL: (rb"mysql(?:dump|admin|import|show|check)?|mariadb(?:-\w+)?",
            {"host": rb"h|-host", "port": rb"P|-port", "user": rb"u|-user",
             "path": rb"D|-database"}),
    POSTGRESQL: (rb"psql|pg_dump(?:all)?|pg_restore|createdb|dropdb|pg_isready|vacuumdb",
                 {"host": rb"h|-host", "port": rb"p|-port", "user": rb"U|-username",
                  "path": rb"d|-dbname"}),
    REDIS: (rb"redis-cli|valkey-cli",
            {"host": rb"h", "port": rb"p", "user": rb"-user"}),
    MQTT: (rb"mosquitto_(?:pub|sub|rr)",
           {"host": rb"h|-host", "port": rb"p|-port", "user": rb"u|-username"}),
    LDAP: (rb"ldap(?:search|modify|add|delete|passwd|whoami)",
           {"host": rb"H|h", "port": rb"p", "user": rb"D"}),
    AMQP: (rb"amqp-(?:publish|consume|get)",
           {"host": rb"s|-server", "port": rb"-port", "user": rb"-username", "path": rb"-vhost"}),
}  # fmt: skip


def from_string(data: bytes, start: int, end: int) -> Server | None:
    """
    Return the server of the string that `data[start:end]` is the password in.
    """
    for read in (_pgpass, _jdbc, _pairs, _words, _command):
        found = read(data, start, end)
        if found is not None:
            return found
    return None


def jdbc(url: bytes) -> Server | None:
    """
    Return the server of a JDBC URL; its user is empty if the URL names none.
    """
    match = _JDBC.match(url)
    if match is None:
        return None
    query = _query(match["query"] or b"")
    return Server(
        kind=POSTGRESQL if match["kind"].lower() == b"postgresql" else MYSQL,
        host=match["host"],
        user=query.get(b"user", b""),
        path=unquote_to_bytes(match["path"] or b""),
        encryption=query.get(b"sslmode") or query.get(b"usessl") or query.get(b"ssl") or b"",
    )


def _query(text: bytes) -> dict[bytes, bytes]:
    pairs = (part.partition(b"=") for part in re.split(rb"[&;]", text))
    return {name.strip().lower(): unquote_to_bytes(value) for name, _, value in pairs}


def _pgpass(data: bytes, start: int, end: int) -> Server | None:
    line = data[data.rfind(b"\n", 0, start) + 1 : start]
    parts = line.split(b":")
    rest = data[end : end + 2]
    if len(parts) != 5 or parts[4] or (rest and rest[:1] not in b"\r\n"):
        return None
    host, port, path, user, _ = parts
    if not (port.isdigit() or port == b"*") or b"*" in (host, user) or b"\\" in line:
        return None
    return Server(
        kind=POSTGRESQL,
        host=host,
        port=b"" if port == b"*" else port,
        user=user,
        path=b"postgres" if path == b"*" else path,
    )


def _jdbc(data: bytes, start: int, end: int) -> Server | None:
    at = data.rfind(b"jdbc:", max(0, start - _LONGEST), start)
    if at < 0 or re.search(rb"[\s\"'<>]", data[at:start]):
        return None
    stop = re.compile(rb"[\s\"'<>]").search(data, end)
    return jdbc(data[at : stop.start() if stop else len(data)].replace(b"&amp;", b"&"))


def _around(data: bytes, start: int, end: int) -> bytes:
    """
    Return the line, or the quoted part of it, that the password stands in.
    """
    low = max(0, start - _LONGEST)
    opened = [m.end() for m in _QUOTES.finditer(data, low, start)]
    closed = _QUOTES.search(data, end, end + _LONGEST)
    return data[opened[-1] if opened else low : closed.start() if closed else end + _LONGEST]


def _pairs(data: bytes, start: int, end: int) -> Server | None:
    if data.find(b";", max(0, start - _PAIR_REACH), start) < 0:
        return None
    text = _around(data, start, end)
    if text.count(b";") < 2:
        return None
    found = {m[1].lower().replace(b" ", b""): m[2].strip() for m in _PAIR.finditer(text)}
    secret = data[start:end]
    if secret not in (found.get(b"password"), found.get(b"pwd")):
        return None
    host = _first(found, b"server", b"host", b"datasource", b"address", b"addr", b"servername")
    port = _first(found, b"port")
    driver = _first(found, b"driver", b"provider")
    kind = kind_named(driver) or kind_at(port or port_in(host))
    if kind is None and not driver:
        # Npgsql alone has both of these; others are told by what is written around.
        if b"host" in found and b"username" in found:
            kind = POSTGRESQL
        else:
            near = kinds_in(data[max(0, start - _LONGEST) : end + _LONGEST])
            kind = near.pop() if len(near) == 1 else None
    if kind is None:
        return None
    return Server(
        kind=kind,
        host=host,
        port=port,
        user=_first(found, b"uid", b"userid", b"username", b"user"),
        path=_first(found, b"database", b"initialcatalog", b"db"),
        encryption=_first(found, b"sslmode", b"ssl", b"usessl"),
    )


def _words(data: bytes, start: int, end: int) -> Server | None:
    """
    Read libpq's `host=… user=… password=…` and the like of Redis clients, with commas.
    """
    if _HOST_PAIR.search(data, max(0, start - _LONGEST), end + _LONGEST) is None:
        return None
    text = _around(data, start, end)
    found = {m[1]: m[2] for m in _WORD_PAIR.finditer(text)}
    if not found.get(b"password", b"").startswith(data[start:end]) or b"host" not in found:
        return None
    line = text.strip()
    if b"," in line and re.search(rb"\bhost=[^,\s]+,", line):
        return _redis(data, start, end, found)
    if b"(" in line or not (b"dbname" in found or b"sslmode" in found):
        return None
    return Server(
        kind=POSTGRESQL,
        host=found[b"host"],
        port=_first(found, b"port"),
        user=_first(found, b"user"),
        path=_first(found, b"dbname"),
        encryption=_first(found, b"sslmode"),
    )


def _redis(data: bytes, start: int, end: int, found: Mapping[bytes, bytes]) -> Server | None:
    near = kinds_in(data[max(0, start - _LONGEST) : end + _LONGEST])
    port = _first(found, b"port")
    if kind_at(port) != REDIS and near != {REDIS}:
        return None
    return Server(kind=REDIS, host=found[b"host"], port=port, user=_first(found, b"username"),
                  encryption=_first(found, b"ssl"))  # fmt: skip


def _command(data: bytes, start: int, end: int) -> Server | None:
    line = _command_line(data, start, end)
    if _CALLED.search(line) is None:
        return None
    for kind, (programs, flags) in _COMMANDS.items():
        called = re.search(rb"(?:^|[\s/;&|(`\"'])(?:" + programs + rb")\s+(?P<rest>.*)", line)
        if called is None:
            continue
        rest = re.split(rb"[|;&>]|\s-e\s", called["rest"])[0]
        found = {}
        for name, flag in flags.items():
            said = re.findall(
                rb"(?:^|\s)-(?:" + flag + rb")(?:\s*=\s*|\s*)[\"']?([^\s\"'-][^\s\"']*)", rest
            )
            if len(said) > 1:
                return None
            found[name] = said[0] if said else b""
        host = re.sub(rb"^ldaps?://|/$", b"", found["host"])
        tls = b"true" if b"ldaps://" in found["host"] or b" --tls" in rest else b""
        return Server(
            kind=kind,
            host=host,
            port=found["port"],
            user=found["user"],
            path=found.get("path", b""),
            encryption=tls,
        )
    return None


def _command_line(data: bytes, start: int, end: int) -> bytes:
    """
    Return the line of the password with those that a backslash joins to it.
    """
    low = data.rfind(b"\n", 0, start) + 1
    while low > 1 and data[:low].rstrip(b"\r\n").endswith(b"\\") and start - low < _LONGEST:
        low = data.rfind(b"\n", 0, low - 1) + 1
    high = data.find(b"\n", end)
    while high >= 0 and data[end:high].rstrip(b"\r").endswith(b"\\") and high - end < _LONGEST:
        high = data.find(b"\n", high + 1)
    return re.sub(rb"\\\r?\n", b" ", data[low : high if high >= 0 else len(data)])


def _first(found: Mapping[bytes, bytes], *names: bytes) -> bytes:
    return next((found[name] for name in names if found.get(name)), b"")
