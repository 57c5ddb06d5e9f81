"""
LDAP: a simple bind, then "Who am I?" (RFC 4532).
"""

from __future__ import annotations

from dataclasses import dataclass

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import active, refused, unclear, wrong
from scanner.verify.request import TransportError

_OK, _WRONG = 0, 49
_START_TLS, _WHO_AM_I = b"1.3.6.1.4.1.1466.20037", b"1.3.6.1.4.1.4203.1.11.3"
_BIND, _CONTROLS = 0x61, 0xA0
# Password policy: draft-behera-ldap-password-policy.  What a server adds to an answer, if asked.
_POLICY = b"1.3.6.1.4.1.42.2.27.8.5.1"
_EXPIRED, _IS_LOCKED, _MUST_CHANGE = 0, 1, 2
# What Active Directory adds to 49: the password was right, but expired, must change, is
# off, outside of its hours or place, locked.
_RIGHT_BUT = ("data 530", "data 531", "data 532", "data 533", "data 701", "data 773")
_LOCKED = "data 775"
# The password is wrong, there is no such user: said in so many words.
_WRONG_INDEED = ("data 52e", "data 525")
_OTHERS = "a right password of an account that is locked, has run out, or is not let in from here"


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    if link.needs_tls and _ask(link, 1, 0x77, _part(0x80, _START_TLS)).code == _OK:
        link.secure()
    link.refuse_if_open()
    if not target.user or not target.password:
        # Without a name or a password it is an anonymous bind, which succeeds.
        return unclear(target, "a bind without a name or a password proves nothing")
    bind = b"\x02\x01\x03" + _part(4, target.user.encode()) + _part(0x80, target.password.encode())
    answer = _ask(link, 2, 0x60, bind, _part(_CONTROLS, _part(0x30, _part(4, _POLICY))))
    if answer.kind != _BIND:
        raise TransportError("the answer is not LDAP")
    if answer.code == _WRONG:
        return _not_in(target, answer)
    if answer.code != _OK:
        return unclear(target, answer.said())
    remark = "it must be changed before it is of use" if answer.policy == _MUST_CHANGE else None
    try:
        who = _ask(link, 3, 0x77, _part(0x80, _WHO_AM_I))
        name = who.value if who.code == _OK else ""
    except TransportError:
        name = ""
    if not name:
        return active(target, reason=remark, rights=["bind; its name the server does not tell"])
    return active(
        target,
        identity=name.removeprefix("dn:").removeprefix("u:"),
        reason=remark,
        rights=["read what the directory shows its user"],
    )


def _not_in(target: Target, answer: _Answer) -> Verification:
    said = answer.said()
    # That it has run out is looked at when it was found right.
    if answer.policy == _EXPIRED or any(word in answer.text for word in _RIGHT_BUT):
        why = "it has run out" if answer.policy == _EXPIRED else said
        return active(target, reason=f"the password is right, but: {why}")
    if answer.policy == _IS_LOCKED or _LOCKED in answer.text:
        return unclear(target, f"the account is locked: {said}")
    if any(word in answer.text for word in _WRONG_INDEED):
        return wrong(target, said)
    return refused(target, said, _OTHERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """
    The parts of an answer that tell something.
    """

    kind: int
    code: int
    text: str
    value: str
    policy: int | None
    """What the server's password policy has against the login."""

    def said(self) -> str:
        """
        Return it for a report.
        """
        return f"{self.text or 'refused'} ({self.code})"


def _ask(link: Link, number: int, kind: int, body: bytes, controls: bytes = b"") -> _Answer:
    """
    Send one request, and return the answer.
    """
    link.send(_part(0x30, bytes([2, 1, number]) + _part(kind, body) + controls))
    _, message = _read(link)
    inner = _parts(message)
    if len(inner) < 2:  # an id and an answer
        raise TransportError("the answer is not LDAP")
    fields = _parts(inner[1][1])
    if len(fields) < 3 or fields[0][0] != 0x0A:
        raise TransportError("the answer is not LDAP")
    value = next((data for tag, data in fields if tag == 0x8B), b"")
    added = next((data for tag, data in inner[2:] if tag == _CONTROLS), b"")
    return _Answer(
        kind=inner[1][0],
        code=int.from_bytes(fields[0][1], "big"),
        text=fields[2][1].decode("utf-8", "replace"),
        value=value.decode("utf-8", "replace"),
        policy=_policy_of(added),
    )


def _policy_of(controls: bytes) -> int | None:
    """
    Return the error in a password policy's answer, `None` if it has none.
    """
    for _, control in _parts(controls):
        parts = _parts(control)
        if len(parts) > 1 and parts[0][1] == _POLICY:
            # A sequence of a warning, [0], and an error, [1]; both may lack.
            for _, sequence in _parts(parts[-1][1]):
                for tag, data in _parts(sequence):
                    if tag == 0x81:
                        return int.from_bytes(data, "big")
    return None


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
