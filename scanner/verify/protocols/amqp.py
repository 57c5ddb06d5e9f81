"""
AMQP 0-9-1: PLAIN, then the virtual host.
"""

from __future__ import annotations

import struct

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import ELSEWHERE, active, refused, unclear, wrong
from scanner.verify.request import TransportError

_HEADER = b"AMQP\0\0\x09\1"
_METHOD, _END = 1, 0xCE
_START, _START_OK = (10, 10), (10, 11)
_TUNE, _TUNE_OK = (10, 30), (10, 31)
_OPEN, _OPEN_OK = (10, 40), (10, 41)
_CLOSE = (10, 50)
_ACCESS_REFUSED = 403
# `authentication_failure_close`: without it RabbitMQ hangs up and says nothing.
_TELL_US = (
    b"\x0ccapabilities" + b"F" + struct.pack("!I", 31) + b"\x1cauthentication_failure_closet\1"
)


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    link.refuse_if_open()
    link.send(_HEADER)
    method, hello = _frame(link)
    if method != _START:
        raise TransportError("the answer is not AMQP")
    pair = f"\0{target.user or 'guest'}\0{target.password}".encode()
    body = struct.pack("!I", len(_TELL_US)) + _TELL_US + b"\5PLAIN"
    body += struct.pack("!I", len(pair)) + pair + b"\5en_US"
    _send(link, _START_OK, body)
    method, answer = _frame(link)
    if method == _CLOSE:
        code, text = _closed(answer)
        # Also said of a user who may not come from here: RabbitMQ's own words for `guest`.
        if code == _ACCESS_REFUSED and "can only" not in text:
            said = f"{text} ({code})"
            # Its own users know no lock and no place; those of other brokers may.
            ours = b"RabbitMQ" in hello
            return wrong(target, said) if ours else refused(target, said, ELSEWHERE)
        return unclear(target, f"{text} ({code})")
    if method != _TUNE:
        return unclear(target, "the server wants another kind of login")
    _send(link, _TUNE_OK, answer)
    host = (target.path or "/").encode()[:255]
    _send(link, _OPEN, bytes([len(host)]) + host + b"\0\0")
    try:
        method, answer = _frame(link)
    except TransportError:
        return active(target, reason="the password is right, but the virtual host was not opened")
    if method == _OPEN_OK:
        _send(link, _CLOSE, b"\0\xc8\0\0\0\0\0")
        return active(target, rights=[f"connect to the virtual host {target.path or '/'}"])
    code, text = _closed(answer)
    return active(target, reason=f"the password is right, but: {text} ({code})")


def _closed(body: bytes) -> tuple[int, str]:
    return int.from_bytes(body[:2], "big"), body[3 : 3 + body[2]].decode("utf-8", "replace")


def _send(link: Link, method: tuple[int, int], body: bytes) -> None:
    payload = struct.pack("!HH", *method) + body
    link.send(struct.pack("!BHI", _METHOD, 0, len(payload)) + payload + bytes([_END]))


def _frame(link: Link) -> tuple[tuple[int, int], bytes]:
    kind, channel, size = struct.unpack("!BHI", link.take(7))
    if kind != _METHOD or channel or size < 4:
        raise TransportError("the answer is not AMQP")
    payload = link.take(size + 1)
    if payload[-1] != _END:
        raise TransportError("the answer is not AMQP")
    return struct.unpack("!HH", payload[:4]), payload[4:-1]
