"""
The few endpoints of a Kubernetes API server that verification asks, with the answers of
the real one as its documentation and `test_kubernetes_server.py` have them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.verify.provider import Asked, Say


@dataclass
class Account:
    """Who a token is, and what it may do: `verb group/resource/subresource@namespace`."""

    name: str = "system:serviceaccount:shop:bot"
    can: frozenset[str] = frozenset()


class FakeKubernetes:
    """Answers as `Provider.behave`."""

    def __init__(self) -> None:
        self.tokens: dict[str, Account] = {}
        self.whoami = "new"
        """`new`: SelfSubjectReview is there; `old`: 404; `denied`: 403 to all."""

        self.reviews_tokens = False
        self.ready = True
        self.anonymous = True
        self.fault: Callable[[Asked], Say | None] = lambda asked: None

    def __call__(self, asked: Asked) -> Say:
        """See `Behaviour`."""
        fault = self.fault(asked)
        if fault is not None:
            return fault
        path = asked.target
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not bearer:
            return self._stranger(path)
        account = self.tokens.get(bearer)
        if account is None:
            return failure(401, "Unauthorized", "Unauthorized")
        body = json.loads(asked.body) if asked.body else {}
        if path.endswith("/selfsubjectreviews"):
            if self.whoami == "old":
                return failure(404, "NotFound", "the server could not find the requested resource")
            if self.whoami == "denied":
                return forbidden(account.name, 'create resource "selfsubjectreviews" in API group')
            info = {"username": account.name, "uid": "1", "groups": ["system:serviceaccounts"]}
            return said(201, {"kind": "SelfSubjectReview", "status": {"userInfo": info}})
        if path.endswith("/tokenreviews"):
            if not self.reviews_tokens:
                return forbidden(account.name, 'create resource "tokenreviews" in API group')
            user = {"username": account.name, "groups": ["system:authenticated"]}
            return said(
                201, {"kind": "TokenReview", "status": {"authenticated": True, "user": user}}
            )
        if path.endswith("/selfsubjectaccessreviews"):
            return said(201, {"kind": "x", "status": {"allowed": _allowed(account, body["spec"])}})
        if path.endswith("/selfsubjectrulesreviews"):
            rules = [{"verbs": ["get", "list"], "resources": ["pods"]},
                     {"verbs": ["create"], "resources": ["selfsubjectaccessreviews"]}]  # fmt: skip
            return said(201, {"kind": "x", "status": {"resourceRules": rules}})
        return forbidden(account.name, f'get path "{path}"')

    def _stranger(self, path: str) -> Say:
        if not self.anonymous:
            return failure(401, "Unauthorized", "Unauthorized")
        if path == "/version":
            return said(200, {"major": "1", "gitVersion": "v1.32.0"})
        if path == "/readyz":
            return (
                Say(200, b"ok", "text/plain")
                if self.ready
                else Say(500, b"[-]etcd failed", "text/plain")
            )
        return forbidden("system:anonymous", f'get path "{path}"')


def _allowed(account: Account, spec: dict[str, dict[str, str]]) -> bool:
    asked = spec["resourceAttributes"]
    parts = [asked.get(k, "") for k in ("verb", "group", "resource", "subresource", "namespace")]
    name = f"{parts[0]} {'/'.join(p for p in parts[1:4] if p)}"
    return bool({name, f"{name}@{parts[4]}", "*"} & account.can)


def said(status: int, data: object) -> Say:
    """An answer in JSON."""
    return Say(status, json.dumps(data).encode())


def failure(code: int, reason: str, message: str) -> Say:
    """A `Status`."""
    return said(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                       "message": message, "reason": reason, "code": code})  # fmt: skip


def forbidden(user: str, what: str) -> Say:
    """A refusal, which names who is refused."""
    return failure(403, "Forbidden", f'x is forbidden: User "{user}" cannot {what}')
