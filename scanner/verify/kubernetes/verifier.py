"""
Asks the Kubernetes API server that stands beside a credential: who, what, until when.
"""

from __future__ import annotations

import dataclasses

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.secret import Secret
from scanner.verify.companions import secret_of, value_of, values_of
from scanner.verify.kubernetes.cluster import (
    Answer,
    Caller,
    Cluster,
    answer_of,
    cluster_of,
    is_ready,
    pem_of,
    planned,
    review_path,
    status_of,
    user_of,
)
from scanner.verify.kubernetes.rights import ACCESS, AUTHORIZATION, RULES, granted
from scanner.verify.kubernetes.token_facts import Facts, of_certificate, of_token
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import Trust
from scanner.verify.transport import Transport

AUTHENTICATION = "authentication.k8s.io/v1"
WHOAMI, TOKEN_REVIEW = "SelfSubjectReview", "TokenReview"
_PROBE = "/unsealed-probe"
_RULES = frozenset({"kubernetes-service-account-token", "kubernetes-kubeconfig-credential"})
_IMPOSSIBLE = "unsealed-calibration-0000"
_MOST_CLUSTERS = 3


class Kubernetes:
    """
    See `Verifier`.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:  # noqa: ARG002 # a protocol
        """
        See `Verifier.accepts`.
        """
        if finding.rule_id not in _RULES or secret_of(finding) is None:
            return False
        return bool(clusters_of(finding))

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        if not consent.found_hosts:
            return []
        steps = (
            ("GET", "/version"),
            ("POST", review_path(AUTHENTICATION, WHOAMI)),
            ("POST", review_path(AUTHENTICATION, TOKEN_REVIEW)),
            ("GET", _PROBE),
            ("GET", "/readyz"),
            ("POST", review_path(AUTHORIZATION, ACCESS)),
            ("POST", review_path(AUTHORIZATION, RULES)),
        )
        return [planned(c, *step) for c in clusters_of(finding) for step in steps]

    def excuse(self, finding: Finding, consent: Consent) -> str:  # noqa: ARG002 # a protocol
        """
        See `Explains.excuse`.
        """
        return "needs --allow-found-hosts"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.
        """
        if not consent.found_hosts:
            return Verification(reason=self.excuse(finding, consent))
        secret = secret_of(finding)
        key = None if secret is None else pem_of(secret)
        token = secret if key is None else None
        pem = pem_of(value_of(finding, "client_certificate"))
        facts = of_token(token or "") if token else of_certificate(pem or b"")
        verdicts = []
        for cluster in clusters_of(finding):
            caller = Caller(
                transport=transport, cluster=cluster, finding=finding.fingerprint, token=token
            )
            verdict = _ask(caller, facts, value_of(finding, "namespace"))
            if verdict.status is Status.ACTIVE:
                return verdict
            verdicts.append(verdict)
        return next((v for v in verdicts if v.status is not Status.INACTIVE), verdicts[0])


def verifier() -> Kubernetes:
    """
    Return the verifier of this module.
    """
    return Kubernetes()


def clusters_of(finding: Finding) -> list[Cluster]:
    """
    Return the clusters that stand beside a finding; none for a key without its certificate.
    """
    secret = secret_of(finding)
    key = None if secret is None else pem_of(secret)
    certificate = pem_of(value_of(finding, "client_certificate"))
    if key is not None and certificate is None:
        return []
    authorities = pem_of(value_of(finding, "certificate_authority"))
    trust = Trust(
        authorities=authorities,
        certificate=certificate if key is not None else None,
        key=Secret(key) if key is not None else None,
        name=value_of(finding, "tls_server_name"),
    )
    used = None if trust == Trust() else trust
    found = (cluster_of(text, used) for text in values_of(finding, "server"))
    return list(dict.fromkeys(c for c in found if c is not None))[:_MOST_CLUSTERS]


def _ask(caller: Caller, facts: Facts, namespace: str | None) -> Verification:
    doubt = _doubt(caller)
    if doubt is not None:
        return _unknown(doubt)
    reply = caller.review(AUTHENTICATION, WHOAMI)
    answer = answer_of(reply)
    if answer is Answer.REFUSED:
        return _refused(caller, facts)
    if answer is Answer.OTHER:
        return _unknown(f"not an answer of Kubernetes ({reply.status})")
    info = status_of(reply).get("userInfo")
    if not isinstance(info, dict) and caller.token is not None:
        info = _reviewed(caller, caller.token)
    who = _name(info) or user_of(reply) or user_of(caller.get(_PROBE)) or facts.who
    place = namespace or facts.namespace or "default"
    rights = granted(caller, place)
    groups = info.get("groups") if isinstance(info, dict) else None
    remark = "" if not isinstance(groups, list) else f", groups {', '.join(map(str, groups))[:300]}"
    end = "" if facts.expires_at else "; it never expires by itself"
    return Verification(
        status=Status.ACTIVE,
        identity=who,
        scopes=rights.scopes,
        created_at=facts.created_at,
        expires_at=facts.expires_at,
        reason=f"accepted by {caller.cluster.name}{remark}{end}",
        rights=rights.words,
    )


def _doubt(caller: Caller) -> str | None:
    """
    Return why the server proves nothing, `None` if it refuses what cannot exist.
    """
    version = caller.anonymous("/version")
    body = version.json()
    known = isinstance(body, dict) and ("gitVersion" in body or body.get("kind") == "Status")
    if not known:
        return f"not a Kubernetes API server: its version is answered {version.status}"
    stranger = Caller(
        transport=caller.transport,
        cluster=_bare(caller.cluster),
        finding=caller.finding,
        token=_IMPOSSIBLE,
    )
    answer = answer_of(stranger.review(AUTHORIZATION, ACCESS, {"nonResourceAttributes": {}}))
    if answer is Answer.ACCEPTED:
        return "a token that cannot exist is accepted too"
    if answer is not Answer.REFUSED:
        return "a token that cannot exist is not refused as Kubernetes does"
    return None


def _bare(cluster: Cluster) -> Cluster:
    if cluster.trust is None:
        return cluster
    trust = Trust(authorities=cluster.trust.authorities, name=cluster.trust.name)
    return dataclasses.replace(cluster, trust=trust)


def _refused(caller: Caller, facts: Facts) -> Verification:
    if facts.elsewhere is not None:
        return _unknown(f"refused here, but it was made for another audience: {facts.elsewhere}")
    if not is_ready(caller):
        return _unknown("refused, but the server is not well: it may not reach its storage")
    return Verification(
        status=Status.INACTIVE,
        identity=facts.who,
        expires_at=facts.expires_at,
        reason="Unauthorized: the cluster does not accept it (expired, revoked or not its own)",
    )


def _reviewed(caller: Caller, token: str) -> object:
    status = status_of(caller.review(AUTHENTICATION, TOKEN_REVIEW, {"token": token}))
    return status.get("user") if status.get("authenticated") is True else None


def _name(info: object) -> str | None:
    name = info.get("username") if isinstance(info, dict) else None
    return name[:300] if isinstance(name, str) and name.isprintable() and name else None


def _unknown(reason: str) -> Verification:
    return Verification(status=Status.UNKNOWN, reason=reason)
