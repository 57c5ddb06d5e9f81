"""
What a Kubernetes credential may do where it hurts, by access reviews: questions, not tries.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scanner.verify.kubernetes.cluster import Answer, Caller, answer_of, status_of

AUTHORIZATION = "authorization.k8s.io/v1"
ACCESS, RULES = "SelfSubjectAccessReview", "SelfSubjectRulesReview"
_MOST_RULES = 15


class _Question(NamedTuple):
    scope: str
    verb: str
    group: str
    resource: str
    wide: bool
    """In all namespaces, not in its own alone."""

    words: str
    subresource: str = ""


_ADMIN = _Question(
    "cluster-admin", "*", "*", "*", True, "everything, in the whole cluster (cluster-admin)"
)
_QUESTIONS = (
    _Question(
        "secrets:list:all", "list", "", "secrets", True, "read the secrets of all namespaces"
    ),
    _Question("secrets:get", "get", "", "secrets", False, "read the secrets of namespace {}"),
    _Question(
        "rbac:bind",
        "create",
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        True,
        "give roles to anybody, to itself too",
    ),
    _Question(
        "rbac:escalate",
        "escalate",
        "rbac.authorization.k8s.io",
        "clusterroles",
        True,
        "write roles with more rights than its own",
    ),
    _Question("impersonate", "impersonate", "", "users", True, "act as any user"),
    _Question(
        "tokens:create",
        "create",
        "",
        "serviceaccounts",
        False,
        "make tokens of the service accounts of namespace {}",
        "token",
    ),
    _Question("nodes:proxy", "create", "", "nodes", True, "run commands on the nodes", "proxy"),
    _Question(
        "pods:exec", "create", "", "pods", False, "run commands in the pods of namespace {}", "exec"
    ),
    _Question(
        "pods:create",
        "create",
        "",
        "pods",
        False,
        "run pods in namespace {}, with its secrets and service accounts",
    ),
    _Question(
        "deployments:patch",
        "patch",
        "apps",
        "deployments",
        False,
        "change what runs in namespace {}",
    ),
    _Question(
        "webhooks:create",
        "create",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        True,
        "see and change all that is written to the cluster",
    ),
    _Question(
        "csr:approve",
        "update",
        "certificates.k8s.io",
        "certificatesigningrequests",
        True,
        "approve client certificates",
        "approval",
    ),
    _Question(
        "configmaps:get", "get", "", "configmaps", False, "read the configuration of namespace {}"
    ),
    _Question("namespaces:list", "list", "", "namespaces", True, "list all namespaces"),
)


class Granted(NamedTuple):
    """
    What the reviews told.
    """

    scopes: tuple[str, ...]
    words: tuple[str, ...]


def granted(caller: Caller, namespace: str) -> Granted:
    """
    Return what may be done, the worst first; empty if the server does not say.
    """
    allowed: list[_Question] = []
    for question in (_ADMIN, *_QUESTIONS):
        reply = caller.review(AUTHORIZATION, ACCESS, _spec(question, namespace))
        if answer_of(reply) is not Answer.ACCEPTED:
            break
        if status_of(reply).get("allowed") is True:
            allowed.append(question)
            if question is _ADMIN:
                break
    words = [question.words.format(namespace) for question in allowed]
    if _ADMIN not in allowed:
        words += _rules(caller, namespace)
    return Granted(tuple(question.scope for question in allowed), tuple(words))


def _spec(question: _Question, namespace: str) -> dict[str, Any]:
    attributes = {
        "verb": question.verb,
        "group": question.group,
        "resource": question.resource,
        "subresource": question.subresource,
        "namespace": "" if question.wide else namespace,
    }
    return {"resourceAttributes": {key: value for key, value in attributes.items() if value}}


def _rules(caller: Caller, namespace: str) -> list[str]:
    reply = caller.review(AUTHORIZATION, RULES, {"namespace": namespace})
    rules = status_of(reply).get("resourceRules")
    if answer_of(reply) is not Answer.ACCEPTED or not isinstance(rules, list):
        return []
    lines: list[str] = []
    for rule in rules:
        if not isinstance(rule, dict):
            continue
        resources = [r for r in rule.get("resources") or () if isinstance(r, str)]
        if all(r.startswith("selfsubject") for r in resources):
            continue
        line = f"{_listed(rule.get('verbs'))}: {_listed(resources)}"
        if rule.get("resourceNames"):
            line += f" named {_listed(rule['resourceNames'])}"
        if line.isprintable() and line not in lines:
            lines.append(line)
    more = len(lines) - _MOST_RULES
    return [*lines[:_MOST_RULES], *([f"and {more} more rules"] if more > 0 else [])]


def _listed(values: object) -> str:
    named = [str(v)[:80] for v in values] if isinstance(values, list) else []
    return ", ".join(named[:8]) + (" …" if len(named) > 8 else "")
