"""
A token of a self-hosted server looks like one of the public service, which calls it
bad: what is named beside it keeps it from being called dead.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner.detect.checksums import MAKERS
from scanner.model import Document, Finding, Place, Status, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.checks_link import same_owner
from scanner.verify.declarative import Declarative
from scanner.verify.registry import Consent
from scanner.verify.transport import Transport
from tests.lookalikes import fill, github_token
from tests.verify.cases import FOLDER, all_checks
from tests.verify.provider import Asked, Provider, Say
from tests.verify.usable import engine, env_sample, finding_of, scan

GITHUB = github_token(11)
BAD = Say(401, b'{"message": "Bad credentials"}')
ACCOUNT = b'{"login": "ada", "id": 7}'

ELSEWHERE = {
    "API address": f"GITHUB_API_URL=https://github.corp.test/api/v3\nGITHUB_TOKEN={GITHUB}\n",
    "host for gh": f"GH_HOST=code.corp.test\nGH_TOKEN={GITHUB}\n",
    "data residency": f"git clone https://x:{GITHUB}@corp.ghe.com/a/b\n",
    "remote of a server": f"url = https://x:{GITHUB}@github.corp.test/a/b.git\n",
    "call of a server": f"curl -H 'Authorization: token {GITHUB}' https://code.corp.test/api/v3/user\n",
    "JSON": f'{{"github": {{"baseUrl": "https://code.corp.test", "token": "{GITHUB}"}}}}',
    "YAML": f"github:\n  url: https://code.corp.test\n  token: {GITHUB}\n",
    "Kubernetes": f"- name: GITHUB_URL\n  value: https://code.corp.test\n- name: T\n  value: {GITHUB}\n",
    "an address": f"GITHUB_HOST=10.1.2.3\nGITHUB_TOKEN={GITHUB}\n",
}
HERE = {
    "nothing": f"GITHUB_TOKEN={GITHUB}\n",
    "the public address": f"GITHUB_API_URL=https://api.github.com\nGITHUB_TOKEN={GITHUB}\n",
    "a repository": f"GITHUB_URL=https://github.com/a/b\nGITHUB_TOKEN={GITHUB}\n",
    "a public remote": f"url = https://x:{GITHUB}@github.com/a/b.git\n",
    "a workflow": f"run: ${{{{ github.event.inputs.name }}}}\nenv:\n  GITHUB_TOKEN: {GITHUB}\n",
    "another's server": f"JIRA_URL=https://jira.corp.test\nGITHUB_TOKEN={GITHUB}\n",
    "pages": f"see https://ada.github.io/x\nGITHUB_TOKEN={GITHUB}\n",
}  # fmt: skip


def found(text: str, rule: str) -> Finding:
    batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
    return next(finding_of(m) for m in engine().scanner().scan(batch) if m.rule_id == rule)


def ask(finding: Finding, transport: Transport, consent: Consent | None = None) -> Verification:
    room = Declarative([FOLDER], engine().rule)
    return room.verify(finding, transport, consent or Consent())


@pytest.mark.parametrize("text", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_refusal_of_the_public_host_is_unknown_where_another_is_named(
    anywhere: Callable[..., Transport], provider: Provider, text: str
) -> None:
    provider.behave = lambda asked: BAD
    verdict = ask(found(text, "github-classic-token"), anywhere())

    assert verdict.status is Status.UNKNOWN
    assert "another server" in str(verdict.reason)


@pytest.mark.parametrize("text", HERE.values(), ids=HERE)
def test_a_refusal_of_the_public_host_stands_where_no_other_is_named(
    anywhere: Callable[..., Transport], provider: Provider, text: str
) -> None:
    provider.behave = lambda asked: BAD
    verdict = ask(found(text, "github-classic-token"), anywhere())

    assert verdict.status is Status.INACTIVE, verdict.reason


def test_with_consent_the_named_server_is_asked_and_settles_it(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    finding = found(ELSEWHERE["API address"], "github-classic-token")
    consent = Consent(found_hosts=True)

    def own(asked: Asked) -> Say:
        real = GITHUB in asked.whole() and asked.host == "github.corp.test"
        return Say(200, ACCOUNT) if real else BAD

    provider.behave = own
    alive = ask(finding, anywhere(allow_found_hosts=True), consent)
    provider.behave = lambda asked: BAD
    dead = ask(finding, anywhere(allow_found_hosts=True), consent)

    assert (alive.status, alive.identity) == (Status.ACTIVE, "ada")
    assert dead.status is Status.INACTIVE


def test_the_public_address_is_not_asked_twice(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    provider.behave = lambda asked: BAD
    consent = Consent(found_hosts=True)
    finding = found(HERE["the public address"], "github-classic-token")
    verdict = ask(finding, anywhere(allow_found_hosts=True), consent)

    assert verdict.status is Status.INACTIVE
    assert {asked.target for asked in provider.asked} == {"/user"}


def test_for_every_provider_whose_rules_look_for_a_host(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    fixed = {c.provider for c in all_checks() if c.inactive and not c.guesses_host()}
    samples = [
        env_sample(rule, fill(rule.examples[0], checksums=MAKERS))
        for rule in engine().plan.rules
        if rule.provider in fixed and any(spec.kind == "host" for spec in rule.companions)
    ]
    provider.behave = lambda asked: BAD
    transport = anywhere(allow_found_hosts=True)
    verdicts = {
        sample.rule.id: ask(finding_of(match), transport).status
        for sample, match in scan(samples)
        if match.rule_id == sample.rule.id
    }

    assert [rule for rule, status in verdicts.items() if status is Status.INACTIVE] == []
    assert len(verdicts) >= 80


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("api.github.com", "github.com", True),
        ("github.com", "github.com", True),
        ("a.corp.test", "b.corp.test", True),
        ("github.com", "github.corp.test", False),
        ("a.co.uk", "b.co.uk", False),
        ("x.a.co.uk", "y.a.co.uk", True),
        ("10.1.2.3", "9.9.2.3", False),
        ("localhost", "github.com", False),
        ("notgithub.com", "github.com", False),
    ],
)
def test_same_owner(one: str, other: str, expected: bool) -> None:
    assert same_owner(one, other) is expected
