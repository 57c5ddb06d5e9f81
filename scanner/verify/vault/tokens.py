"""
Vault tokens: alive, with which policies, until when, and what they may do.

Of a token with a limited number of uses each request with it takes one, a lookup too,
and the last one revokes it.  So the first two questions are ones that take none: is it
a wrapping token (then it is left alone: using it would unwrap or destroy it), and which
mounts does the server show to it.  Only then is it looked up, once.
"""

from __future__ import annotations

import threading
from typing import Any

from scanner.model import Status, Verification
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import Reply
from scanner.verify.rights import plain_words
from scanner.verify.vault.rights import granted, granted_paths
from scanner.verify.vault.server import (
    HEALTH,
    Answer,
    Caller,
    Health,
    Server,
    answer_of,
    data_of,
    health,
    planned,
)

WRAPPING = "sys/wrapping/lookup"
MOUNTS = "sys/internal/ui/mounts"
LOOKUP = "auth/token/lookup-self"
CAPABILITIES = "sys/capabilities-self"
PATHS = "sys/internal/ui/resultant-acl"
_IMPOSSIBLE = "unsealed-calibration-0000"
_FEW = 10
_ITS_OWN = frozenset(
    {"cubbyhole", "system", "identity", "ns_cubbyhole", "ns_system", "ns_identity"}
)
_DEAD = "the server does not know this token (revoked, expired or used up)"
_REFUSED = (
    "permission denied: revoked, expired or used up, or bound to other addresses, of which this"
    " server says the same (--believe-refusals, if this machine is where it is used)"
)


def plan_token(server: Server, consent: Consent) -> list[Planned]:
    """
    Return the requests about a token.
    """
    steps = [("GET", HEALTH), ("POST", WRAPPING), ("GET", MOUNTS)]
    if not consent.spare_uses:
        steps += [("GET", LOOKUP), ("POST", CAPABILITIES), ("GET", PATHS)]
    return [planned(server, method, path) for method, path in steps]


class Proofs:
    """
    Which servers have been seen to refuse a token that cannot exist.
    """

    def __init__(self) -> None:
        self._known: dict[Server, Health] = {}
        self._turn = threading.Lock()

    def of(self, caller: Caller) -> Health:
        """
        Return what the server says of itself, asked once a run.
        """
        with self._turn:
            known = self._known.get(caller.server)
            if known is None:
                known = self._ask(caller)
                self._known[caller.server] = known
            return known

    def _ask(self, caller: Caller) -> Health:
        state = health(caller)
        if state.doubt is not None:
            return state
        answer = answer_of(caller.get(MOUNTS, token=_IMPOSSIBLE))
        if answer in (Answer.DENIED, Answer.NOT_KNOWN):
            return state
        if answer is Answer.ACCEPTED:
            return Health(doubt="a token that cannot exist is accepted too")
        return Health(doubt="a token that cannot exist is not refused as Vault does")


def ask_token(caller: Caller, token: str, state: Health, consent: Consent) -> Verification:
    """
    Return what the server says of a token; `state` is what it says of itself.
    """
    wrapping = caller.post(WRAPPING, {"token": token})
    if wrapping.status == 200 and "creation_ttl" in data_of(wrapping):
        return _wrapping(data_of(wrapping))
    mounts = caller.get(MOUNTS, token=token)
    answer = answer_of(mounts)
    if answer in (Answer.DENIED, Answer.NOT_KNOWN):
        return _refused(answer, state, consent)
    if answer is not Answer.ACCEPTED or not {"auth", "secret"} <= data_of(mounts).keys():
        return _unknown(f"not an answer of Vault ({mounts.status})")
    reach = _reach(data_of(mounts))
    if consent.spare_uses:
        return _alive(
            {}, reach, "the server accepted it; no use of it was spent, so it was not looked up"
        )
    if "token/" not in _mounts(mounts, "auth"):
        # It could not look itself up: asking would take a use and tell nothing.
        return _alive({}, reach, "the server accepted it; it may not look itself up")
    looked = caller.get(LOOKUP, token=token, once=True)
    if answer_of(looked) is not Answer.ACCEPTED:
        said = (
            "may not look itself up" if answer_of(looked) is Answer.FORBIDDEN else "not told more"
        )
        return _alive({}, reach, f"the server accepted it; it {said}")
    facts = data_of(looked)
    uses = _uses(facts)
    if uses is not None:
        left = "this lookup was its last use" if uses <= 0 else f"{uses} use{'s' * (uses > 1)} left"
        kept = ", not spent" if 0 < uses <= _FEW else ""
        return _alive(facts, reach, f"limited: {left}{kept}")
    rights = granted(caller, token, data_of(mounts), CAPABILITIES)
    paths = granted_paths(caller, token, PATHS)
    return _alive(facts, (*rights.words, *paths, *reach), None, rights.scopes)


def _refused(answer: Answer, state: Health, consent: Consent) -> Verification:
    if state.many is not None:
        return _unknown(f"this server does not know it, but {state.many}")
    if answer is Answer.DENIED and not consent.believe:
        return _unknown(_REFUSED)
    return Verification(status=Status.INACTIVE, reason=_DEAD)


def _unknown(reason: str) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=reason)


def _wrapping(data: dict[str, Any]) -> Verification:
    path = text_of(data, "creation_path")
    end = f"; it ends {data['creation_ttl']} s after it was made"
    return Verification(
        status=Status.ACTIVE,
        identity=None if path is None else f"wraps an answer of {path}",
        scopes=("response-wrapping",),
        created_at=text_of(data, "creation_time"),
        reason=f"a wrapping token, not unwrapped{end}",
        rights=plain_words("vault", ("response-wrapping",)),
    )


def _alive(
    facts: dict[str, Any],
    reach: tuple[str, ...],
    remark: str | None,
    scopes: tuple[str, ...] = (),
) -> Verification:
    policies = facts.get("policies")
    named = tuple(p for p in policies if isinstance(p, str)) if isinstance(policies, list) else ()
    return Verification(
        status=Status.ACTIVE,
        identity=who(facts),
        scopes=named if "root" in named else (*named, *scopes),
        created_at=text_of(facts, "issue_time"),
        expires_at=text_of(facts, "expire_time"),
        reason="; ".join([*lifetime(facts), *([remark] if remark else [])]) or "accepted",
        rights=(*plain_words("vault", [policy for policy in named if policy == "root"]), *reach),
    )


def who(facts: dict[str, Any]) -> str | None:
    """
    Return whose token it is: name, how it was made, its owner's entity.
    """
    name = text_of(facts, "display_name")
    if name is None:
        return None
    path = text_of(facts, "path")
    entity = text_of(facts, "entity_id")
    made = "" if path is None else f" by {path}"
    return f"{name}{made}" + ("" if not entity else f", entity {entity}")


def lifetime(facts: dict[str, Any]) -> list[str]:
    """
    Return how a token ends, in plain words.
    """
    if not facts:
        return []
    words = []
    ttl = facts.get("ttl")
    if ttl == 0 and text_of(facts, "expire_time") is None:
        words.append("never expires")
    elif isinstance(ttl, int):
        words.append(f"ends by itself in {ttl} s")
    if facts.get("renewable") is True:
        most = facts.get("explicit_max_ttl")
        words.append(
            "renewable" + (f" to {most} s at most" if isinstance(most, int) and most else "")
        )
    if facts.get("period"):
        words.append("periodic: can be renewed for ever")
    if facts.get("orphan") is True:
        words.append("orphan: outlives the token that made it")
    if facts.get("type") == "batch":
        words.append("a batch token: cannot be revoked by itself")
    return words


def text_of(data: dict[str, Any], name: str) -> str | None:
    """
    Return a field that is text and not empty.
    """
    value = data.get(name)
    return value[:200] if isinstance(value, str) and value and value.isprintable() else None


def _uses(facts: dict[str, Any]) -> int | None:
    value = facts.get("num_uses")
    return value if isinstance(value, int) and value != 0 else None


def _mounts(reply: Reply, kind: str) -> dict[str, Any]:
    mounts = data_of(reply).get(kind)
    return mounts if isinstance(mounts, dict) else {}


def _reach(data: dict[str, Any]) -> tuple[str, ...]:
    secret = data.get("secret")
    mounts = sorted(secret.items()) if isinstance(secret, dict) else []
    kinds = {name: mount.get("type") for name, mount in mounts if isinstance(mount, dict)}
    shown = [f"{name} ({kind})" for name, kind in kinds.items() if kind not in _ITS_OWN]
    return (f"reaches {', '.join(shown[:10])}",) if shown else ()
