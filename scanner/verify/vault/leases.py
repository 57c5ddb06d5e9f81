"""
Leases of dynamic secrets: is the database user that Vault made still there?
"""

from __future__ import annotations

from scanner.model import Status, Verification
from scanner.verify.registry import Planned
from scanner.verify.vault.server import (
    HEALTH,
    Answer,
    Caller,
    Health,
    Server,
    answer_of,
    data_of,
    errors_of,
    planned,
)
from scanner.verify.vault.tokens import MOUNTS, text_of

LEASE = "sys/leases/lookup"


def plan_lease(server: Server) -> list[Planned]:
    """
    Return the requests about a lease.
    """
    steps = (("GET", HEALTH), ("GET", MOUNTS), ("POST", LEASE))
    return [planned(server, method, path) for method, path in steps]


def ask_lease(caller: Caller, lease: str, token: str, state: Health) -> Verification:
    """
    Return whether the lease is open; the token beside it is what asks.
    """
    reply = caller.post(LEASE, {"lease_id": lease}, token=token, once=True)
    answer = answer_of(reply)
    data = data_of(reply)
    if answer is Answer.ACCEPTED and text_of(data, "id") == lease:
        ttl = data.get("ttl")
        return Verification(
            status=Status.ACTIVE,
            identity=f"lease of {lease.rpartition('/')[0]}",
            created_at=text_of(data, "issue_time"),
            last_used_at=text_of(data, "last_renewal"),
            expires_at=text_of(data, "expire_time"),
            reason=f"the lease is open and ends by itself in {ttl} s"
            + ("; renewable" if data.get("renewable") is True else ""),
            rights=("revoke it with `vault lease revoke`: the user is dropped at once",),
        )
    said = errors_of(reply) or []
    if reply.status == 400 and any("invalid lease" in text for text in said):
        if state.many is not None:
            return _unknown(f"this server does not know the lease, but {state.many}")
        return Verification(
            status=Status.INACTIVE, reason="the lease is closed: its user was dropped"
        )
    if answer in (Answer.DENIED, Answer.NOT_KNOWN):
        return _unknown("the token beside it is not alive, so the lease could not be looked up")
    if answer is Answer.FORBIDDEN:
        return _unknown("the token beside it may not look up leases")
    return _unknown(f"the lease lookup was answered {reply.status}")


def _unknown(reason: str) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=reason)
