"""
MySQL and MariaDB: the protocol's own login, which tells the exact codes.
"""

from __future__ import annotations

import hashlib
import re
import struct

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import ELSEWHERE, active, refused, unclear
from scanner.verify.request import TransportError

_SSL, _WITH_DB = 0x800, 0x8
_CAPABILITIES = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000
_NATIVE, _SHA2 = b"mysql_native_password", b"caching_sha2_password"
_WRONG = 1045
# What comes only after the password was found right: account locked, password expired,
# no right to the database, no such database, too many connections of this user.
_RIGHT_BUT = frozenset({1044, 1049, 1203, 1226, 1820, 1862, 3118, 4151})
_HASH = re.compile(r"(?i)\s+identified\s+(?:by|via|with)\b.*|'\*[0-9A-F]{40}'", re.DOTALL)
_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<where>\S+) TO ", re.DOTALL)


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    number, hello = _packet(link)
    if hello[:1] == b"\xff":
        return _refused(hello, target)
    if hello[:1] != b"\x0a":
        raise TransportError("the answer is not MySQL")
    salt, plugin, offered = _greeting(hello)
    flags = _CAPABILITIES | (_WITH_DB if target.path else 0)
    if link.needs_tls and offered & _SSL:
        flags |= _SSL
        _send(link, number + 1, struct.pack("<IIB23x", flags, 1 << 24, 45))
        number += 1
        link.secure()
    link.refuse_if_open()
    plugin = plugin if plugin in (_NATIVE, _SHA2) else _NATIVE
    proof = _proof(plugin, target.password, salt)
    body = struct.pack("<IIB23x", flags, 1 << 24, 45) + target.user.encode() + b"\0"
    body += bytes([len(proof)]) + proof
    body += target.path.encode() + b"\0" if target.path else b""
    _send(link, number + 1, body + plugin + b"\0")
    return _login(link, target)


def _login(link: Link, target: Target) -> Verification:
    for _ in range(6):
        number, answer = _packet(link)
        kind = answer[:1]
        if kind == b"\x00":
            return _rights(link, target)
        if kind == b"\xff":
            return _refused(answer, target)
        if kind == b"\xfe":
            plugin, _, rest = answer[1:].partition(b"\0")
            if plugin not in (_NATIVE, _SHA2):
                return unclear(
                    target, f"the account logs in by {plugin.decode('ascii', 'replace')}"
                )
            _send(link, number + 1, _proof(plugin, target.password, rest.rstrip(b"\0")[:20]))
        elif answer == b"\x01\x04":
            if not link.encrypted:
                return unclear(target, "the server wants the password itself, and is not encrypted")
            _send(link, number + 1, target.password.encode() + b"\0")
        elif answer != b"\x01\x03":
            break
    raise TransportError("the answer is not MySQL")


def _refused(answer: bytes, target: Target) -> Verification:
    code = int.from_bytes(answer[1:3], "little")
    text = answer[9:] if answer[3:4] == b"#" else answer[3:]
    said = f"{text.decode('utf-8', 'replace')} ({code})"
    if code in _RIGHT_BUT:
        return active(target, reason=f"the password is right, but: {said}")
    if code == _WRONG:
        # An account is bound to the hosts that it is used from.
        return refused(target, said, ELSEWHERE)
    return unclear(target, said)


def _rights(link: Link, target: Target) -> Verification:
    try:
        rows, code = _query(link, "select current_user()")
        if code is not None:
            return active(target, reason=f"it may do nothing yet ({code})")
        account = rows[0][0] if rows and rows[0] else ""
        if "skip-grants" in account or account.startswith("@"):
            return unclear(target, "the server lets anybody in")
        grants, _ = _query(link, "show grants")
        _send(link, 0, b"\x01")
    except TransportError:
        return active(target, reason="its rights could not be read")
    lines = [_HASH.sub("", row[0]) for row in grants if row]
    scopes, rights = [], []
    for line in lines:
        grant = _GRANT.match(line)
        if grant is None:
            scopes.append(line.removeprefix("GRANT ").partition(" TO ")[0])
        elif grant["what"] != "USAGE":
            scopes.append(f"{grant['what']} ON {grant['where']}")
            rights.append(_words(grant["what"], grant["where"]))
    rights.sort(key=lambda words: not words.startswith("everything"))
    return active(target, identity=account, scopes=scopes, rights=rights or ["nothing but log in"])


def _words(what: str, where: str) -> str:
    place = "on the whole server" if where == "*.*" else f"in {where}"
    if what.startswith("ALL PRIVILEGES"):
        return f"everything {place}"
    return f"{what.lower()} {place}"


def _query(link: Link, text: str) -> tuple[list[list[str]], int | None]:
    _send(link, 0, b"\x03" + text.encode())
    _, head = _packet(link)
    if head[:1] == b"\xff":
        return [], int.from_bytes(head[1:3], "little")
    ends = 0
    rows: list[list[str]] = []
    while ends < 2:  # the end of the columns, and of the rows
        _, body = _packet(link)
        if body[:1] == b"\xff":
            return rows, int.from_bytes(body[1:3], "little")
        if body[:1] == b"\xfe" and len(body) < 9:  # an end, not a long text
            ends += 1
        elif ends:
            rows.append(_texts(body))
    return rows, None


def _texts(body: bytes) -> list[str]:
    values, at = [], 0
    while at < len(body):
        size, at = body[at], at + 1
        if size == 0xFB:
            values.append("")
            continue
        if size == 0xFC:
            size, at = int.from_bytes(body[at : at + 2], "little"), at + 2
        elif size == 0xFD:
            size, at = int.from_bytes(body[at : at + 3], "little"), at + 3
        values.append(body[at : at + size].decode("utf-8", "replace"))
        at += size
    return values


def _greeting(hello: bytes) -> tuple[bytes, bytes, int]:
    at = hello.index(b"\0", 1) + 5 if b"\0" in hello[1:] else len(hello)
    if len(hello) < at + 44:
        raise TransportError("the answer is not MySQL")
    low = int.from_bytes(hello[at + 9 : at + 11], "little")
    high = int.from_bytes(hello[at + 14 : at + 16], "little")
    size = max(13, hello[at + 16] - 8)
    rest = hello[at + 27 :]
    salt = (hello[at : at + 8] + rest[:size]).rstrip(b"\0")[:20]
    return salt, rest[size:].partition(b"\0")[0], low | high << 16


def _proof(plugin: bytes, password: str, salt: bytes) -> bytes:
    if plugin == _SHA2:
        first = hashlib.sha256(password.encode()).digest()
        mask = hashlib.sha256(hashlib.sha256(first).digest() + salt).digest()
    else:
        first = hashlib.sha1(password.encode()).digest()  # noqa: S324 # the server's choice
        mask = hashlib.sha1(salt + hashlib.sha1(first).digest()).digest()  # noqa: S324 # ditto
    return bytes(a ^ b for a, b in zip(first, mask, strict=True))


def _packet(link: Link) -> tuple[int, bytes]:
    head = link.take(4)
    return head[3], link.take(int.from_bytes(head[:3], "little"))


def _send(link: Link, number: int, body: bytes) -> None:
    link.send(len(body).to_bytes(3, "little") + bytes([number & 0xFF]) + body)
