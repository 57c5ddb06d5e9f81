"""
Calls to Google that read, and the words of its answers.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from scanner.verify.request import RefusedError, Reply, Request, TransportError
from scanner.verify.transport import Transport

TOKEN_HOST = "oauth2.googleapis.com"  # noqa: S105 # a host
KEYS_HOST = "www.googleapis.com"
PROJECTS_HOST = "cloudresourcemanager.googleapis.com"
_AUDIENCE = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_SECONDS = 600
# What an intruder would try first; all are permissions that a project may be asked about.
PERMISSIONS = (
    "resourcemanager.projects.setIamPolicy", "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.actAs",
    "secretmanager.versions.access", "cloudkms.cryptoKeyVersions.useToDecrypt",
    "storage.objects.get", "storage.objects.create", "storage.objects.delete",
    "bigquery.tables.getData", "compute.instances.create", "compute.instances.setMetadata",
    "cloudfunctions.functions.update", "container.secrets.list", "logging.sinks.delete",
    "resourcemanager.projects.delete", "resourcemanager.projects.get",
)  # fmt: skip
_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{4,62}\Z")


class GoogleCalls:
    """
    Reads for one finding; the hosts are these and no other.
    """

    def __init__(self, transport: Transport, finding: str) -> None:
        self._transport = transport
        self._finding = finding

    def token(self, form: Mapping[str, str], what: str) -> Reply:
        """
        Ask the token endpoint, whatever a leaked file calls its own.
        """
        return self._send(TOKEN_HOST, "/token", f"/token ({what})", body=_form(form))

    def token_info(self, token: str) -> Reply:
        """
        Ask what an access token is for.
        """
        return self._send(TOKEN_HOST, "/tokeninfo", body=_form({"access_token": token}))

    def public_keys(self, email: str) -> Mapping[str, str] | None:
        """
        Return a service account's certificates by key id; `None` if none came.

        They are public: nothing of the key is sent.
        """
        path = "/service_accounts/v1/metadata/x509/"
        try:
            reply = self._send(
                KEYS_HOST, path + urllib.parse.quote(email, safe=""), f"{path}{{client_email}}"
            )
        except (RefusedError, TransportError):
            return None
        document = reply.json()
        if reply.status != 200 or not isinstance(document, dict):
            return None
        return {key: pem for key, pem in document.items() if isinstance(pem, str)}

    def may(self, token: str, project: str) -> tuple[str, ...] | None:
        """
        Return the permissions that a token has in a project; `None` if that was not told.
        """
        if not _PROJECT.match(project):
            return None
        path = f"/v1/projects/{urllib.parse.quote(project, safe='')}:testIamPermissions"
        try:
            reply = self._send(
                PROJECTS_HOST,
                path,
                "/v1/projects/{project_id}:testIamPermissions",
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": "application/json",
                },
                body=json.dumps({"permissions": PERMISSIONS}).encode(),
            )
        except (RefusedError, TransportError):
            return None
        document = reply.json()
        if reply.status != 200 or not isinstance(document, dict):
            return None
        granted = document.get("permissions", [])
        return tuple(one for one in PERMISSIONS if one in granted)

    def get(self, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        """
        Ask with a key in a header.
        """
        return self._send(host, path, headers=headers)

    def _send(
        self,
        host: str,
        path: str,
        shown: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._transport.send(
            Request(
                host=host,
                method="GET" if body is None else "POST",
                path=path,
                shown=shown or path,
                headers=headers or ({} if body is None else kind),
                body=body or b"",
                finding=self._finding,
            )
        )


def private_key(text: str) -> rsa.RSAPrivateKey | None:
    r"""
    Return the key of a key file, whose line ends may be written `\n`; `None` if it is none.
    """
    try:
        key = serialization.load_pem_private_key(text.replace("\\n", "\n").encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, rsa.RSAPrivateKey) else None


def assertion(key: rsa.RSAPrivateKey, email: str, key_id: str | None) -> str:
    """
    Return what a service account proves itself with; its audience is always Google's.
    """
    now = int(time.time()) - 5
    head = {"alg": "RS256", "typ": "JWT", **({} if key_id is None else {"kid": key_id})}
    claims = {"iss": email, "scope": _SCOPE, "aud": _AUDIENCE, "iat": now, "exp": now + _SECONDS}
    signed = ".".join(_coded(json.dumps(part).encode()) for part in (head, claims))
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_coded(signature)}"


def grant_error(reply: Reply) -> tuple[str, str]:
    """
    Return code and words of a refusal by the token endpoint, empty if it is none.
    """
    document = reply.json()
    if reply.is_page() or reply.status not in {400, 401, 403} or not isinstance(document, dict):
        return "", ""
    code, words = document.get("error"), document.get("error_description", "")
    return (code, str(words)) if isinstance(code, str) else ("", "")


def api_error(reply: Reply) -> tuple[str, str, str]:
    """
    Return reason, message and consumer of a refusal by an API, empty if it is none.
    """
    document = reply.json()
    error = document.get("error") if isinstance(document, dict) else None
    if reply.is_page() or not 400 <= reply.status < 500 or not isinstance(error, dict):
        return "", "", ""
    details: Any = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and isinstance(detail.get("reason"), str):
            metadata = detail.get("metadata")
            consumer = metadata.get("consumer", "") if isinstance(metadata, dict) else ""
            return detail["reason"], str(error.get("message", "")), str(consumer)
    return "", str(error.get("message", "")), ""


def access_token(reply: Reply) -> str | None:
    """
    Return the token that was granted, `None` if none was.
    """
    document = reply.json()
    if reply.status != 200 or not isinstance(document, dict):
        return None
    token = document.get("access_token")
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else None


def _form(fields: Mapping[str, str]) -> bytes:
    return urllib.parse.urlencode(fields).encode("ascii")


def _coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
