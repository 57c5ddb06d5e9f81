"""
SSH with a password: one login, and no command.
"""

from __future__ import annotations

import re

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.ssh_login import Client, HostKeys, Outcome, log_in
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import ELSEWHERE, active, refused, unclear
from scanner.verify.request import RefusedError

_ENDED = re.compile(r"(?i)account (?:has )?(?:expired|is (?:locked|disabled))|password has expired")


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    if not target.user:
        raise RefusedError("no user stands beside it")
    # A password that is told to whoever answers is lost: outside of the house the host must
    # be known.  A key is not, what is signed with it is of use to nobody else.
    known = HostKeys(link.known_hosts, needed=link.needs_tls)
    client = Client(known, password=target.password, key=None)
    outcome = log_in(link.hand_over(), target, client, seconds=link.seconds_left)
    return _judged(target, outcome)


def _judged(target: Target, outcome: Outcome) -> Verification:
    seen = f"the host's key is {outcome.host_key}"
    if outcome.unasked:
        return unclear(target, "the server lets this user in without the password")
    if outcome.accepted:
        return active(target, rights=rights_of(target.user), reason=seen)
    if outcome.change:
        return active(
            target, reason=f"the password is right, but must be changed before it is of use; {seen}"
        )
    if _ENDED.search(outcome.banner):
        return unclear(target, f"refused, but of an account that has ended; {seen}")
    if outcome.refused:
        # The protocol has no words for why: `AllowUsers`, `access.conf`, a lock say no more.
        return refused(
            target, "that this password is refused", f"{ELSEWHERE}, or to a locked account"
        )
    return unclear(target, f"the server asks for something else, or for more; {seen}")


def rights_of(user: str) -> list[str]:
    """
    Return what a login is good for; nothing was tried.
    """
    if user == "root":
        return ["everything on this host: it logs in as root"]
    return [f"log in to this host as {user}"]
