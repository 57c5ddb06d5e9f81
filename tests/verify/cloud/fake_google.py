"""
Google's token endpoint, key list, resource manager and Gemini in a few lines.

Assertions are checked by Google's own library; the words are those that public reports
and the documentation quote.
"""

from __future__ import annotations

import datetime as dt
import json
import urllib.parse
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import jwt

from tests.verify.provider import Asked, Say

START = dt.datetime(2024, 3, 1, tzinfo=dt.timezone.utc)
END = dt.datetime(2034, 3, 1, tzinfo=dt.timezone.utc)
FOREVER = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.timezone.utc)


@dataclass
class Account:
    """A service account with its keys by id."""

    certificates: dict[str, str] = field(default_factory=dict)
    disabled: bool = False
    may: tuple[str, ...] = ()


@dataclass
class FakeGoogle:
    """What Google knows."""

    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, dict[str, object]] = field(default_factory=dict)
    """Access token → what it is for."""

    refresh: dict[str, str] = field(default_factory=dict)
    """Refresh token → client id."""

    clients: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """API key → reason why it may not use Gemini, empty if it may."""

    hide_keys: bool = False

    def __call__(self, asked: Asked) -> Say:
        path = urllib.parse.urlsplit(asked.target).path
        form = dict(urllib.parse.parse_qsl(asked.body.decode()))
        match asked.host, path:
            case "oauth2.googleapis.com", "/token":
                return self._token(form)
            case "oauth2.googleapis.com", "/tokeninfo":
                known = self.tokens.get(form["access_token"])
                return _json(200, known) if known else _refusal("invalid_token", "Invalid Value")
            case "www.googleapis.com", _ if "/x509/" in path:
                account = self.accounts.get(urllib.parse.unquote(path.rpartition("/")[2]))
                if account is None or self.hide_keys:
                    return _json(404, {"error": {"code": 404}})
                return _json(200, account.certificates)
            case "cloudresourcemanager.googleapis.com", _:
                return self._may(asked)
            case "generativelanguage.googleapis.com", "/v1beta/models":
                return self._models(asked.headers["x-goog-api-key"])
        raise AssertionError(asked.target)

    def _token(self, form: dict[str, str]) -> Say:
        if form["grant_type"] == "refresh_token":
            return self._refresh(form)
        try:
            issuer = jwt.decode(form["assertion"], verify=False)["iss"]
        except ValueError:
            return _refusal("invalid_grant", "Bad Request")
        account = self.accounts.get(issuer)
        if account is None:
            return _refusal("invalid_grant", "Invalid grant: account not found")
        if account.disabled:
            return _refusal("disabled_client", "The OAuth client was disabled.", 401)
        try:
            jwt.decode(
                form["assertion"],
                list(account.certificates.values()),
                audience="https://oauth2.googleapis.com/token",
            )
        except ValueError:
            return _refusal("invalid_grant", "Invalid JWT Signature.")
        return self._granted({"email": issuer}, "sa")

    def _granted(self, about: dict[str, object], kind: str) -> Say:
        token = f"ya29.c.{kind}-{len(self.tokens)}-granted-by-the-fake"
        self.tokens[token] = {"expires_in": 3599, **about}
        return _json(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _refresh(self, form: dict[str, str]) -> Say:
        secret = self.clients.get(form["client_id"])
        if secret is None:
            return _refusal("invalid_client", "The OAuth client was not found.", 401)
        if secret != form["client_secret"]:
            return _refusal("invalid_client", "The provided client secret is invalid.", 401)
        owner = self.refresh.get(form["refresh_token"])
        if owner == "revoked":
            return _refusal("invalid_grant", "Token has been expired or revoked.")
        if owner != form["client_id"]:
            return _refusal("invalid_grant", "Bad Request")
        return self._granted(
            {
                "azp": owner,
                "email": "ada@widgets.test",
                "scope": "openid https://mail.google.com/",
                "exp": "1900000000",
            },
            "user",
        )

    def _may(self, asked: Asked) -> Say:
        known = self.tokens.get(asked.headers["authorization"].removeprefix("Bearer "))
        if known is None:
            return _json(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        account = self.accounts[str(known["email"])]
        wanted = json.loads(asked.body)["permissions"]
        granted = [one for one in wanted if one in account.may]
        return _json(200, {"permissions": granted} if granted else {})

    def _models(self, key: str) -> Say:
        reason = self.keys.get(key, "API_KEY_INVALID")
        if not reason:
            return _json(200, {"models": [{"name": "models/some"}]})
        words = {
            "API_KEY_INVALID": "API key not valid. Please pass a valid API key.",
            "EXPIRED": "API key expired. Please renew the API key.",
        }.get(reason, f"Requests are blocked: {reason}")
        reason = "API_KEY_INVALID" if reason == "EXPIRED" else reason
        status = 400 if reason == "API_KEY_INVALID" else 403
        detail = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": {"consumer": "projects/123456789012"} if status == 403 else {},
        }
        error = {"code": status, "message": words, "status": "X", "details": [detail]}
        return _json(status, {"error": error})


def new_key(email: str, end: dt.datetime = END) -> tuple[str, str]:
    """A private key and the certificate that Google would show for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, email.partition("@")[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_file(email: str, key_id: str, private: str, project: str = "widgets-prod") -> str:
    """What Google gives for download; its token_uri is somebody else's."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": project,
            "private_key_id": key_id,
            "private_key": private,
            "client_email": email,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://evil.example/token",
            "universe_domain": "evil.example",
        },
        indent=2,
    )


def _json(status: int, document: object) -> Say:
    return Say(status, json.dumps(document).encode())


def _refusal(code: str, words: str, status: int = 400) -> Say:
    return _json(status, {"error": code, "error_description": words})
