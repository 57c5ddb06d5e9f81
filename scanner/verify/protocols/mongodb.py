"""
MongoDB: SCRAM, then the user's roles.
"""

from __future__ import annotations

import hashlib
import struct

from scanner.model import Verification
from scanner.verify.protocols.bson import Value, decode, encode
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.scram import Scram, prepared
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import active, unclear, wrong
from scanner.verify.request import TransportError

_MESSAGE = 2013
_FAILED = 18
_DANGER = {
    "root": "everything on this server",
    "__system": "everything on this server",
    "dbOwner": "everything in the database",
    "userAdmin": "create users and grant rights",
    "userAdminAnyDatabase": "create users and grant rights, in every database",
    "clusterAdmin": "administer the cluster",
    "readWriteAnyDatabase": "read and write every database",
    "readWrite": "read and write the database",
    "readAnyDatabase": "read every database",
    "read": "read the database",
}


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    link.refuse_if_open()
    source = target.options.get("authsource") or target.path or "admin"
    hello = _run(
        link, {"hello": 1, "saslSupportedMechs": f"{source}.{target.user}", "$db": "admin"}
    )
    if not hello.get("ok"):
        return unclear(target, hello.get("errmsg", "no hello"))
    offered = hello.get("saslSupportedMechs")
    named = target.options.get("authmechanism", "").upper()
    # One try: with what the server knows of the user, else with what it has by default.
    modern = named != "SCRAM-SHA-1" and (
        not isinstance(offered, list) or "SCRAM-SHA-256" in offered or not offered
    )
    if named not in ("", "SCRAM-SHA-1", "SCRAM-SHA-256", "DEFAULT"):
        return unclear(target, f"it logs in by {named}")
    scram = _scram(target, modern=modern)
    mechanism = "SCRAM-SHA-256" if modern else "SCRAM-SHA-1"
    # Without `skipEmptyExchange` the server shows that it knows the password before it looks
    # whether the user may come from here, and would say no in the words of a wrong one.
    start = {"saslStart": 1, "mechanism": mechanism, "payload": scram.first(), "$db": source}
    answer = _run(link, start)
    if answer.get("ok"):
        more = {"saslContinue": 1, "conversationId": _number(answer), "$db": source}
        answer = _run(link, {**more, "payload": scram.answer(_payload(answer))})
        if answer.get("ok"):
            if not scram.proves(_payload(answer)):
                return unclear(target, "the server does not prove that it knows the password")
            if not answer.get("done"):
                answer = _run(link, {**more, "payload": b""})
            if not answer.get("ok"):
                return active(target, reason=f"the password is right, but: {_said(answer)}")
    if not answer.get("ok"):
        said = _said(answer)
        # Users live in a database; where the URL names none, it may be another one's.
        if answer.get("code") == _FAILED and ("authsource" in target.options or not target.path):
            return wrong(target, said)
        return unclear(target, said)
    return _rights(link, target, source)


def _said(answer: dict[str, Value]) -> str:
    return f"{answer.get('errmsg')!s} ({answer.get('code')!s})"


def _rights(link: Link, target: Target, source: str) -> Verification:
    who = f"{target.user}@{source}"
    try:
        answer = _run(link, {"connectionStatus": 1, "$db": "admin"})
    except TransportError:
        return active(target, identity=who, reason="its rights could not be read")
    info = answer.get("authInfo")
    roles = info.get("authenticatedUserRoles") if isinstance(info, dict) else None
    if not isinstance(roles, list):
        return active(target, identity=who, reason="its rights could not be read")
    held = [(str(r.get("role")), str(r.get("db"))) for r in roles if isinstance(r, dict)]
    order = list(_DANGER)
    held.sort(key=lambda role: order.index(role[0]) if role[0] in _DANGER else len(order))
    rights = [f"{_DANGER.get(name, 'the role')} ({name} of {base})" for name, base in held]
    scopes = [f"{name}@{base}" for name, base in held]
    return active(target, identity=who, scopes=scopes, rights=rights or ["nothing but log in"])


def _scram(target: Target, *, modern: bool) -> Scram:
    if modern:
        return Scram("sha256", target.user, prepared(target.password))
    text = f"{target.user}:mongo:{target.password}".encode()
    return Scram("sha1", target.user, hashlib.md5(text).hexdigest())  # noqa: S324 # the protocol's


def _number(answer: dict[str, Value]) -> int:
    number = answer.get("conversationId")
    return number if isinstance(number, int) else 1


def _payload(answer: dict[str, Value]) -> bytes:
    payload = answer.get("payload")
    return payload if isinstance(payload, bytes) else b""


def _run(link: Link, command: dict[str, object]) -> dict[str, Value]:
    body = struct.pack("<I", 0) + b"\0" + encode(command)
    link.send(struct.pack("<iiii", len(body) + 16, 1, 0, _MESSAGE) + body)
    size, _, _, code = struct.unpack("<iiii", link.take(16))
    if code != _MESSAGE or size < 26:  # the least that holds a document
        raise TransportError("the answer is not MongoDB")
    return decode(link.take(size - 16)[5:])
