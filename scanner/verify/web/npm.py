"""
A registry of npm packages: who am I, and what a profile says to somebody who is nobody.
"""

from __future__ import annotations

from scanner.model import Verification
from scanner.verify.request import Reply
from scanner.verify.web.caller import Calibrated, Caller, active, refused, unknown


def paths(path: str) -> tuple[str, ...]:
    """
    Return what is asked, in order.
    """
    start = f"/{path}" if path else ""
    return (f"{start}/-/whoami", f"{start}/-/npm/v1/user")


def ask(caller: Caller) -> Verification:
    """
    Return what the registry says of the credential.

    Verdaccio answers 200 to a bad token, with nobody's name: the name is the proof, and
    only its profile is refused in words.  So which of both is asked depends on the registry.
    """
    who, profile = paths(caller.place.path)
    before = caller.calibrated(who, _calibrate)
    if before.doubt is not None:
        return unknown(before.doubt)
    path, field = (who, "username") if before.status != 200 else (profile, "name")
    if path == profile:
        before = caller.calibrated(profile, _calibrate)
        if before.doubt is not None or before.status == 200:
            return unknown("the registry does not say who it is")
    reply = caller.real(path)
    name = _name(reply, field)
    if name is not None:
        return active(caller.place, identity=name, rights=("read and publish as this user",))
    if reply.status == 401:
        return refused(caller.place, reply)
    return unknown(f"the registry answered {reply.status}, and names nobody")


def _calibrate(caller: Caller, path: str) -> Calibrated:
    reply = caller.nobody(path)
    if _name(reply, "username") is not None or _name(reply, "name") is not None:
        return Calibrated("the registry takes what cannot exist for somebody")
    if reply.status not in (200, 401, 403):
        return Calibrated(f"the registry answers {reply.status} to what cannot exist")
    return Calibrated(None, reply.status)


def _name(reply: Reply, field: str) -> str | None:
    answer = reply.json() if reply.status == 200 else None
    name = answer.get(field) if isinstance(answer, dict) else None
    return name if isinstance(name, str) and name else None
