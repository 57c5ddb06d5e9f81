"""
MQTT 3.1.1: CONNECT with a clean session, and no subscription.
"""

from __future__ import annotations

import secrets
import struct

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import active, unclear, wrong
from scanner.verify.request import TransportError

_USER, _PASSWORD, _CLEAN = 0x80, 0x40, 0x02
_ACCEPTED, _WRONG = 0, 4
_WORDS = {1: "another version", 2: "client id refused", 3: "unavailable", 5: "not authorized"}


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    link.refuse_if_open()
    parts = [f"unsealed-{secrets.token_hex(4)}", target.user, target.password]
    body = b"\0\4MQTT\4" + bytes([_USER | _PASSWORD | _CLEAN]) + struct.pack("!H", 30)
    body += b"".join(struct.pack("!H", len(p.encode())) + p.encode() for p in parts)
    link.send(b"\x10" + _length(len(body)) + body)
    head = link.take(4)
    if head[:2] != b"\x20\x02":
        raise TransportError("the answer is not MQTT")
    code = head[3]
    if code == _ACCEPTED:
        link.send(b"\xe0\0")
        return active(target, rights=["connect; topics are not asked about"])
    if code == _WRONG:
        return wrong(target, "bad user name or password (4)")
    # 5 is what Mosquitto says of a wrong password, and others of a right one.
    return unclear(target, f"the server said {_WORDS.get(code, 'no')} ({code})")


def _length(number: int) -> bytes:
    encoded = b""
    while True:
        number, digit = number >> 7, number & 0x7F
        encoded += bytes([digit | (0x80 if number else 0)])
        if not number:
            return encoded
