"""
Service account keys: a signed assertion to Google's token endpoint, and what it opens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.cloud.beside import secret_text, told, value_beside, values_beside
from scanner.verify.cloud.google_calls import (
    KEYS_HOST,
    PROJECTS_HOST,
    TOKEN_HOST,
    GoogleCalls,
    access_token,
    assertion,
    grant_error,
    private_key,
)
from scanner.verify.registry import Consent, Planned
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

_RULE = "gcp-service-account-key"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_EMAIL = re.compile(r"[a-z0-9][a-z0-9.-]{0,100}@[a-z0-9.-]{1,100}\.gserviceaccount\.com\Z")
_KEY_ID = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class _KeyFile:
    key: rsa.RSAPrivateKey
    email: str
    key_id: str | None
    project: str
    sure: bool
    """Its account stands beside it, and no other is named near it."""


class ServiceAccounts:
    """
    Asks Google whether a service account's key still opens anything.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether it is the key of a key file.
        """
        del rule
        return finding.rule_id == _RULE

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the request that settles it, and those that tell more.
        """
        del consent
        if _key_file(finding) is None:
            return []
        project = "/v1/projects/{project_id}:testIamPermissions (if alive)"
        return [
            Planned(host=TOKEN_HOST, method="POST", path="/token (a signed assertion)"),
            Planned(
                host=KEYS_HOST,
                method="GET",
                path="/service_accounts/v1/metadata/x509/{client_email}",
            ),
            Planned(host=PROJECTS_HOST, method="POST", path=project),
        ]

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return what is missing.
        """
        del consent
        if private_key(secret_text(finding) or "") is None:
            return "not a whole RSA key"
        return "not found beside it: client_email"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Ask the token endpoint, then for dates and rights.
        """
        file = _key_file(finding)
        if file is None:
            return Verification(status=Status.NOT_TRIED, reason=self.excuse(finding, consent))
        calls = GoogleCalls(transport, finding.fingerprint)
        proof = assertion(file.key, file.email, file.key_id)
        reply = calls.token({"grant_type": _GRANT, "assertion": proof}, "a signed assertion")
        token = access_token(reply)
        if token is not None:
            return _alive(calls, file, token)
        code, words = grant_error(reply)
        return _refused(calls, file, code or f"status {reply.status}", words)


def verifier() -> ServiceAccounts:
    """
    Return the verifier of this module.
    """
    return ServiceAccounts()


def _key_file(finding: Finding) -> _KeyFile | None:
    key = private_key(secret_text(finding) or "")
    emails = [email for email in values_beside(finding, "client_email") if _EMAIL.match(email)]
    if key is None or not emails:
        return None
    ids = [one for one in values_beside(finding, "private_key_id") if _KEY_ID.match(one)]
    project = value_beside(finding, "project_id") or emails[0].partition("@")[2].split(".")[0]
    touching = value_beside(finding, "next_to_it") == emails[0]
    sure = touching and len(emails) == 1 and len(ids) <= 1
    return _KeyFile(key, emails[0], ids[0] if ids else None, project, sure)


def _alive(calls: GoogleCalls, file: _KeyFile, token: str) -> Verification:
    known = _certificate(calls, file)
    granted = calls.may(token, file.project)
    scopes = granted or ()
    reason = "Google granted its assertion a token"
    if granted is None:
        reason += "; what it may do was not told"
    elif not granted:
        reason += "; it may do none of the dangerous things in its project"
    return Verification(
        status=Status.ACTIVE,
        identity=told(f"{file.email} of project {file.project}"),
        scopes=scopes,
        created_at=None if known is None else f"{known.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        expires_at=None if known is None else _end(known),
        reason=reason,
        rights=plain_words("gcp", scopes),
    )


def _end(certificate: x509.Certificate) -> str | None:
    # Keys without an end carry the year 9999.
    end = certificate.not_valid_after_utc
    return None if end.year > 9000 else f"{end:%Y-%m-%dT%H:%M:%SZ}"


def _certificate(calls: GoogleCalls, file: _KeyFile) -> x509.Certificate | None:
    """
    Return the certificate that Google shows for this very key.
    """
    mine = file.key.public_key().public_numbers()
    for pem in (calls.public_keys(file.email) or {}).values():
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
            public = certificate.public_key()
        except ValueError:
            continue
        if isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == mine:
            return certificate
    return None


def _refused(calls: GoogleCalls, file: _KeyFile, code: str, words: str) -> Verification:
    said = told(f"{code}: {words}" if words else code)
    low = words.lower()
    reason = f"Google answered {said}"
    gone = code == "invalid_grant" and "account not found" in low
    off = code == "disabled_client"
    wrong = code == "invalid_grant" and "invalid jwt signature" in low
    if gone or off or wrong:
        if not file.sure:
            return _unknown(f"{reason}, but that may be another account's key")
        if wrong and _certificate(calls, file) is not None:
            return _unknown(f"{reason}, and yet lists the key among the account's own")
        what = "the account is gone" if gone else "the account is disabled"
        what = "the key is deleted or was never the account's" if wrong else what
        return Verification(status=Status.INACTIVE, reason=f"{what} ({said})")
    return _unknown(reason)


def _unknown(reason: str) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=reason)
