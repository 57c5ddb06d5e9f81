"""
Entra, Graph, Azure Resource Manager, Key Vault, storage and DevOps in a few lines.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.verify.provider import Asked, Say

ENDPOINTS = (("token", "token"), ("authorization", "authorize"))
NOW = dt.datetime.now(dt.timezone.utc)


@dataclass
class App:
    """An app with its client secrets by their end."""

    secrets: dict[str, dt.datetime] = field(default_factory=dict)
    tenant: str = ""
    disabled: bool = False
    roles: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    """What it may do in its one subscription."""

    reads_itself: bool = False


@dataclass
class FakeEntra:
    """Entra, with what stands behind it."""

    apps: dict[str, App] = field(default_factory=dict)
    cloud: str = "microsoftonline.com"
    granted: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Token → app and audience."""

    vaults: tuple[str, ...] = ()

    def __call__(self, asked: Asked) -> Say:
        path = urllib.parse.urlsplit(asked.target).path
        if asked.host.startswith("login."):
            return self._login(asked, path)
        token = asked.headers["authorization"].removeprefix("Bearer ")
        client, audience = self.granted.get(token, ("", ""))
        if audience not in asked.host:
            return _json(401, {"error": {"code": "InvalidAuthenticationToken"}})
        app = self.apps[client]
        if asked.host.startswith("graph."):
            return self._graph(app) if app.reads_itself else _denied()
        if ".vault." in asked.host:
            return _json(200, {"value": []}) if asked.host in self.vaults else _denied()
        if path == "/subscriptions":
            rows = [{"subscriptionId": "0" * 8 + "-1111-2222-3333-" + "4" * 12}]
            return _json(200, {"value": rows if app.actions else []})
        return _json(200, {"value": [{"actions": list(app.actions), "notActions": []}]})

    def _login(self, asked: Asked, path: str) -> Say:
        tenant = path.split("/")[1]
        if tenant not in {app.tenant for app in self.apps.values()}:
            return _entra(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
        if path.endswith("openid-configuration"):
            assert asked.method == "GET"
            host = f"https://login.microsoftonline.com/{tenant}"
            ends = {f"{kind}_endpoint": f"{host}/oauth2/v2.0/{path}" for kind, path in ENDPOINTS}
            found = {**ends, "issuer": f"{host}/v2.0"}
            return _json(200, {**found, "cloud_instance_name": self.cloud})
        assert (
            asked.host
            == {
                "microsoftonline.com": "login.microsoftonline.com",
                "microsoftonline.us": "login.microsoftonline.us",
            }[self.cloud]
        ), "the secret went to another cloud"
        return self._token(dict(urllib.parse.parse_qsl(asked.body.decode())), tenant)

    def _token(self, form: dict[str, str], tenant: str) -> Say:
        app = self.apps.get(form["client_id"])
        if app is None or app.tenant != tenant:
            return _entra(400, "unauthorized_client", 700016, "Application was not found.")
        end = app.secrets.get(form["client_secret"])
        if end is None:
            return _entra(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if end < NOW:
            return _entra(401, "invalid_client", 7000222, "The client secret keys are expired.")
        if app.disabled:
            return _entra(401, "invalid_client", 7000112, "Application is disabled.")
        audience = form["scope"].removeprefix("https://").removesuffix("/.default")
        said = {"appid": form["client_id"], "roles": list(app.roles), "n": len(self.granted)}
        body = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
        token = f"e30.{body}.sig"
        self.granted[token] = (form["client_id"], audience)
        return _json(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _graph(self, app: App) -> Say:
        rows = [
            {
                "hint": secret[:3],
                "startDateTime": "2025-01-02T03:04:05Z",
                "endDateTime": f"{end:%Y-%m-%dT%H:%M:%S}.1234567Z",
            }
            for secret, end in app.secrets.items()
        ]
        return _json(200, {"displayName": "deployer", "passwordCredentials": rows})


@dataclass
class FakeStorage:
    """One storage account, as Microsoft's documentation says that it answers."""

    account: str
    keys: tuple[str, ...]
    refuse: str = ""
    """A code that everything is refused with: a firewall."""

    sas_ok: Callable[[dict[str, str]], str] = field(default=lambda fields: "")
    """Error detail for a signature, empty if it is right."""

    sas_may: bool = True

    def __call__(self, asked: Asked) -> Say:
        parts = urllib.parse.urlsplit(asked.target)
        query = dict(urllib.parse.parse_qsl(parts.query))
        assert asked.host.split(".")[0] == self.account
        if self.refuse:
            return storage_error(self.refuse, "This request is not authorized.")
        if "sig" in query:
            detail = self.sas_ok(query)
            if detail:
                return storage_error("AuthenticationFailed", "Server failed.", detail)
            if not self.sas_may:
                return storage_error("AuthorizationPermissionMismatch", "Not with this permission.")
        elif not self._signed(asked):
            detail = "The MAC signature found in the HTTP request 'x' is not the same as any computed signature."
            return storage_error("AuthenticationFailed", "Server failed.", detail)
        return Say(
            200, b"", headers={"x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2"}
        )

    def _signed(self, asked: Asked) -> bool:
        date, version = asked.headers["x-ms-date"], asked.headers["x-ms-version"]
        text = (
            f"GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:{version}\n"
            f"/{self.account}/\ncomp:properties\nrestype:account"
        )
        found = re.fullmatch(r"SharedKey (\w+):(\S+)", asked.headers["authorization"])
        assert found
        right = [
            base64.b64encode(
                hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
            )
            for key in self.keys
        ]
        return found[1] == self.account and found[2].encode() in right


def storage_error(code: str, message: str, detail: str = "") -> Say:
    """A refusal by the storage service."""
    inner = (
        f"<AuthenticationErrorDetail>{escape(detail)}</AuthenticationErrorDetail>" if detail else ""
    )
    body = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{code}</Code><Message>{message}</Message>{inner}</Error>"
    )
    return Say(403, body.encode(), kind="application/xml", headers={"x-ms-error-code": code})


def _json(status: int, document: object) -> Say:
    return Say(status, json.dumps(document).encode())


def _denied() -> Say:
    return _json(403, {"error": {"code": "Authorization_RequestDenied"}})


def _entra(status: int, error: str, number: int, words: str) -> Say:
    said = f"AADSTS{number}: {words} Trace ID: 1 Correlation ID: 2 Timestamp: 2026-01-01 00:00:00Z"
    return _json(status, {"error": error, "error_description": said, "error_codes": [number]})
