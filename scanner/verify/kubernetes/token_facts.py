"""
What a service account's token and a client certificate say of themselves, offline.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

_SERVICE_ACCOUNT = "kubernetes.io/serviceaccount/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """
    Claims; nothing is proven by them.
    """

    who: str | None = None
    namespace: str | None = None
    created_at: str | None = None
    expires_at: str | None = None
    elsewhere: str | None = None
    """An audience that is not the API server's: there it is refused although alive."""


def of_token(token: str) -> Facts:
    """
    Return the claims of a token; all unknown if it is no JWT.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return Facts()
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return Facts()
    if not isinstance(claims, dict):
        return Facts()
    bound = claims.get("kubernetes.io")
    bound = bound if isinstance(bound, dict) else {}
    return Facts(
        who=_text(claims.get("sub")),
        namespace=_text(claims.get(f"{_SERVICE_ACCOUNT}namespace"))
        or _text(bound.get("namespace")),
        created_at=_time(claims.get("iat")),
        expires_at=_time(claims.get("exp")),
        elsewhere=_elsewhere(claims),
    )


def of_certificate(pem: bytes) -> Facts:
    """
    Return user, groups and end of a client certificate; all unknown if it cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return Facts()
    return Facts(
        who=_text(names[0].value) if names else None,
        created_at=_iso(certificate.not_valid_before_utc),
        expires_at=_iso(certificate.not_valid_after_utc),
    )


def _elsewhere(claims: dict[str, Any]) -> str | None:
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not named:
        return None
    issuer = claims.get("iss")
    for text in named:
        # What API servers are called: their issuer by default, else in the clusters' own names.
        if text == issuer or text in ("api", "kubernetes", "k3s", "rke2"):
            return None
        if isinstance(text, str) and ("kubernetes" in text or text.startswith("https://")):
            return None
    return _text(named[0])


def _text(value: object) -> str | None:
    return value[:200] if isinstance(value, str) and value and value.isprintable() else None


def _time(value: object) -> str | None:
    if not isinstance(value, (int, float)) or not 0 < value < 1 << 33:
        return None
    return _iso(datetime.fromtimestamp(value, timezone.utc))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
