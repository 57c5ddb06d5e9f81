"""
Services with a memory: tokens that live, end, are revoked, may do little, belong to somebody locked.

They answer as the services do by their documentation; `test_saas.py` has the services' own
client libraries ask them, so that what these take for an answer is what we are given.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.verify.provider import Asked, Say


@dataclass
class Token:
    """One token and what became of it."""

    owner: str = "ada"
    scopes: tuple[str, ...] = ("repo",)
    revoked: bool = False
    expired: bool = False
    locked: bool = False
    """Its owner is suspended."""


Table = dict[str, Token]


def _json(status: int, data: object, **headers: str) -> Say:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Say(status, json.dumps(data).encode(), headers=named)


def github(tokens: Table) -> Callable[[Asked], Say]:
    """api.github.com: `/user`."""

    def answer(asked: Asked) -> Say:
        word = asked.headers.get("authorization", "").partition(" ")[2]
        token = tokens.get(word)
        if not word:
            return _json(401, {"message": "Requires authentication"})
        if token is None or token.revoked or token.expired:
            return _json(401, {"message": "Bad credentials", "status": "401"})
        if token.locked:
            return _json(403, {"message": "Sorry. Your account was suspended."})
        path = urlsplit(asked.target).path.removeprefix("/api/v3")
        if path != "/user":
            return _json(404, {"message": "Not Found"})
        user = {"login": token.owner, "id": 7, "type": "User", "url": "https://x/user"}
        return _json(200, user, X_OAuth_Scopes=", ".join(token.scopes))

    return answer


def gitlab(tokens: Table) -> Callable[[Asked], Say]:
    """gitlab.com: `/personal_access_tokens/self` and `/user`."""

    def answer(asked: Asked) -> Say:
        bearer = asked.headers.get("authorization", "").partition(" ")[2]
        token = tokens.get(asked.headers.get("private-token", bearer))
        if token is None:
            return _json(401, {"message": "401 Unauthorized"})
        if token.revoked or token.expired:
            said = "Token was revoked. You have to re-authorize from the user."
            said = (
                "Token is expired. You can either do re-authorization or token refresh."
                if token.expired
                else said
            )
            return _json(401, {"error": "invalid_token", "error_description": said})
        if token.locked:
            return _json(403, {"message": "403 Forbidden - Your account has been blocked."})
        if urlsplit(asked.target).path.endswith("/user"):
            return _json(200, {"id": 7, "username": token.owner})
        row = {"id": 1, "name": token.owner, "revoked": False, "active": True, "user_id": 7,
               "scopes": list(token.scopes), "expires_at": "2030-01-01"}  # fmt: skip
        return _json(200, row)

    return answer


def slack(tokens: Table) -> Callable[[Asked], Say]:
    """slack.com: `auth.test`, which says everything with a 200."""

    def answer(asked: Asked) -> Say:
        token = tokens.get(asked.headers.get("authorization", "").partition(" ")[2])
        if token is None:
            return _json(200, {"ok": False, "error": "invalid_auth"})
        if token.revoked or token.expired:
            return _json(
                200, {"ok": False, "error": "token_revoked" if token.revoked else "token_expired"}
            )
        if token.locked:
            return _json(200, {"ok": False, "error": "account_inactive"})
        if not token.scopes:
            return _json(200, {"ok": False, "error": "missing_scope"})
        return _json(200, {"ok": True, "user": token.owner, "team": "t", "user_id": "U1"})

    return answer


def stripe(tokens: Table) -> Callable[[Asked], Say]:
    """api.stripe.com: `/v1/account`."""

    def answer(asked: Asked) -> Say:
        scheme, _, word = asked.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            word = base64.b64decode(word).decode().partition(":")[0]
        token = tokens.get(word)
        if token is None or token.revoked:
            return _json(
                401,
                {
                    "error": {
                        "type": "invalid_request_error",
                        "message": "Invalid API Key provided: ***",
                    }
                },
            )
        if token.expired:
            return _json(
                401,
                {"error": {"code": "api_key_expired", "message": "Expired API Key provided: ***"}},
            )
        if not token.scopes:
            said = "The provided key does not have the required permissions for this endpoint"
            return _json(403, {"error": {"type": "invalid_request_error", "message": said}})
        return _json(200, {"id": "acct_1", "object": "account", "email": token.owner})

    return answer
