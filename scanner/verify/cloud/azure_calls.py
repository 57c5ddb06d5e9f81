"""
Calls to Entra and what stands behind it, all of them reads.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scanner.verify.request import RefusedError, Reply, Request, TransportError
from scanner.verify.transport import Transport

_CODE = re.compile(r"AADSTS(\d{4,8})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """
    One of Microsoft's clouds: its hosts.
    """

    name: str
    """As Entra names it in a tenant's public configuration."""

    login: str
    graph: str
    management: str
    vault: str


PUBLIC = Cloud(
    name="microsoftonline.com",
    login="login.microsoftonline.com",
    graph="graph.microsoft.com",
    management="management.azure.com",
    vault="vault.azure.net",
)
CLOUDS = (
    PUBLIC,
    Cloud(
        name="microsoftonline.us",
        login="login.microsoftonline.us",
        graph="graph.microsoft.us",
        management="management.usgovcloudapi.net",
        vault="vault.usgovcloudapi.net",
    ),
    Cloud(
        name="partner.microsoftonline.cn",
        login="login.partner.microsoftonline.cn",
        graph="microsoftgraph.chinacloudapi.cn",
        management="management.chinacloudapi.cn",
        vault="vault.azure.cn",
    ),
)


class AzureCalls:
    """
    Reads for one finding.
    """

    def __init__(self, transport: Transport, finding: str) -> None:
        self._transport = transport
        self._finding = finding

    def configuration(self, tenant: str) -> Reply:
        """
        Ask where a tenant lives: public, so nothing of the secret is sent.
        """
        path = "/v2.0/.well-known/openid-configuration"
        return self._send(PUBLIC.login, f"/{tenant}{path}", f"/{{tenant_id}}{path}")

    def token(self, cloud: Cloud, tenant: str, client: str, secret: str, audience: str) -> Reply:
        """
        Ask for a token of the app's own, for one audience.
        """
        path = "/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": client,
            "client_secret": secret,
            "scope": f"https://{audience}/.default",
        }
        return self._send(
            cloud.login,
            f"/{tenant}{path}",
            f"/{{tenant_id}}{path} ({audience})",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urllib.parse.urlencode(form).encode("ascii"),
        )

    def read(
        self, host: str, path: str, token: str, *, shown: str | None = None, found: bool = False
    ) -> dict[str, Any] | None:
        """
        Return what an API answers a token; `None` if it is denied or no answer came.
        """
        headers = {"Authorization": f"Bearer {token}"}
        try:
            reply = self._send(host, path, shown or path, headers=headers, found=found)
        except (RefusedError, TransportError):
            return None
        document = reply.json()
        return document if reply.status == 200 and isinstance(document, dict) else None

    def _send(
        self,
        host: str,
        path: str,
        shown: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        found: bool = False,
    ) -> Reply:
        return self._transport.send(
            Request(
                host=host,
                method="POST" if body else "GET",
                path=path,
                shown=shown,
                headers=headers or {},
                body=body,
                finding=self._finding,
                found_host=found,
            )
        )


def entra_error(reply: Reply) -> tuple[int, str]:
    """
    Return number and words of Entra's refusal; 0 if the reply is none.
    """
    document = reply.json()
    if reply.is_page() or reply.status not in {400, 401, 403} or not isinstance(document, dict):
        return 0, ""
    words = document.get("error_description")
    found = _CODE.match(words) if isinstance(words, str) else None
    if found is None or not isinstance(words, str):
        return 0, ""
    # What follows are identifiers of the request.
    return int(found[1]), re.split(r"\s*(?:Trace ID|Correlation ID|\r|\n)", words)[0]


def access_token(reply: Reply) -> str | None:
    """
    Return the token that was granted, `None` if none was.
    """
    document = reply.json()
    token = document.get("access_token") if isinstance(document, dict) else None
    usable = isinstance(token, str) and token.isascii() and token.isprintable()
    return token if reply.status == 200 and usable and token else None


def claims(token: str) -> dict[str, Any]:
    """
    Return what a token says; whoever granted it over TLS need not be checked again.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        document = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
