"""
Azure DevOps: personal access tokens.
"""

from __future__ import annotations

import base64
import re
import urllib.parse

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.cloud.beside import secret_text, told, value_beside
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, Reply, Request, TransportError
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

_RULES = {"azure-devops-pat", "azure-devops-legacy-pat"}
_PROFILES = "app.vssps.visualstudio.com"
_PROFILE = "/_apis/profile/profiles/me?api-version=7.1"
_HOST = "dev.azure.com"
_READS = (
    ("project read", "/_apis/projects?$top=1&api-version=7.1"),
    ("code read", "/_apis/git/repositories?api-version=7.1"),
    ("build read", "/_apis/pipelines?$top=1&api-version=7.1"),
)
_ORG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,48}\Z")
_NOBODY = frozenset({"_apis", "_git", "organization", "org", "account", "collection"})


class DevOpsTokens:
    """
    Asks for the token's own profile, then for what its organization lets it read.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether it is a personal access token.
        """
        del rule
        return finding.rule_id in _RULES

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the requests.
        """
        del consent
        planned = [Planned(host=_PROFILES, method="GET", path=_PROFILE)]
        if _org(finding) is not None:
            planned += [
                Planned(host=_HOST, method="GET", path=f"/{{org}}{path}") for _, path in _READS
            ]
        return planned

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Ask; a token that may not read its own profile may read something else.
        """
        del consent
        token = secret_text(finding) or ""
        org = _org(finding)
        asker = _Asker(transport, finding.fingerprint, token)
        reply = asker.get(_PROFILES, _PROFILE, _PROFILE)
        profile = reply.json()
        owner = None
        if reply.status == 200 and isinstance(profile, dict) and profile.get("id"):
            owner = profile.get("emailAddress") or profile.get("displayName")
        scopes = [] if owner is None else ["profile read"]
        refusals = [reply]
        for scope, path in _READS if org is not None and self._is_closed(asker, org) else ():
            try:
                answer = asker.get(_HOST, f"/{org}{path}", f"/{{org}}{path}")
            except (RefusedError, TransportError):
                continue
            document = answer.json()
            if answer.status == 200 and isinstance(document, dict) and "value" in document:
                scopes.append(scope)
            else:
                refusals.append(answer)
        if not scopes:
            return _refused(refusals)
        names = tuple(scopes)
        of = "" if org is None else f" at {org}"
        return Verification(
            status=Status.ACTIVE,
            identity=told(f"{owner or 'a user'}{of}", [token]),
            scopes=names,
            reason="Azure DevOps answered it",
            rights=plain_words("azure-devops", names),
        )

    @staticmethod
    def _is_closed(asker: _Asker, org: str) -> bool:
        """
        Say whether the organization refuses a token that cannot exist: public projects do not.
        """
        _, path = _READS[0]
        try:
            reply = asker.nobody().get(_HOST, f"/{org}{path}", f"/{{org}}{path}")
        except (RefusedError, TransportError):
            return False
        return reply.status != 200


def verifier() -> DevOpsTokens:
    """
    Return the verifier of this module.
    """
    return DevOpsTokens()


class _Asker:
    def __init__(self, transport: Transport, finding: str, token: str) -> None:
        self._transport = transport
        self._finding = finding
        self._basic = base64.b64encode(f":{token}".encode()).decode("ascii")

    def nobody(self) -> _Asker:
        """
        Return one whose token cannot exist.
        """
        return _Asker(self._transport, "calibration", "unsealed" + "a" * 44)

    def get(self, host: str, path: str, shown: str) -> Reply:
        return self._transport.send(
            Request(
                host=host,
                path=path,
                shown=shown,
                headers={"Authorization": f"Basic {self._basic}"},
                finding=self._finding,
            )
        )


def _org(finding: Finding) -> str | None:
    for name in ("org", "organization"):
        value = value_beside(finding, name)
        if value is not None and _ORG.match(value) and value.lower() not in _NOBODY:
            return value
    return None


def _refused(replies: list[Reply]) -> Verification:
    for reply in replies:
        words = urllib.parse.unquote(reply.headers.get("x-tfs-serviceerror", ""))
        for end in ("expired", "revoked"):
            if reply.status == 401 and "personal access token" in words.lower() and end in words:
                return Verification(status=Status.INACTIVE, reason=told(words))
    reply = replies[0]
    asked = reply.status in {203, 302}
    said = "asked for a login" if asked else f"answered status {reply.status}"
    # A token that may only do one thing is refused everything else in the same way.
    return Verification(status=Status.UNKNOWN, reason=f"Azure DevOps {said}")
