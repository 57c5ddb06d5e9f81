"""
PostgreSQL: the protocol's own login, which tells the exact codes that drivers swallow.
"""

from __future__ import annotations

import hashlib
import struct

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.scram import Scram, prepared
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import active, unclear, wrong
from scanner.verify.request import TransportError

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_VERSION = 196608
_OK, _CLEAR, _MD5, _SASL, _SASL_MORE, _SASL_END = 0, 3, 5, 10, 11, 12
_WRONG_PASSWORD = "28P01"  # noqa: S105 # a code
_ROLE = (
    "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,"
    " to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
    " array_to_string(array(select g.rolname from pg_catalog.pg_roles g"
    " where g.rolname like 'pg\\_%' and pg_has_role(g.oid, 'member')), ','),"
    " has_database_privilege(current_database(), 'CREATE'),"
    " exists(select from pg_catalog.pg_class c where c.relkind in ('r', 'p')"
    " and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    " and has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE')),"
    " exists(select from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'v', 'm')"
    " and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
    " and has_table_privilege(c.oid, 'SELECT'))"
    " from pg_catalog.pg_roles where rolname = current_user"
)
_SCOPES = ("superuser", "createrole", "createdb", "replication", "bypassrls")
_WORDS = (
    "everything on this server, files and commands of its machine too (superuser)",
    "create and change other roles (createrole)",
    "create databases (createdb)",
    "copy the whole server (replication)",
    "read past row security (bypassrls)",
)


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    if link.needs_tls:
        link.send(_SSL_REQUEST)
        if link.take(1) == b"S":
            link.secure()
    link.refuse_if_open()
    # A user's own name is the database that a URL without one means.
    pairs = {"user": target.user, "database": target.path or target.user, "client_encoding": "UTF8"}
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in pairs.items() if value)
    link.send(struct.pack("!II", len(body) + 9, _VERSION) + body + b"\0")
    return _login(link, target)


def _login(link: Link, target: Target) -> Verification:
    scram = Scram("sha256", "", prepared(target.password))
    asked = proven = accepted = False
    while True:
        kind, body = _message(link)
        if kind == b"E":
            return _refused(_fields(body), target, accepted=accepted and asked)
        if kind == b"Z":
            break
        if kind != b"R":
            continue
        code = int.from_bytes(body[:4], "big")
        if code == _OK:
            accepted = True
            if asked and proven:
                continue
            return unclear(target, "the server lets this user in without the password")
        if code == _SASL and b"SCRAM-SHA-256\0" in body[4:]:
            first = scram.first()
            _send(link, b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first)
        elif code == _SASL_MORE:
            asked = True
            _send(link, b"p", scram.answer(body[4:]))
        elif code == _SASL_END:
            proven = scram.proves(body[4:])
        elif code == _MD5:
            asked = proven = True
            _send(link, b"p", _md5(target, body[4:8]) + b"\0")
        elif code == _CLEAR:
            asked = proven = True
            _send(link, b"p", target.password.encode() + b"\0")
        else:
            return unclear(target, f"the server wants another kind of login ({code})")
    return _rights(link, target)


def _refused(error: dict[str, str], target: Target, *, accepted: bool) -> Verification:
    code, text = error.get("C", ""), error.get("M", "")
    if accepted:
        # The database, the connection limit, the right to log in come after the password.
        return active(target, reason=f"the password is right, but: {text} ({code})")
    if code == _WRONG_PASSWORD:
        return wrong(target, f"{text} ({code})")
    return unclear(target, f"{text} ({code})")


def _rights(link: Link, target: Target) -> Verification:
    _send(link, b"Q", _ROLE.encode() + b"\0")
    row: list[str | None] = []
    try:
        while (answer := _message(link))[0] not in (b"Z", b"E"):
            if answer[0] == b"D":
                row = _row(answer[1])
        _send(link, b"X", b"")
    except TransportError:
        row = []
    if len(row) < 11:  # the columns of _ROLE
        return active(target, reason="its rights could not be read")
    held = [i for i in range(len(_SCOPES)) if row[i + 1] == "t"]
    groups = [name for name in (row[7] or "").split(",") if name]
    rights = [_WORDS[i] for i in held]
    rights += [f"what the role {name} may" for name in groups]
    for column, words in (
        (8, "create schemas in this database"),
        (9, "change tables in this database"),
        (10, "read tables in this database"),
    ):
        if row[column] == "t":
            rights.append(words)
    until = row[6] if row[6] and row[6][:1].isdigit() else None
    return active(
        target,
        identity=row[0],
        scopes=[*(_SCOPES[i] for i in held), *groups],
        rights=rights,
        expires_at=until,
    )


def _md5(target: Target, salt: bytes) -> bytes:
    inner = hashlib.md5((target.password + target.user).encode()).hexdigest()  # noqa: S324 # the server's choice
    return b"md5" + hashlib.md5(inner.encode() + salt).hexdigest().encode()  # noqa: S324 # ditto


def _send(link: Link, kind: bytes, body: bytes) -> None:
    link.send(kind + struct.pack("!I", len(body) + 4) + body)


def _message(link: Link) -> tuple[bytes, bytes]:
    head = link.take(5)
    size = int.from_bytes(head[1:], "big") - 4
    if head[:1] not in b"RESKZNTDCAIXvH" or size < 0:
        raise TransportError("the answer is not PostgreSQL")
    return head[:1], link.take(size)


def _fields(body: bytes) -> dict[str, str]:
    texts = body.decode("utf-8", "replace").split("\0")
    return {text[0]: text[1:] for text in texts if text}


def _row(body: bytes) -> list[str | None]:
    values: list[str | None] = []
    at = 2
    for _ in range(int.from_bytes(body[:2], "big")):
        size = int.from_bytes(body[at : at + 4], "big", signed=True)
        at += 4
        values.append(None if size < 0 else body[at : at + size].decode("utf-8", "replace"))
        at += max(size, 0)
    return values
