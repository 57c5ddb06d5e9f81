"""
A Kubernetes API server that stands in a finding, and what it says to a credential.

API: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scanner.verify.registry import Planned
from scanner.verify.request import Reply, Request, Trust
from scanner.verify.transport import Transport

_PREFIX = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.:-]*)*\Z")
_USER = re.compile(r'(?:forbidden|is forbidden): User "(?P<user>[^"]{1,300})" cannot ')
_ANONYMOUS = "system:anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """
    Where to ask, and whom to trust there.
    """

    host: str
    port: int
    tls: bool = True
    prefix: str = ""
    trust: Trust | None = None

    @property
    def name(self) -> str:
        """How a report names it."""
        return f"{self.host}:{self.port}"


def cluster_of(server: str, trust: Trust | None = None) -> Cluster | None:
    """
    Return the cluster of a `server:`, `None` if it is no address that may be asked.
    """
    try:
        parts = urllib.parse.urlsplit(server if "://" in server else f"https://{server}")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return None
    prefix = parts.path.rstrip("/")
    if parts.query or parts.fragment or not _PREFIX.match(prefix):
        return None
    tls = parts.scheme == "https"
    return Cluster(
        host=parts.hostname,
        port=port or (443 if tls else 80),
        tls=tls,
        prefix=prefix,
        trust=trust if tls else None,
    )


def pem_of(text: str | None) -> bytes | None:
    """
    Return what a `…-data` field holds, `None` if it is no PEM in base64.
    """
    try:
        data = base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if b"-----BEGIN " in data else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Asks one cluster about one finding.
    """

    transport: Transport
    cluster: Cluster
    finding: str
    token: str | None = field(default=None, repr=False)
    """Sent where the credential is no client certificate."""

    def anonymous(self, path: str) -> Reply:
        """
        Return the reply to a GET without any credential.
        """
        trust = self.cluster.trust
        bare = None if trust is None else Trust(authorities=trust.authorities, name=trust.name)
        return self._send("GET", path, None, b"", bare)

    def get(self, path: str) -> Reply:
        """
        Return the reply to a GET with the credential.
        """
        return self._send("GET", path, self.token, b"", self.cluster.trust)

    def review(self, group: str, kind: str, spec: Mapping[str, Any] | None = None) -> Reply:
        """
        Return the reply to a review: a question in the form of an object that is never kept.
        """
        body: dict[str, Any] = {"apiVersion": group, "kind": kind}
        if spec is not None:
            body["spec"] = spec
        path = review_path(group, kind)
        sent = json.dumps(body).encode()
        return self._send("POST", path, self.token, sent, self.cluster.trust)

    def _send(
        self, method: str, path: str, token: str | None, body: bytes, trust: Trust | None
    ) -> Reply:
        cluster = self.cluster
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body:
            headers["Content-Type"] = "application/json"
        target = f"{cluster.prefix}{path}"
        return self.transport.send(
            Request(
                host=cluster.host,
                port=cluster.port,
                tls=cluster.tls,
                path=target,
                shown=target,
                finding=self.finding,
                method=method,
                headers=headers,
                body=body,
                found_host=True,
                trust=trust,
            )
        )


def review_path(group: str, kind: str) -> str:
    """
    Return where a review is posted.
    """
    return f"/apis/{group}/{kind.lower()}s"


def planned(cluster: Cluster, method: str, path: str) -> Planned:
    """
    Return a request for the plan.
    """
    return Planned(host=cluster.name, method=method, path=f"{cluster.prefix}{path}")


@enum.unique
class Answer(enum.Enum):
    """
    What a reply says of the credential.
    """

    ACCEPTED = "accepted"
    FORBIDDEN = "known, but without this right"
    MISSING = "known, and there is no such question here"
    REFUSED = "unauthorized"
    OTHER = "other"


def answer_of(reply: Reply) -> Answer:
    """
    Return what a reply says of the credential that was sent.
    """
    body = reply.json()
    if reply.is_page() or not isinstance(body, dict):
        return Answer.OTHER
    if reply.status in (200, 201):
        return Answer.ACCEPTED if isinstance(body.get("status"), dict) else Answer.OTHER
    if body.get("kind") != "Status" or body.get("code") != reply.status:
        return Answer.OTHER
    if reply.status == 401 and body.get("reason") == "Unauthorized":
        return Answer.REFUSED
    if reply.status == 403 and body.get("reason") == "Forbidden":
        return Answer.FORBIDDEN if user_of(reply) != _ANONYMOUS else Answer.OTHER
    if reply.status == 404:
        return Answer.MISSING
    return Answer.OTHER


def user_of(reply: Reply) -> str | None:
    """
    Return whom a refusal names: it says who may not.
    """
    body = reply.json()
    message = body.get("message") if isinstance(body, dict) else None
    match = _USER.search(message) if isinstance(message, str) else None
    return match["user"] if match and match["user"].isprintable() else None


def status_of(reply: Reply) -> dict[str, Any]:
    """
    Return the `status` of a review, empty if it has none.
    """
    body = reply.json()
    status = body.get("status") if isinstance(body, dict) else None
    return status if isinstance(status, dict) else {}


def is_ready(caller: Caller) -> bool:
    """
    Say whether the server is well, or does not tell strangers.

    One whose storage is away refuses the tokens that it cannot look up.
    """
    reply = caller.anonymous("/readyz")
    if reply.status == 200:
        return reply.body.strip() == b"ok"
    body = reply.json()
    return (
        reply.status in (401, 403)
        and isinstance(body, dict)
        and body.get("kind") == "Status"
        and body.get("code") == reply.status
    )
