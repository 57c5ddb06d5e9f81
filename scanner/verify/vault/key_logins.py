"""
Logins to a Vault with what is somebody else's too: a client certificate, or the token of a
Kubernetes service account.
"""

from __future__ import annotations

from dataclasses import dataclass

from scanner.model import Finding, Verification
from scanner.ruleset.schema import Rule
from scanner.secret import Secret
from scanner.verify.companions import secret_of, value_of, values_of
from scanner.verify.pem import certificate_for, pem_of
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import Trust
from scanner.verify.transport import Transport
from scanner.verify.vault.logins import Login, ask_login, certificate, kubernetes, plan_login
from scanner.verify.vault.server import is_segment
from scanner.verify.vault.tokens import Proofs
from scanner.verify.vault.verifier import first, servers_of

_ADDRESS = "vault_address"
_TOKEN = "kubernetes-service-account-token"  # noqa: S105 # the id of a rule
_KEYS = frozenset({"private-key", "private-key-base64"})


@dataclass(frozen=True, slots=True)
class _Way:
    login: Login
    trust: Trust | None


class KeyLogins:
    """
    See `Verifier`.
    """

    def __init__(self) -> None:
        self._proofs = Proofs()

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:  # noqa: ARG002 # a protocol
        """
        See `Verifier.accepts`.
        """
        return bool(servers_of(finding, _ADDRESS)) and _way(finding) is not None

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        way = _way(finding)
        servers = servers_of(finding, _ADDRESS)
        if way is None or len(servers) != 1 or not (consent.found_hosts and consent.login):
            return []
        return plan_login(servers[0], way.login)

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        See `Explains.excuse`.
        """
        if len(servers_of(finding, _ADDRESS)) != 1:
            return "not exactly one Vault stands beside it"
        flags = {"--allow-found-hosts": consent.found_hosts, "--allow-login": consent.login}
        return f"needs {', '.join(flag for flag, given in flags.items() if not given)}"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.
        """
        way = _way(finding)
        servers = servers_of(finding, _ADDRESS)
        if way is None or len(servers) != 1 or not (consent.found_hosts and consent.login):
            return Verification(reason=self.excuse(finding, consent))
        return first(
            self._proofs,
            servers,
            finding,
            transport,
            lambda caller, state: ask_login(caller, way.login, state),
            trust=way.trust,
        )


def verifier() -> KeyLogins:
    """
    Return the verifier of this module.
    """
    return KeyLogins()


def _way(finding: Finding) -> _Way | None:
    secret = secret_of(finding)
    if secret is None:
        return None
    roles = values_of(finding, "vault_role")
    if len(roles) > 1:
        return None
    if finding.rule_id == _TOKEN:
        mount = value_of(finding, "vault_mount") or "kubernetes"
        if not roles or not is_segment(mount):
            return None
        return _Way(kubernetes(mount, roles[0], secret), None)
    mount = value_of(finding, "vault_mount") or "cert"
    key = pem_of(secret) if finding.rule_id in _KEYS else None
    if key is None or not is_segment(mount):
        return None
    found = (pem_of(text) for text in values_of(finding, "client_certificate"))
    pem = certificate_for(key, [text for text in found if text is not None])
    if pem is None:
        return None
    login = certificate(mount, roles[0] if roles else None)
    return _Way(login, Trust(certificate=pem, key=Secret(key)))
