"""
Entra client secrets: the app they belong to, when they end, and what the app may do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.cloud.azure_calls import (
    CLOUDS,
    PUBLIC,
    AzureCalls,
    Cloud,
    access_token,
    claims,
    entra_error,
)
from scanner.verify.cloud.beside import secret_text, told, value_beside, values_beside
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

_RULES = {
    "azure-entra-client-secret",
    "azure-entra-older-client-secret",
    "azure-entra-app-client-secret-oldest",
}
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLIENT = re.compile(_UUID + r"\Z", re.IGNORECASE)
_TENANT = re.compile(
    _UUID + r"\Z|(?=.{4,100}\Z)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}\Z", re.IGNORECASE
)
_VAULT = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]\Z")
_SUBSCRIPTION = re.compile(_UUID + r"\Z", re.IGNORECASE)
_EXPIRED, _WRONG, _NO_APP = 7000222, 7000215, 700016
_NO_TENANT = {90002, 900021, 900023}
_RIGHT_BUT = {
    7000112: "the app is disabled",
    53003: "conditional access blocks it",
    530035: "security defaults block it",
}
_MOST_SUBSCRIPTIONS = 3


@dataclass(frozen=True, slots=True)
class _App:
    tenant: str
    client: str
    secret: str = field(repr=False)
    sure: bool
    """Its app stands beside it, and no other app and tenant is named near it."""


class EntraSecrets:
    """
    Asks Entra for tokens as the app, and with these for what the app may do.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether it is a client secret.
        """
        del rule
        return finding.rule_id in _RULES

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the requests that settle it, and those that tell more.
        """
        if _app(finding) is None:
            return []
        where = "/{tenant_id}/v2.0/.well-known/openid-configuration"
        planned = [Planned(host=PUBLIC.login, method="GET", path=where)]
        for cloud in CLOUDS:
            only = "" if cloud is PUBLIC else ", if the tenant is of that cloud"
            planned += [
                Planned(
                    host=cloud.login, method="POST", path=f"/{{tenant_id}}/oauth2/v2.0/token{only}"
                ),
                Planned(
                    host=cloud.graph, method="GET", path=f"/v1.0/applications (if alive{only})"
                ),
                Planned(
                    host=cloud.management, method="GET", path=f"/subscriptions (if alive{only})"
                ),
            ]
        vault = _vault(finding, consent)
        if vault is not None:
            planned.append(
                Planned(host=f"{vault}.{PUBLIC.vault}", method="GET", path="/secrets (if alive)")
            )
        return planned

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return what is missing.
        """
        del consent
        wanted = [
            name
            for name, shape in (("client_id", _CLIENT), ("tenant_id", _TENANT))
            if not shape.match(value_beside(finding, name) or "")
        ]
        return f"not found beside it: {', '.join(wanted)}"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Find the tenant's cloud without the secret, then ask for a token.
        """
        app = _app(finding)
        if app is None:
            return Verification(status=Status.NOT_TRIED, reason=self.excuse(finding, consent))
        calls = AzureCalls(transport, finding.fingerprint)
        reply = calls.configuration(app.tenant)
        document = reply.json()
        if reply.status != 200 or not isinstance(document, dict):
            number, words = entra_error(reply)
            said = told(words or f"status {reply.status}", [app.secret])
            gone = "no such tenant in Microsoft's public cloud" if number in _NO_TENANT else "Entra"
            return _unknown(f"{gone}: {said}")
        named = document.get("cloud_instance_name") or PUBLIC.name
        cloud = next((one for one in CLOUDS if one.name == named), None)
        if cloud is None or not isinstance(document.get("token_endpoint"), str):
            return _unknown("Entra told a tenant's configuration that is not understood")
        reply = calls.token(cloud, app.tenant, app.client, app.secret, cloud.graph)
        token = access_token(reply)
        if token is None:
            number, words = entra_error(reply)
            return _refused(app, number, told(words or f"status {reply.status}", [app.secret]))
        return _Alive(calls, cloud, app, token).told(_vault(finding, consent))


def verifier() -> EntraSecrets:
    """
    Return the verifier of this module.
    """
    return EntraSecrets()


def _app(finding: Finding) -> _App | None:
    tenants = _near(finding, "tenant_id", _TENANT)
    clients = _near(finding, "client_id", _CLIENT)
    secret = secret_text(finding)
    if not tenants or not clients or secret is None:
        return None
    touching = (value_beside(finding, "next_to_it") or "").lower() == clients[0]
    sure = touching and len(tenants) == 1 == len(clients)
    return _App(tenants[0], clients[0], secret, sure)


def _near(finding: Finding, name: str, shape: re.Pattern[str]) -> list[str]:
    values = [*values_beside(finding, name), *values_beside(finding, f"any_{name}")]
    return list(dict.fromkeys(value.lower() for value in values if shape.match(value)))


def _vault(finding: Finding, consent: Consent) -> str | None:
    name = value_beside(finding, "vault") or ""
    return name.lower() if consent.found_hosts and _VAULT.match(name) else None


def _refused(app: _App, number: int, said: str) -> Verification:
    if number == _EXPIRED:
        return Verification(status=Status.INACTIVE, reason=f"the secret has expired ({said})")
    if number == _WRONG and app.sure:
        return Verification(
            status=Status.INACTIVE, reason=f"not a secret of this app, or not any more ({said})"
        )
    if number == _NO_APP and app.sure:
        return Verification(
            status=Status.INACTIVE, reason=f"the tenant has no such app any more ({said})"
        )
    if number in _RIGHT_BUT:
        return _unknown(f"{_RIGHT_BUT[number]} ({said})")
    if number in {_WRONG, _NO_APP}:
        return _unknown(f"{said}, but the secret may be of another app")
    return _unknown(f"Entra answered {said}")


def _unknown(reason: str) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=reason)


class _Alive:
    """
    What a living secret opens.
    """

    def __init__(self, calls: AzureCalls, cloud: Cloud, app: _App, token: str) -> None:
        self._calls = calls
        self._cloud = cloud
        self._app = app
        self._token = token

    def told(self, vault: str | None) -> Verification:
        """
        Return the verdict with everything that may be known.
        """
        roles = claims(self._token).get("roles", [])
        scopes = (
            [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
        )
        name, password = self._credential()
        scopes += self._subscriptions()
        if vault is not None:
            scopes += self._secrets(vault)
        names = tuple(dict.fromkeys(told(scope, [self._app.secret]) for scope in scopes))
        owner = f"app {name or ''} {self._app.client}".replace("  ", " ")
        return Verification(
            status=Status.ACTIVE,
            identity=told(f"{owner} of tenant {self._app.tenant}", [self._app.secret]),
            scopes=names,
            created_at=_date(password.get("startDateTime")),
            expires_at=_date(password.get("endDateTime")),
            reason="Entra granted the app a token" + ("" if names else "; no right of it was told"),
            rights=plain_words("azure", names),
        )

    def _credential(self) -> tuple[str | None, dict[str, Any]]:
        """
        Return the app's name and the dates of this very secret, by the hint that Graph tells.
        """
        which = f"/v1.0/applications(appId='{self._app.client}')"
        path = f"{which}?$select=displayName,passwordCredentials"
        shown = "/v1.0/applications(appId={client_id})"
        document = self._calls.read(self._cloud.graph, path, self._token, shown=shown) or {}
        rows = document.get("passwordCredentials", [])
        mine = [
            row
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict)
            and row.get("hint")
            and self._app.secret.startswith(str(row["hint"]))
        ]
        name = document.get("displayName")
        return (name if isinstance(name, str) else None), (mine[0] if len(mine) == 1 else {})

    def _subscriptions(self) -> list[str]:
        host = self._cloud.management
        token = self._further(host)
        if token is None:
            return []
        listed = self._calls.read(host, "/subscriptions?api-version=2022-12-01", token) or {}
        rows = listed.get("value", [])
        ids = [
            str(row.get("subscriptionId"))
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict) and _SUBSCRIPTION.match(str(row.get("subscriptionId")))
        ]
        scopes: list[str] = []
        for one in ids[:_MOST_SUBSCRIPTIONS]:
            tail = "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
            may = self._calls.read(
                host, f"/subscriptions/{one}{tail}", token, shown=f"/subscriptions/{{id}}{tail}"
            )
            scopes += _actions((may or {}).get("value", [])) or ["subscription seen"]
        return scopes

    def _secrets(self, vault: str) -> list[str]:
        token = self._further(self._cloud.vault)
        if token is None:
            return []
        path = "/secrets?api-version=7.4&maxresults=1"
        host = f"{vault}.{self._cloud.vault}"
        listed = self._calls.read(host, path, token, found=True)
        return ["key vault secrets list"] if listed is not None and "value" in listed else []

    def _further(self, audience: str) -> str | None:
        app = self._app
        try:
            reply = self._calls.token(self._cloud, app.tenant, app.client, app.secret, audience)
        except (RefusedError, TransportError):
            return None
        return access_token(reply)


def _actions(rows: object) -> list[str]:
    actions = [
        str(action)
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and isinstance(row.get("actions"), list)
        for action in row["actions"]
    ]
    if "*" in actions:
        return ["subscription everything"]
    if any(action.lower() == "microsoft.authorization/*" for action in actions):
        return ["subscription rights"]
    if any(not action.lower().endswith("/read") for action in actions):
        return ["subscription write"]
    return ["subscription read"] if actions else []


def _date(value: object) -> str | None:
    found = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z", str(value))
    return f"{found[1]}Z" if found else None
