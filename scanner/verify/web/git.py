"""
A repository over HTTP: the list of its refs, once for reading and once for pushing.

Protocol: https://git-scm.com/docs/http-protocol
"""

from __future__ import annotations

import dataclasses

from scanner.model import Status, Verification
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.web.caller import Caller, calibrate, judge, unknown

_READ, _PUSH = "git-upload-pack", "git-receive-pack"


def paths(path: str) -> tuple[str, ...]:
    """
    Return what is asked, in order.
    """
    return tuple(f"/{path}/info/refs?service={service}" for service in (_READ, _PUSH))


def ask(caller: Caller) -> Verification:
    """
    Return what the server says of the credential.
    """
    reading, pushing = paths(caller.place.path)
    before = calibrate(caller, reading)
    if before.doubt is not None and before.doubt.startswith("the place is open"):
        # Anybody may read it.  Who may push is asked of nobody in vain.
        return _push_alone(caller, pushing)
    if before.doubt is not None:
        return unknown(before.doubt)
    reply = caller.real(reading)
    verdict = judge(caller, reading, reply, before)
    if verdict.status is not Status.ACTIVE or reply.status != 200:
        return verdict
    if _READ not in reply.headers.get("content-type", ""):
        return unknown("the answer is not git's")
    rights = ["read the repository"]
    try:
        if caller.real(pushing).status == 200:
            rights.insert(0, "push to the repository")
    except (RefusedError, TransportError):
        return dataclasses.replace(
            verdict, rights=tuple(rights), reason="whether it may push was not answered"
        )
    return dataclasses.replace(verdict, rights=tuple(rights))


def _push_alone(caller: Caller, path: str) -> Verification:
    before = calibrate(caller, path)
    if before.doubt is not None:
        return unknown(before.doubt)
    reply = caller.real(path)
    verdict = judge(caller, path, reply, before)
    if verdict.status is Status.ACTIVE and reply.status == 200:
        return dataclasses.replace(verdict, rights=("push to the repository",))
    return verdict
