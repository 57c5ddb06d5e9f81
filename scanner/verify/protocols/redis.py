"""
Redis and Valkey: AUTH, then who it is and what it may.
"""

from __future__ import annotations

import secrets

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import active, unclear, wrong
from scanner.verify.request import TransportError

_DEEPEST = 4
_MOST_ITEMS = 4096


class _Refusal(str):
    """
    An error as the server words it.
    """

    __slots__ = ()


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    link.refuse_if_open()
    user = target.user or "default"
    before = _ask(link, "PING")
    if user == "default" and not isinstance(before, _Refusal):
        return unclear(target, "the server lets anybody in")
    # One word for servers before 6, which know no users.
    words = ("AUTH", user, target.password) if target.user else ("AUTH", target.password)
    answer = _ask(link, *words)
    if isinstance(answer, _Refusal):
        # Also said of a user that is off: either way nobody gets in with it.
        return wrong(target, answer) if _is_wrong(answer) else unclear(target, answer)
    if answer != "OK":
        raise TransportError("the answer is not Redis")
    return _rights(link, target, user)


def _is_wrong(answer: str) -> bool:
    return answer.startswith("WRONGPASS") or answer == "ERR invalid password"


def _rights(link: Link, target: Target, user: str) -> Verification:
    try:
        name = _ask(link, "ACL", "WHOAMI")
        about = _ask(link, "ACL", "GETUSER", user)
        if isinstance(about, _Refusal) and about.startswith("NOPERM"):
            # A user whom any password opens: only trying shows it, and Redis locks nobody.
            if not isinstance(_ask(link, "AUTH", user, secrets.token_hex(16)), _Refusal):
                return unclear(target, "the server takes any password for this user")
            return active(target, identity=user, rights=["some commands; which, it may not see"])
    except TransportError:
        return active(target, identity=user, reason="its rights could not be read")
    if isinstance(about, _Refusal) or not isinstance(about, list):
        return active(target, identity=user, rights=["everything: this server knows no users"])
    facts = {str(k): v for k, v in zip(about[::2], about[1::2], strict=False)}
    flags = facts.get("flags")
    if isinstance(flags, list) and "nopass" in flags:
        return unclear(target, "the server takes any password for this user")
    commands, keys = str(facts.get("commands", "")), facts.get("keys", "")
    shown = " ".join(map(str, keys)) if isinstance(keys, list) else str(keys)
    rights = []
    if "+@all" in commands and "-@" not in commands:
        rights.append("every command, administration too (+@all)")
    else:
        rights.append(f"commands: {commands}")
    rights.append("all keys" if shown in ("~*", "*") else f"keys: {shown or 'none'}")
    return active(target, identity=str(name), scopes=[commands, *shown.split()], rights=rights)


def _ask(link: Link, *words: str) -> object:
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    link.send(b"".join(parts))
    return _reply(link, 0)


def _reply(link: Link, depth: int) -> object:
    line = link.line().decode("utf-8", "replace")
    kind, rest = line[:1], line[1:]
    if kind == "-":
        return _Refusal(rest)
    if kind == "+":
        return rest
    if kind not in ("$", "*", ":") or not rest.lstrip("-").isdigit() or depth > _DEEPEST:
        raise TransportError("the answer is not Redis")
    number = int(rest)
    if kind == ":":
        return number
    if number < 0:
        return None
    if kind == "$":
        return link.take(number + 2)[:-2].decode("utf-8", "replace")
    if number > _MOST_ITEMS:
        raise TransportError("the answer is too large")
    return [_reply(link, depth + 1) for _ in range(number)]
