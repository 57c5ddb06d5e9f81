"""
What a server's answer amounts to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scanner.model import Status, Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target

ELSEWHERE = "a right login from a place that it does not let in"
_BELIEVE = "--believe-refusals, if this machine is where it is used"
Speaker = Callable[[Link, Target], Verification]
"""Says hello, logs in once, reads what it may, and leaves."""


def active(
    target: Target,
    *,
    identity: str | None = None,
    scopes: Sequence[str] = (),
    rights: Sequence[str] = (),
    reason: str | None = None,
    expires_at: str | None = None,
) -> Verification:
    """
    Return that the server took it; `reason` says what it refused nevertheless.
    """
    return Verification(
        status=Status.ACTIVE,
        identity=told(identity or target.user, target) or None,
        scopes=tuple(told(scope, target) for scope in scopes),
        rights=tuple(told(right, target) for right in rights),
        reason=None if reason is None else told(reason, target),
        expires_at=expires_at,
    )


def wrong(target: Target, code: object) -> Verification:
    """
    Return what the server's plain "wrong credential" is worth.
    """
    said = f"the server said {told(code, target)}"
    doubt = target.doubt or (None if target.at_home else target.place)
    if doubt is not None:
        return Verification(status=Status.UNKNOWN, reason=f"{said}, but {doubt}")
    return Verification(status=Status.INACTIVE, reason=said)


def refused(target: Target, code: object, others: str) -> Verification:
    """
    Return what a refusal is worth that the server words alike for a living credential;
    `others` says of whom.
    """
    if target.at_home or target.doubt is not None:
        return wrong(target, code)
    said = f"the server said {told(code, target)}"
    return Verification(
        status=Status.UNKNOWN, reason=f"{said}, which it says of {others} too ({_BELIEVE})"
    )


def unclear(target: Target, reason: object) -> Verification:
    """
    Return that nothing was learned, and why.
    """
    return Verification(status=Status.UNKNOWN, reason=told(reason, target))


def told(text: object, target: Target) -> str:
    """
    Return what a server said, fit for one line of a report and without the password.
    """
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    line = line.replace(target.password, "…")
    return "".join(c for c in line if c.isprintable())[:200]
