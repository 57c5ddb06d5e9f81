"""
LDAP: a simple bind, then "Who am I?" (RFC 4532).
"""

from __future__ import annotations

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import active, unclear, wrong
from scanner.verify.request import TransportError

_OK, _WRONG = 0, 49
_START_TLS, _WHO_AM_I = b"1.3.6.1.4.1.1466.20037", b"1.3.6.1.4.1.4203.1.11.3"
_BIND, _EXTENDED = 0x61, 0x78
# What Active Directory adds to 49: the password was right, but expired, must change, is
# off, outside of its hours or place, locked.
_RIGHT_BUT = ("data 530", "data 531", "data 532", "data 533", "data 701", "data 773")
_LOCKED = "data 775"


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    if link.needs_tls and _ask(link, 1, 0x77, _part(0x80, _START_TLS))[1] == _OK:
        link.secure()
    link.refuse_if_open()
    if not target.user or not target.password:
        # Without a name or a password it is an anonymous bind, which succeeds.
        return unclear(target, "a bind without a name or a password proves nothing")
    bind = b"\x02\x01\x03" + _part(4, target.user.encode()) + _part(0x80, target.password.encode())
    kind, code, text, _ = _ask(link, 2, 0x60, bind)
    if kind != _BIND:
        raise TransportError("the answer is not LDAP")
    said = f"{text or 'refused'} ({code})"
    if code == _WRONG:
        if any(word in text for word in _RIGHT_BUT):
            return active(target, reason=f"the password is right, but: {said}")
        return unclear(target, said) if _LOCKED in text else wrong(target, said)
    if code != _OK:
        return unclear(target, said)
    try:
        _, code, _, name = _ask(link, 3, 0x77, _part(0x80, _WHO_AM_I))
    except TransportError:
        name = ""
    if code == _OK and name == "" and target.user:
        return active(target, rights=["bind; whose name the server does not tell"])
    who = name.removeprefix("dn:").removeprefix("u:")
    return active(target, identity=who, rights=["read what the directory shows its user"])


def _ask(link: Link, number: int, kind: int, body: bytes) -> tuple[int, int, str, str]:
    """
    Send one request; return kind, code, message and value of the answer.
    """
    link.send(_part(0x30, bytes([2, 1, number]) + _part(kind, body)))
    _, message = _read(link)
    inner = _parts(message)
    if len(inner) < 2:  # an id and an answer
        raise TransportError("the answer is not LDAP")
    fields = _parts(inner[1][1])
    if len(fields) < 3 or fields[0][0] != 0x0A:
        raise TransportError("the answer is not LDAP")
    value = next((data for tag, data in fields if tag == 0x8B), b"")
    code = int.from_bytes(fields[0][1], "big")
    return (
        inner[1][0],
        code,
        fields[2][1].decode("utf-8", "replace"),
        value.decode("utf-8", "replace"),
    )


def _part(tag: int, data: bytes) -> bytes:
    size = len(data)
    if size < 0x80:
        return bytes([tag, size]) + data
    return bytes([tag, 0x82]) + size.to_bytes(2, "big") + data


def _read(link: Link) -> tuple[int, bytes]:
    tag, size = link.take(2)
    if tag != 0x30:
        raise TransportError("the answer is not LDAP")
    if size > 0x80:
        size = int.from_bytes(link.take(size & 0x7F), "big")
    return tag, link.take(size)


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + 2 <= len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size > 0x80:
            more = size & 0x7F
            size, at = int.from_bytes(data[at : at + more], "big"), at + more
        found.append((tag, data[at : at + size]))
        at += size
    return found
