"""
Asks the HashiCorp Vault or OpenBao that stands beside a credential.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.companions import secret_of, value_of, values_of
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import Trust
from scanner.verify.transport import Transport
from scanner.verify.vault.leases import ask_lease, plan_lease
from scanner.verify.vault.logins import Login, approle, ask_login, plan_login, userpass
from scanner.verify.vault.server import Caller, Health, Server, is_segment, server_of
from scanner.verify.vault.tokens import Proofs, ask_token, plan_token

ADDRESS = "address"
_TOKENS = frozenset(
    {
        "hashicorp-vault-service-token",
        "hashicorp-vault-batch-token",
        "hashicorp-vault-legacy-service-token",
        "hashicorp-vault-legacy-batch-token",
        "hashicorp-vault-header-token",
    }
)
_APPROLE = "hashicorp-vault-approle-secret-id"
_USERPASS = frozenset(
    {"hashicorp-vault-userpass-password", "hashicorp-vault-userpass-password-in-call"}
)
_LEASE = "hashicorp-vault-dynamic-password"
_MOST_SERVERS = 3
_SPENDS = "a lookup takes a use of the token beside it (--spare-uses)"
_OPEN = "not exactly one server and one name stand beside it"

Ask = Callable[[Caller, Health], Verification]


class Vault:
    """
    See `Verifier`.
    """

    def __init__(self) -> None:
        self._proofs = Proofs()

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:  # noqa: ARG002 # a protocol
        """
        See `Verifier.accepts`.
        """
        if secret_of(finding) is None or not servers_of(finding):
            return False
        if finding.rule_id in _TOKENS:
            return True
        if finding.rule_id == _LEASE:
            return value_of(finding, "lease") is not None and value_of(finding, "token") is not None
        return login_of(finding) is not None

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        if not consent.found_hosts:
            return []
        servers = servers_of(finding)
        if finding.rule_id in _TOKENS:
            return [step for server in servers for step in plan_token(server, consent)]
        if finding.rule_id == _LEASE:
            return [] if consent.spare_uses else [s for v in servers for s in plan_lease(v)]
        login = login_of(finding)
        if login is None or not consent.login or len(servers) != 1:
            return []
        return plan_login(servers[0], login)

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        See `Explains.excuse`.
        """
        if not consent.found_hosts:
            return "needs --allow-found-hosts"
        if finding.rule_id == _LEASE:
            return _SPENDS
        return "needs --allow-login" if not consent.login else _OPEN

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.
        """
        if not consent.found_hosts:
            return _not_tried("needs --allow-found-hosts")
        secret = secret_of(finding)
        if secret is None:
            return _not_tried("not a text")
        servers = servers_of(finding)
        if finding.rule_id in _TOKENS:
            return first(
                self._proofs,
                servers,
                finding,
                transport,
                lambda caller, state: ask_token(caller, secret, state, consent),
            )
        if finding.rule_id == _LEASE:
            lease, token = value_of(finding, "lease"), value_of(finding, "token")
            if lease is None or token is None or consent.spare_uses:
                return _not_tried(_SPENDS)
            return first(
                self._proofs,
                servers,
                finding,
                transport,
                lambda c, state: ask_lease(c, lease, token, state),
            )
        if not consent.login:
            return _not_tried("needs --allow-login")
        login = login_of(finding)
        if login is None or len(servers) != 1:
            # One try, never more: not even one on each of two servers.
            return _not_tried(_OPEN)
        return first(
            self._proofs,
            servers,
            finding,
            transport,
            lambda caller, state: ask_login(caller, login, state),
        )


def verifier() -> Vault:
    """
    Return the verifier of this module.
    """
    return Vault()


def first(
    proofs: Proofs,
    servers: Iterable[Server],
    finding: Finding,
    transport: Transport,
    ask: Ask,
    *,
    trust: Trust | None = None,
) -> Verification:
    """
    Return the verdict of the first server that accepts; else `inactive` only if all say so.
    """
    verdicts = []
    for server in servers:
        caller = Caller(
            transport=transport, server=server, finding=finding.fingerprint, trust=trust
        )
        state = proofs.of(caller)
        if state.doubt is not None:
            verdicts.append(Verification(status=Status.UNKNOWN, reason=state.doubt))
            continue
        verdict = ask(caller, state)
        if verdict.status is Status.ACTIVE:
            return verdict
        verdicts.append(verdict)
    return next((v for v in verdicts if v.status is not Status.INACTIVE), verdicts[0])


def servers_of(finding: Finding, name: str = ADDRESS) -> list[Server]:
    """
    Return the servers that stand beside a finding.
    """
    namespace = value_of(finding, "namespace")
    found = (server_of(text, namespace) for text in values_of(finding, name))
    return list(dict.fromkeys(server for server in found if server is not None))[:_MOST_SERVERS]


def login_of(finding: Finding) -> Login | None:
    """
    Return the one login that a finding and what stands beside it make.
    """
    secret = secret_of(finding)
    if secret is None:
        return None
    if finding.rule_id == _APPROLE:
        role_id = value_of(finding, "role_id")
        mount = mount_of(finding, "approle")
        return None if role_id is None or mount is None else approle(mount, role_id, secret)
    if finding.rule_id in _USERPASS:
        user = value_of(finding, "username")
        mount = mount_of(finding, "userpass")
        if user is None or mount is None or not is_segment(user):
            return None
        return userpass(mount, user, secret)
    return None


def mount_of(finding: Finding, usual: str) -> str | None:
    """
    Return where a login method is mounted, `None` if that is open.
    """
    named = values_of(finding, "mount") or (usual,)
    return named[0] if len(named) == 1 and is_segment(named[0]) else None


def _not_tried(reason: str) -> Verification:
    return Verification(status=Status.NOT_TRIED, reason=reason)
