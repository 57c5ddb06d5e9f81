"""
NATS: CONNECT and PING.
"""

from __future__ import annotations

import json

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import ELSEWHERE, active, refused, unclear
from scanner.verify.request import TransportError

_MOST_LINES = 10


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    hello = link.line()
    try:
        info = json.loads(hello.removeprefix(b"INFO "))
    except ValueError as error:
        raise TransportError("the answer is not NATS") from error
    if not hello.startswith(b"INFO ") or not isinstance(info, dict):
        raise TransportError("the answer is not NATS")
    if not info.get("auth_required"):
        return unclear(target, "the server lets anybody in")
    if link.needs_tls and (info.get("tls_required") or info.get("tls_available")):
        link.secure()
    link.refuse_if_open()
    login = {"user": target.user, "pass": target.password, "verbose": False, "pedantic": False,
             "name": "unsealed", "lang": "python", "version": "0", "protocol": 1}  # fmt: skip
    link.send(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
    for _ in range(_MOST_LINES):
        line = link.line()
        if line == b"PONG":
            return active(target, rights=["connect; subjects are not asked about"])
        if line.startswith(b"-ERR"):
            if b"authorization violation" in line.lower():
                # Also said of a user who may come by another kind of connection alone.
                return refused(target, line, ELSEWHERE)
            return unclear(target, line)
    raise TransportError("the answer is not NATS")
