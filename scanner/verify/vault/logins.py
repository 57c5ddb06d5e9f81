"""
Vault logins: AppRole, userpass, TLS certificate, Kubernetes service account.

A login takes a use of a secret id and makes a token, which is revoked at once: the one
write that verification does.  There is one try and never a second: five wrong passwords
lock a user out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scanner.model import Status, Verification
from scanner.verify.registry import Planned
from scanner.verify.request import RefusedError, Reply, TransportError
from scanner.verify.rights import plain_words
from scanner.verify.vault.server import (
    HEALTH,
    Caller,
    Health,
    Server,
    errors_of,
    planned,
)
from scanner.verify.vault.tokens import MOUNTS

REVOKE = "auth/token/revoke-self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """
    One way in, with the words that refuse the secret itself.
    """

    method: str
    path: str
    shown: str
    """The same for the plan, with a placeholder for the name."""

    body: Mapping[str, Any] = field(repr=False)
    refused: tuple[str, ...]
    """Texts that say: this secret is wrong (or no longer good)."""


def approle(mount: str, role_id: str, secret_id: str) -> Login:
    """
    Return the login of an AppRole.
    """
    return Login(
        method="AppRole",
        path=f"auth/{mount}/login",
        shown=f"auth/{mount}/login",
        body={"role_id": role_id, "secret_id": secret_id},
        # Not "invalid role ID": then it is the id beside it that is wrong.
        refused=("invalid role or secret id", "invalid secret id"),
    )


def userpass(mount: str, user: str, password: str) -> Login:
    """
    Return the login of a user with a password; `user` is one segment of a path.
    """
    return Login(
        method="userpass",
        path=f"auth/{mount}/login/{user}",
        shown=f"auth/{mount}/login/{{username}}",
        body={"password": password},
        refused=("invalid username or password",),
    )


def certificate(mount: str, role: str | None) -> Login:
    """
    Return the login by the certificate of the connection.
    """
    return Login(
        method="TLS certificate",
        path=f"auth/{mount}/login",
        shown=f"auth/{mount}/login",
        body={} if role is None else {"name": role},
        refused=("certificate has expired", "invalid certificate or no client certificate"),
    )


def kubernetes(mount: str, role: str, token: str) -> Login:
    """
    Return the login of a Kubernetes service account.
    """
    return Login(
        method="Kubernetes",
        path=f"auth/{mount}/login",
        shown=f"auth/{mount}/login",
        body={"role": role, "jwt": token},
        # "service account name not authorized" is said before the token is looked at.
        refused=(),
    )


def plan_login(server: Server, login: Login) -> list[Planned]:
    """
    Return the requests of a login.
    """
    steps = (("GET", HEALTH), ("GET", MOUNTS), ("POST", login.shown), ("POST", REVOKE))
    return [planned(server, method, path) for method, path in steps]


def ask_login(caller: Caller, login: Login, state: Health) -> Verification:
    """
    Log in once, tell what the server says, and revoke the token.
    """
    reply = caller.post(login.path, login.body, once=True)
    body = reply.json()
    auth = body.get("auth") if isinstance(body, dict) else None
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if reply.status == 200 and isinstance(auth, dict) and isinstance(token, str) and token:
        return _alive(login, auth, _revoke(caller, token, auth))
    return _not_in(login, reply, state)


def _revoke(caller: Caller, token: str, auth: dict[str, Any]) -> str:
    if auth.get("token_type") == "batch":
        # It cannot be revoked, and is never used: nobody else has it.
        return f"the batch token it made ends in {auth.get('lease_duration')} s"
    try:
        reply = caller.post(REVOKE, {}, token=token)
    except (RefusedError, TransportError) as error:
        return f"the token it made could not be revoked: {error}"
    if reply.status in (200, 204):
        return "the token it made was revoked at once"
    return f"the token it made could not be revoked ({reply.status}): it ends by itself"


def _alive(login: Login, auth: dict[str, Any], revoked: str) -> Verification:
    listed = auth.get("token_policies") or auth.get("policies")
    scopes = tuple(map(str, listed)) if isinstance(listed, list) else ()
    facts = auth.get("metadata")
    named = facts if isinstance(facts, dict) else {}
    words = [f"{key} {value}" for key, value in sorted(named.items()) if _tells(key, value)]
    ttl = auth.get("lease_duration")
    once = auth.get("num_uses")
    lives = "for ever" if ttl == 0 else f"{ttl} s"
    reason = f"{login.method} login accepted; a token of it lives {lives}"
    if isinstance(once, int) and once > 0:
        reason += f" and {once} uses"
    return Verification(
        status=Status.ACTIVE,
        identity=", ".join(words) or None,
        scopes=scopes,
        reason=f"{reason}; {revoked}",
        rights=plain_words("vault", scopes),
    )


def _tells(key: str, value: object) -> bool:
    secret = any(word in key.lower() for word in ("secret", "password", "jwt", "token"))
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable() and not secret


def _not_in(login: Login, reply: Reply, state: Health) -> Verification:
    said = [text.lower() for text in errors_of(reply) or ()]
    if not said:
        return _unknown(f"not an answer of Vault ({reply.status})")
    if any(words in text for text in said for words in login.refused):
        if state.many is not None:
            return _unknown(f"refused here, but {state.many}")
        return Verification(
            status=Status.INACTIVE, reason=f"the server refused the {login.method} login: wrong"
        )
    if any("locked" in text for text in said):
        return _unknown("the user is locked out: neither a right nor a wrong one is told")
    if said == ["permission denied"]:
        # A locked-out user gets this even with the right password, a wrong one too.
        return _unknown("permission denied: locked out, or not allowed from here")
    return _unknown(f"{login.method} login answered {reply.status}: nothing learned of the secret")


def _unknown(reason: str) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=reason)
