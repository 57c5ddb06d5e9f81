"""
Google's API keys, OAuth tokens and client secrets.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timezone

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.cloud.beside import secret_text, told, value_beside, values_beside
from scanner.verify.cloud.google_calls import (
    TOKEN_HOST,
    GoogleCalls,
    access_token,
    api_error,
    grant_error,
)
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

_API_KEYS = {"google-api-key", "google-api-key-base64-encoded", "google-gemini-api-key-newer"}
_ACCESS = {"google-oauth-access-token"}
_REFRESH = {"google-oauth-refresh-token", "gcp-authorized-user-credentials"}
_CLIENTS = {"google-oauth-client-secret"}
_MODELS_HOST = "generativelanguage.googleapis.com"
_CLIENT_ID = re.compile(r"[0-9]{6,20}-[a-z0-9]{8,64}\.apps\.googleusercontent\.com\Z")
_KEY = re.compile(r"[A-Za-z0-9_.-]{39,120}\Z")
_NEVER = "1//0unsealed-a-token-that-cannot-exist"
_NO_KEY = "AIzaSyUnsealed" + "0" * 25
# The key is known, and may not be used here: that is for those who stole it to find out
# where it may.
_LIMITED = {
    "SERVICE_DISABLED": "its project has not switched Gemini on",
    "API_KEY_SERVICE_BLOCKED": "it is for other APIs than Gemini",
    "API_KEY_HTTP_REFERRER_BLOCKED": "it is for certain web sites",
    "API_KEY_IP_ADDRESS_BLOCKED": "it is for certain addresses",
    "API_KEY_ANDROID_APP_BLOCKED": "it is for an Android app",
    "API_KEY_IOS_APP_BLOCKED": "it is for an iOS app",
    "BILLING_DISABLED": "its project pays no more",
    "RATE_LIMIT_EXCEEDED": "its quota is used up",
}


class GoogleCredentials:
    """
    Asks Google's token and API endpoints.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether it is one of the kinds that this knows.
        """
        del rule
        return finding.rule_id in _API_KEYS | _ACCESS | _REFRESH | _CLIENTS

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the one request that settles it.
        """
        del consent
        if self._lacks(finding):
            return []
        if finding.rule_id in _API_KEYS:
            path = "/v1beta/models?pageSize=1"
            return [
                Planned(host=_MODELS_HOST, method="GET", path=f"{path} (a key that cannot exist)"),
                Planned(host=_MODELS_HOST, method="GET", path=path),
            ]
        info = Planned(host=TOKEN_HOST, method="POST", path="/tokeninfo")
        if finding.rule_id in _ACCESS:
            return [info]
        grant = Planned(host=TOKEN_HOST, method="POST", path="/token (refresh_token)")
        return [grant, info] if finding.rule_id in _REFRESH else [grant]

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return what is missing.
        """
        del consent
        return f"not found beside it: {self._lacks(finding)}"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Ask what fits its kind.
        """
        if self._lacks(finding):
            return Verification(status=Status.NOT_TRIED, reason=self.excuse(finding, consent))
        calls = GoogleCalls(transport, finding.fingerprint)
        secret = secret_text(finding) or ""
        if finding.rule_id in _API_KEYS:
            return _api_key(calls, _plain(finding.rule_id, secret))
        if finding.rule_id in _ACCESS:
            return _access(calls, secret)
        if finding.rule_id in _REFRESH:
            return _refresh(calls, finding, secret)
        return _client(calls, finding, secret)

    def _lacks(self, finding: Finding) -> str:
        if finding.rule_id in _API_KEYS:
            key = _plain(finding.rule_id, secret_text(finding) or "")
            return "" if _KEY.match(key) else "a key that can be read"
        if finding.rule_id in _ACCESS:
            return "" if secret_text(finding) else "a token that can be read"
        wanted = [] if _client_ids(finding) else ["client_id"]
        if finding.rule_id in _REFRESH and value_beside(finding, "client_secret") is None:
            wanted.append("client_secret")
        return ", ".join(wanted)


def verifier() -> GoogleCredentials:
    """
    Return the verifier of this module.
    """
    return GoogleCredentials()


def _plain(rule_id: str, secret: str) -> str:
    if rule_id != "google-api-key-base64-encoded":
        return secret
    try:
        data = base64.b64decode(secret + "=" * (-len(secret) % 4))
    except (ValueError, binascii.Error):
        return ""
    return data[:39].decode("ascii", errors="replace")


def _client_ids(finding: Finding) -> list[str]:
    return [one for one in values_beside(finding, "client_id") if _CLIENT_ID.match(one)]


def _api_key(calls: GoogleCalls, key: str) -> Verification:
    path = "/v1beta/models?pageSize=1"
    if calls.get(_MODELS_HOST, path, {"x-goog-api-key": _NO_KEY}).status == 200:
        return Verification(status=Status.UNKNOWN, reason="a key that cannot exist is accepted too")
    reply = calls.get(_MODELS_HOST, path, {"x-goog-api-key": key})
    document = reply.json()
    if reply.status == 200 and isinstance(document, dict) and document.get("models"):
        scopes = ("gemini",)
        return Verification(
            status=Status.ACTIVE,
            scopes=scopes,
            reason="Gemini accepted it",
            rights=plain_words("google", scopes),
        )
    reason, message, consumer = api_error(reply)
    if reason == "API_KEY_INVALID":
        return Verification(status=Status.INACTIVE, reason=told(f"{reason}: {message}", [key]))
    if reason in _LIMITED:
        return Verification(
            status=Status.ACTIVE,
            identity=told(consumer.replace("projects/", "project "), [key]) or None,
            reason=f"Google knows the key: {_LIMITED[reason]} ({reason})",
        )
    said = f"{reason}: {message}".strip(": ") or f"status {reply.status}"
    return Verification(status=Status.UNKNOWN, reason=told(f"Google answered {said}", [key]))


def _access(calls: GoogleCalls, token: str) -> Verification:
    reply = calls.token_info(token)
    document = reply.json()
    if reply.status == 200 and isinstance(document, dict) and document.get("expires_in"):
        return _token_told(document, token, "Google told what the token is for")
    code, words = grant_error(reply)
    said = told(f"{code}: {words}".strip(": ") or f"status {reply.status}", [token])
    if code in {"invalid_token", "invalid_request"} and "invalid value" in words.lower():
        return Verification(status=Status.INACTIVE, reason=f"expired or revoked ({said})")
    return Verification(status=Status.UNKNOWN, reason=f"Google answered {said}")


def _token_told(document: dict[str, object], token: str, reason: str) -> Verification:
    scopes = tuple(told(scope, [token]) for scope in str(document.get("scope", "")).split())
    audience = str(document.get("azp") or document.get("aud") or "")
    project = re.match(r"[0-9]{6,20}(?=-)", audience)
    of = f"project {project[0]}" if project else audience
    who = [str(document.get("email", "")), of]
    end = str(document.get("exp", ""))
    return Verification(
        status=Status.ACTIVE,
        identity=told(" of ".join(part for part in who if part), [token]) or None,
        scopes=scopes,
        expires_at=_moment(int(end)) if re.fullmatch(r"\d{9,10}", end) else None,
        reason=reason,
        rights=plain_words("google", scopes),
    )


def _refresh(calls: GoogleCalls, finding: Finding, secret: str) -> Verification:
    ids = _client_ids(finding)
    client_secret = value_beside(finding, "client_secret") or ""
    reply = calls.token(
        {
            "grant_type": "refresh_token",
            "client_id": ids[0],
            "client_secret": client_secret,
            "refresh_token": secret,
        },
        "refresh_token",
    )
    token = access_token(reply)
    if token is not None:
        reason = "Google renewed an access token by it"
        try:
            info = calls.token_info(token)
        except (RefusedError, TransportError):
            return Verification(status=Status.ACTIVE, reason=reason)
        document = info.json()
        known = document if info.status == 200 and isinstance(document, dict) else {}
        # The end that is told is that of the access token, not of this one.
        return _token_told({k: v for k, v in known.items() if k != "exp"}, token, reason)
    code, words = grant_error(reply)
    hidden = [secret, client_secret]
    said = told(f"{code}: {words}".strip(": ") or f"status {reply.status}", hidden)
    if code == "invalid_grant" and "expired or revoked" in words.lower():
        return Verification(status=Status.INACTIVE, reason=f"expired or revoked ({said})")
    return Verification(status=Status.UNKNOWN, reason=f"Google answered {said}")


def _client(calls: GoogleCalls, finding: Finding, secret: str) -> Verification:
    # A grant that cannot exist: a right client is told so, a wrong one is refused before.
    ids = _client_ids(finding)
    reply = calls.token(
        {
            "grant_type": "refresh_token",
            "client_id": ids[0],
            "client_secret": secret,
            "refresh_token": _NEVER,
        },
        "a refresh token that cannot exist",
    )
    code, words = grant_error(reply)
    said = told(f"{code}: {words}".strip(": ") or f"status {reply.status}", [secret])
    if code == "invalid_grant":
        project = ids[0].partition("-")[0]
        return Verification(
            status=Status.ACTIVE,
            identity=f"OAuth client {ids[0]} of project {project}",
            reason=f"Google accepted the client and refused an impossible grant ({said})",
        )
    low = words.lower()
    dead = code in {"invalid_client", "disabled_client", "deleted_client"} and any(
        word in low for word in ("secret is invalid", "was not found", "disabled", "deleted")
    )
    if dead and ids == [value_beside(finding, "next_to_it")]:
        return Verification(status=Status.INACTIVE, reason=f"Google refuses the client ({said})")
    return Verification(status=Status.UNKNOWN, reason=f"Google answered {said}")


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
