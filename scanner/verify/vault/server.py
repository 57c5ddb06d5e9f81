"""
A HashiCorp Vault or OpenBao server that stands in a finding: its address, its state, its words.

API: https://openbao.org/api-docs/ and https://developer.hashicorp.com/vault/api-docs
"""

from __future__ import annotations

import enum
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scanner.verify.registry import Planned
from scanner.verify.request import Reply, Request, Trust
from scanner.verify.transport import Transport

HEALTH = "sys/health"
# Each state has a status of its own, some of which any load balancer may give: ask for 200.
_STATES = (
    "standbyok=true&perfstandbyok=true&activecode=200&standbycode=200&drsecondarycode=200"
    "&performancestandbycode=200&sealedcode=200&uninitcode=200"
)
_PORT = 8200
_SEGMENT = re.compile(r"[A-Za-z0-9_@.-]+\Z")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*\Z")
_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?\Z")
_UI = re.compile(r"/(?:ui|v1)(?:/.*)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """
    Where to ask.
    """

    host: str
    port: int = _PORT
    tls: bool = True
    prefix: str = ""
    namespace: str | None = None

    @property
    def name(self) -> str:
        """How a report names it."""
        return f"{self.host}:{self.port}"


def server_of(address: str, namespace: str | None = None) -> Server | None:
    """
    Return the server of a `VAULT_ADDR`, `None` if it is no address that may be asked.
    """
    try:
        parts = urllib.parse.urlsplit(address if "://" in address else f"https://{address}")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return None
    if parts.query or parts.fragment:
        return None
    prefix = _UI.sub("", parts.path.rstrip("/"))
    if not _PREFIX.match(prefix):
        return None
    if namespace is not None and not _NAMESPACE.match(namespace):
        namespace = None
    if port is None:
        # Vault's own default, unless the address is a whole URL: then it is the scheme's.
        standard = 443 if parts.scheme == "https" else 80
        port = standard if "://" in address else _PORT
    return Server(
        host=parts.hostname,
        port=port,
        tls=parts.scheme == "https",
        prefix=prefix,
        namespace=namespace,
    )


def is_segment(text: str) -> bool:
    """
    Say whether a text may stand as one segment of a path.
    """
    return _SEGMENT.match(text) is not None and text.strip(".") != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Asks one server about one finding.
    """

    transport: Transport
    server: Server
    finding: str
    trust: Trust | None = None

    def get(self, path: str, *, token: str | None = None, once: bool = False) -> Reply:
        """
        Return the reply to a GET of `/v1/<path>`.
        """
        return self._send("GET", path, token, b"", once=once)

    def post(
        self, path: str, body: Mapping[str, Any], *, token: str | None = None, once: bool = False
    ) -> Reply:
        """
        Return the reply to a POST of JSON to `/v1/<path>`.
        """
        return self._send("POST", path, token, json.dumps(body).encode(), once=once)

    def _send(self, method: str, path: str, token: str | None, body: bytes, *, once: bool) -> Reply:
        server = self.server
        headers = {"X-Vault-Request": "true"}
        if token is not None:
            headers["X-Vault-Token"] = token
        if server.namespace is not None:
            headers["X-Vault-Namespace"] = server.namespace
        if body:
            headers["Content-Type"] = "application/json"
        target = f"{server.prefix}/v1/{path}"
        return self.transport.send(
            Request(
                host=server.host,
                port=server.port,
                tls=server.tls,
                path=target,
                shown=target.partition("?")[0],
                finding=self.finding,
                method=method,
                headers=headers,
                body=body,
                found_host=True,
                once=once,
                trust=self.trust,
            )
        )


def planned(server: Server, method: str, path: str) -> Planned:
    """
    Return a request for the plan.
    """
    return Planned(host=server.name, method=method, path=f"{server.prefix}/v1/{path}")


@enum.unique
class Answer(enum.Enum):
    """
    What a reply says of the token that was sent.
    """

    ACCEPTED = "accepted"
    FORBIDDEN = "valid, but without this right"
    DENIED = "permission denied"
    NOT_KNOWN = "permission denied, invalid token"
    OTHER = "other"


def answer_of(reply: Reply) -> Answer:
    """
    Return what a reply to a token says.

    A valid token that lacks a right and one that does not exist both get 403; only the
    wording tells them apart: "1 error occurred: * permission denied" is said by the ACL,
    after the token was found.  Newer Vault adds "invalid token" where it was not; without
    that, the token may also be bound to addresses other than ours.
    """
    said = errors_of(reply)
    if reply.status in (200, 204) and not reply.is_page():
        whole = reply.status == 204 or isinstance(reply.json(), dict)
        return Answer.ACCEPTED if whole else Answer.OTHER
    if reply.status != 403 or said is None:
        return Answer.OTHER
    if any("invalid token" in text or "bad token" in text for text in said):
        return Answer.NOT_KNOWN
    if said == ["permission denied"]:
        return Answer.DENIED
    if any(text.startswith("1 error occurred:") and "permission denied" in text for text in said):
        return Answer.FORBIDDEN
    return Answer.OTHER


def errors_of(reply: Reply) -> list[str] | None:
    """
    Return the texts of an error in Vault's own form, `None` if it is of another form.
    """
    body = reply.json()
    if not isinstance(body, dict) or not isinstance(body.get("errors"), list):
        return None
    return [text.strip() for text in body["errors"] if isinstance(text, str)]


def data_of(reply: Reply) -> dict[str, Any]:
    """
    Return the `data` of a reply, empty if it has none.
    """
    body = reply.json()
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """
    What the server says of itself to anybody.
    """

    doubt: str | None = None
    """Why nothing can be learned from it."""

    many: str | None = None
    """Why a token that it does not know may live elsewhere."""


def health(caller: Caller) -> Health:
    """
    Ask the server for its state.
    """
    reply = caller.get(f"{HEALTH}?{_STATES}")
    state = reply.json()
    if not isinstance(state, dict) or "sealed" not in state or "initialized" not in state:
        if reply.status == 503:
            return Health(doubt="the server does not answer now (503)")
        return Health(doubt=f"not a Vault: its health is answered {reply.status}")
    if state.get("initialized") is not True:
        return Health(doubt="the server is not initialised")
    if state.get("sealed") is not False:
        return Health(doubt="the server is sealed")
    if state.get("replication_dr_mode") == "secondary":
        return Health(doubt="the server is a disaster recovery secondary, which knows no tokens")
    mode = state.get("replication_performance_mode")
    if mode in ("primary", "secondary"):
        return Health(many="it is one of several replicated clusters")
    enterprise = state.get("enterprise") is True or "+ent" in str(state.get("version", ""))
    if enterprise and caller.server.namespace is None:
        return Health(many="it has namespaces, and none stands beside it")
    return Health()
