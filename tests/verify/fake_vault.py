"""
A Vault that never was: a table of tokens, logins and leases behind the answers of the
real one, as `test_vault_server.py` saw them given by OpenBao 2.7.2.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.verify.provider import Asked, Say

DENIED = {"errors": ["permission denied"]}
FORBIDDEN = {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
HEALTH = {
    "initialized": True,
    "sealed": False,
    "standby": False,
    "replication_performance_mode": "disabled",
    "replication_dr_mode": "disabled",
    "version": "2.7.2",
}


@dataclass
class Token:
    """What the server knows of a token."""

    policies: tuple[str, ...] = ("default",)
    ttl: int = 3600
    uses: int = 0
    wrapping: bool = False
    orphan: bool = False
    can: dict[str, list[str]] = field(default_factory=dict)


class FakeVault:
    """Answers as `Provider.behave`."""

    def __init__(self) -> None:
        self.denied = DENIED
        self.tokens: dict[str, Token] = {}
        self.users: dict[str, str] = {}
        self.locked: set[str] = set()
        self.secret_ids: dict[str, str] = {}
        self.leases: set[str] = set()
        self.health: dict[str, object] = dict(HEALTH)
        self.fault: Callable[[Asked], Say | None] = lambda asked: None
        self.made = 0
        self.namespaces: list[str] = []

    def __call__(self, asked: Asked) -> Say:
        """See `Behaviour`."""
        fault = self.fault(asked)
        if fault is not None:
            return fault
        path = asked.target.partition("?")[0].removeprefix("/v1/")
        body = json.loads(asked.body) if asked.body else {}
        self.namespaces.append(asked.headers.get("x-vault-namespace", ""))
        if path == "sys/health":
            return says(200, self.health)
        if self.health["sealed"]:
            return says(503, {"errors": ["Vault is sealed"]})
        if path == "sys/wrapping/lookup":
            token = self.tokens.get(body["token"])
            if token is None or not token.wrapping:
                return says(400, {"errors": ["wrapping token is not valid or does not exist"]})
            told = {"creation_ttl": 300, "creation_path": "secret/data/x", "creation_time": "2026"}
            return says(200, {"data": told})
        if path.startswith("auth/") and "/login" in path:
            return self._login(path, body)
        given = asked.headers.get("x-vault-token", "")
        token = self.tokens.get(given)
        if token is None:
            return says(403, self.denied)
        if path == "sys/internal/ui/mounts":
            auth = (
                {"token/": {"type": "token"}}
                if "default" in token.policies or "root" in token.policies
                else {}
            )
            return says(
                200,
                {
                    "data": {
                        "auth": auth,
                        "secret": {"secret/": {"type": "kv", "options": {"version": "2"}}},
                    }
                },
            )
        if token.uses:
            token.uses -= 1
            if not token.uses:
                del self.tokens[given]
        return self._ask(path, body, given, token)

    def _ask(self, path: str, body: dict[str, object], given: str, token: Token) -> Say:
        if path == "auth/token/revoke-self":
            self.tokens.pop(given, None)
            return Say(204)
        if not {"default", "root"} & set(token.policies):
            return says(403, FORBIDDEN)
        if path == "auth/token/lookup-self":
            return says(200, {"data": {
                "display_name": "token", "path": "auth/token/create", "policies": list(token.policies),
                "ttl": token.ttl, "expire_time": "2027-01-01T00:00:00Z" if token.ttl else None,
                "issue_time": "2026-01-01T00:00:00Z", "num_uses": token.uses or (-1 if given not in self.tokens else 0),
                "renewable": True, "orphan": token.orphan, "type": "service",
            }})  # fmt: skip
        if path == "sys/capabilities-self":
            paths = body["paths"]
            assert isinstance(paths, list)
            return says(200, {"data": {p: token.can.get(p, ["deny"]) for p in paths}})
        if path == "sys/leases/lookup":
            if body["lease_id"] not in self.leases:
                return says(400, {"errors": ["invalid lease"]})
            return says(
                200,
                {
                    "data": {
                        "id": body["lease_id"],
                        "ttl": 600,
                        "renewable": True,
                        "expire_time": "2027",
                    }
                },
            )
        if path == "sys/internal/ui/resultant-acl":
            return says(
                200,
                {
                    "data": {
                        "exact_paths": {},
                        "glob_paths": {"secret/data/app/": {"capabilities": ["read"]}},
                    }
                },
            )
        return says(404, {"errors": []})

    def _login(self, path: str, body: dict[str, str]) -> Say:
        _, mount, _, *rest = path.split("/")
        if mount == "userpass":
            if rest[0] in self.locked:
                return says(403, DENIED)
            if self.users.get(rest[0]) != body["password"]:
                return says(400, {"errors": ["invalid username or password"]})
        elif mount == "approle":
            if self.secret_ids.get(body["secret_id"]) != body["role_id"]:
                return says(400, {"errors": ["invalid role or secret ID"]})
        elif mount == "kubernetes":
            return says(403, {"errors": ["service account name not authorized"]})
        else:
            return says(403, DENIED)
        self.made += 1
        token = f"s.madeByLogin{self.made:013d}"
        self.tokens[token] = Token()
        return says(200, {"auth": {"client_token": token, "policies": ["default"], "token_policies": ["default", "app"],
                                   "lease_duration": 3600, "metadata": {"username": "ada"}, "token_type": "service"}})  # fmt: skip


def says(status: int, data: object) -> Say:
    """An answer in JSON."""
    return Say(status, json.dumps(data).encode())
