"""
The checks of well-known providers, on the answers that these give by their documentation,
for findings of the rules that ship.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from scanner.model import Finding, Status
from scanner.ruleset.loading import load_rules
from scanner.ruleset.schema import Rule
from scanner.ruleset.shipped import shipped_packs
from scanner.verify.declarative import Declarative
from scanner.verify.registry import Consent
from scanner.verify.transport import Transport
from tests.verify.cases import FOLDER, finding_for
from tests.verify.provider import Provider, Say

PROVIDERS = ("github", "gitlab", "slack", "stripe", "telegram", "npm", "cloudflare", "openai")
PROVIDERS += ("anthropic", "heroku", "digitalocean", "huggingface", "sendgrid", "buildkite")
RULES = {
    rule.id: rule for name in PROVIDERS for rule in load_rules([shipped_packs() / f"{name}.yml"])
}
BAD = {"message": "bad"}


def finding(rule: Rule) -> Finding:
    from tests.verify.cases import all_checks

    check = next(c for c in all_checks() if c.provider == rule.provider)
    return dataclasses.replace(
        finding_for(check), rule_id=rule.id, provider=rule.provider, companions=()
    )


def ask(rule_id: str, answer: Say, provider: Provider, transport: Transport) -> object:
    refused = Say(401, json.dumps(BAD).encode())
    provider.behave = lambda asked: refused if "unsealed0" in asked.whole() else answer
    room = Declarative([FOLDER], RULES.__getitem__)
    return room.verify(finding(RULES[rule_id]), transport, Consent())


def says(status: int, data: object, **headers: str) -> Say:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Say(status, json.dumps(data).encode(), headers=named)


USER = {"login": "ada", "id": 7, "type": "User"}
PAT = {"id": 1, "name": "ci", "revoked": False, "active": True, "scopes": ["api"], "user_id": 3}
CASES = [
    ("github-classic-token", says(200, USER, X_OAuth_Scopes="repo, user"), "active", "alive"),
    ("github-classic-token", says(401, {"message": "Bad credentials"}), "inactive", "revoked"),
    ("github-classic-token", says(401, {"message": "Requires authentication"}), "unknown", "other"),
    ("github-classic-token", says(403, {"message": "API rate limit exceeded for user ID 7"}), "active", "limited"),
    ("github-classic-token", says(403, {"message": "forbidden by a firewall"}), "unknown", "403"),
    ("github-fine-grained-token", says(200, USER), "active", "fine-grained"),
    ("github-app-installation-token", says(200, {"total_count": 1, "repositories": [{"owner": {"login": "x"}}]}), "active", "installation"),
    ("github-app-refresh-token", says(401, {"message": "Bad credentials"}), "unknown", "a kind that the check is not for"),
    ("gitlab-access-token", says(200, PAT), "active", "alive"),
    ("gitlab-access-token", says(200, {**PAT, "revoked": True, "active": False}), "inactive", "revoked"),
    ("gitlab-access-token", says(401, {"error": "invalid_token", "error_description": "Token was revoked. You have to re-authorize from the user."}), "inactive", "said to be revoked"),
    ("gitlab-access-token", says(401, {"message": "401 Unauthorized"}), "unknown", "perhaps of a self-hosted server"),
    ("gitlab-access-token", says(403, {"error": "insufficient_scope"}), "unknown", "may do little"),
    ("gitlab-deploy-token", says(401, {"message": "401 Unauthorized"}), "unknown", "another kind"),
    ("slack-bot-token", says(200, {"ok": True, "user": "bot", "team": "t"}), "active", "alive"),
    ("slack-bot-token", says(200, {"ok": False, "error": "invalid_auth"}), "inactive", "bad"),
    ("slack-bot-token", says(200, {"ok": False, "error": "token_revoked"}), "inactive", "revoked"),
    ("slack-bot-token", says(200, {"ok": False, "error": "ratelimited"}), "unknown", "limited"),
    ("slack-bot-token", says(200, {"ok": False, "error": "internal_error"}), "unknown", "failing"),
    ("stripe-live-secret-key", says(200, {"object": "account", "id": "acct_1"}), "active", "alive"),
    ("stripe-live-secret-key", says(401, {"error": {"message": "Invalid API Key provided: sk_live_***"}}), "inactive", "bad"),
    ("stripe-live-secret-key", says(401, {"error": {"code": "api_key_expired", "message": "Expired API Key provided"}}), "inactive", "rolled"),
    ("stripe-live-restricted-key", says(403, {"error": {"message": "The provided key does not have the required permissions for this endpoint"}}), "active", "may do little"),
    ("npm-access-token", says(200, {"username": "ada"}), "active", "alive"),
    ("npm-access-token", says(200, {}), "unknown", "a registry that says {} to anybody"),
    ("npm-access-token", says(401, {}), "unknown", "perhaps of another registry"),
    ("cloudflare-user-api-token", says(200, {"success": True, "result": {"status": "active", "id": "1"}}), "active", "alive"),
    ("cloudflare-user-api-token", says(200, {"success": True, "result": {"status": "expired"}}), "inactive", "expired"),
    ("cloudflare-user-api-token", says(401, {"success": False, "errors": [{"code": 1000}]}), "unknown", "perhaps of an account"),
    ("openai-project-api-key", says(401, {"error": {"code": "invalid_api_key"}}), "inactive", "bad"),
    ("openai-project-api-key", says(429, {"error": {"code": "insufficient_quota"}}), "unknown", "limited"),
    ("anthropic-api-key", says(401, {"error": {"type": "authentication_error"}}), "inactive", "bad"),
    ("anthropic-api-key", says(200, {"data": [], "has_more": False}), "active", "alive"),
    ("heroku-platform-api-key-current", says(200, {"email": "a@b.example", "id": "1"}), "active", "alive"),
    ("heroku-platform-api-key-current", says(401, {"id": "unauthorized", "message": "Invalid credentials provided."}), "inactive", "bad"),
    ("digitalocean-pat", says(401, {"id": "Unauthorized", "message": "Unable to authenticate you"}), "inactive", "bad"),
    ("huggingface-user-access-token", says(401, {"error": "Invalid user token."}), "inactive", "bad"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule_id", "answer", "expected"),
    [pytest.param(*case[:3], id=f"{case[0]}: {case[3]}") for case in CASES],
)
def test_verdict(
    anywhere: Callable[..., Transport],
    provider: Provider,
    rule_id: str,
    answer: Say,
    expected: str,
) -> None:
    verdict = ask(rule_id, answer, provider, anywhere())

    assert verdict.status is Status(expected), verdict.reason  # type: ignore[attr-defined]
    hosts = {asked.host for asked in provider.asked}
    assert len(hosts) == 1
    assert {asked.method for asked in provider.asked} <= {"GET", "POST"}


def test_github_tells_owner_scopes_and_end(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    answer = says(
        200,
        USER,
        X_OAuth_Scopes="read:user, repo",
        GitHub_Authentication_Token_Expiration="2027-01-01 00:00:00 UTC",
    )

    verdict = ask("github-classic-token", answer, provider, anywhere())

    assert verdict.identity == "ada"  # type: ignore[attr-defined]
    assert verdict.scopes == ("read:user", "repo")  # type: ignore[attr-defined]
    assert verdict.expires_at == "2027-01-01 00:00:00 UTC"  # type: ignore[attr-defined]
    assert verdict.rights[0].startswith("read and write all repositories")  # type: ignore[attr-defined]


def test_the_impossible_token_comes_first_and_holds_nothing_of_the_real_one(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    ask("github-classic-token", says(200, USER), provider, anywhere())

    first, second = (asked.headers["authorization"] for asked in provider.asked)
    assert "unsealed0" in first
    assert "s3cr3t" in second
    assert not set(_runs(first)) & set(_runs(second))


def _runs(text: str) -> list[str]:
    value = text.removeprefix("Bearer ")
    return [value[n : n + 6] for n in range(len(value) - 5)]
