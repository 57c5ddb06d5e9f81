"""
AWS keys: what STS says of a pair is told, and nothing else makes a verdict.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from scanner.model import Finding, Severity, Status
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection, ranked
from scanner.verify.transport import Limits, Transport
from tests.lookalikes import fill
from tests.verify.cloud.fake_aws import FakeAws, Key
from tests.verify.cloud.scene import FAULTS, Fault, ask, findings_in
from tests.verify.conftest import QUICK, Notes
from tests.verify.provider import Provider
from tests.verify.usable import engine

ID = fill("AKIA{{base32:16}}")
SECRET = fill("{{base64:40}}", seed=3)
OTHER = fill("{{base64:40}}", seed=4)
TEMPORARY = fill("ASIA{{base32:16}}", seed=5)
TOKEN = fill("IQoJb3JpZ2lu{{base64:240}}", seed=6)
PAIR = f"AWS_ACCESS_KEY_ID={ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"
SESSION = (
    f"[ci]\nregion = eu-west-1\naws_access_key_id = {TEMPORARY}\n"
    f"aws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n"
)
BY_ID, BY_SECRET, BY_TOKEN = "aws-access-key-id", "aws-secret-access-key", "aws-session-token"
READS = (
    "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:ListAttachedUserPolicies",
    "iam:SimulatePrincipalPolicy",
)  # fmt: skip
ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/run-7"
Transports = Callable[..., Transport]


@pytest.fixture
def aws(provider: Provider) -> FakeAws:
    fake = FakeAws({ID: Key(SECRET)})
    provider.behave = fake
    return fake


def one(text: str, rule: str) -> Finding:
    return findings_in(text)[rule]


@pytest.mark.parametrize("rule", [BY_ID, BY_SECRET])
def test_a_live_user_is_told_with_age_use_and_rights(
    anywhere: Transports, aws: FakeAws, rule: str
) -> None:
    aws.keys[ID].may = (*READS, "iam:CreateAccessKey", "s3:GetObject")
    aws.keys[ID].policies = ("AdministratorAccess", "team-policy")

    verdict = ask(one(PAIR, rule), anywhere())

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == "arn:aws:iam::123456789012:user/ci/deployer"
    assert verdict.created_at == "2021-02-03T04:05:06Z"
    assert verdict.last_used_at == "2026-05-06T07:08:09Z"
    assert {"policy AdministratorAccess", "iam:CreateAccessKey", "s3:GetObject"} <= {
        *verdict.scopes
    }
    assert "kms:Decrypt" not in verdict.scopes
    assert verdict.rights[0].startswith("everything in the account")
    assert ranked(one(PAIR, rule), verdict).severity is Severity.CRITICAL


def test_one_that_may_do_nothing_is_alive_all_the_same(anywhere: Transports, aws: FakeAws) -> None:
    verdict = ask(one(PAIR, BY_ID), anywhere())

    assert verdict.status is Status.ACTIVE
    assert verdict.rights == ()
    assert "may not ask" in (verdict.reason or "")


def test_one_that_may_list_secrets_is_told_so(anywhere: Transports, aws: FakeAws) -> None:
    aws.keys[ID].may = ("secretsmanager:ListSecrets",)

    verdict = ask(one(PAIR, BY_ID), anywhere())

    assert verdict.scopes == ("secretsmanager:ListSecrets",)


def test_a_root_key_is_critical_and_told_first(anywhere: Transports, aws: FakeAws) -> None:
    aws.keys[ID].arn = "arn:aws:iam::123456789012:root"

    verdict = ask(one(PAIR, BY_ID), anywhere())

    assert verdict.rights[0].startswith("everything in the account, which no policy")
    assert "root user" in (verdict.reason or "")
    assert verdict.created_at == "2021-02-03T04:05:06Z"


@pytest.mark.parametrize("rule", [BY_ID, BY_SECRET, BY_TOKEN])
def test_a_session_is_asked_with_its_token(
    anywhere: Transports, aws: FakeAws, rule: str, provider: Provider
) -> None:
    aws.keys[TEMPORARY] = Key(SECRET, ROLE, token=TOKEN)

    verdict = ask(one(SESSION, rule), anywhere())

    assert (verdict.status, verdict.identity) == (Status.ACTIVE, ROLE)
    assert "secretsmanager.eu-west-1.amazonaws.com" in {a.host for a in provider.asked}


def test_only_reads_are_sent_and_no_secret(
    anywhere: Transports, aws: FakeAws, provider: Provider, notes: Notes
) -> None:
    aws.keys[ID].may = READS

    ask(one(PAIR, BY_ID), anywhere())

    assert all(a.startswith(("Get", "List", "Simulate")) for a in aws.actions)
    assert not [a for a in provider.asked if SECRET in a.whole()]
    assert SECRET not in repr(notes.lines)
    assert {a.host for a in provider.asked} == {
        "sts.us-east-1.amazonaws.com", "iam.amazonaws.com",
        "secretsmanager.us-east-1.amazonaws.com",
    }  # fmt: skip


REFUSED = [
    pytest.param({}, BY_ID, PAIR, Status.INACTIVE, "no active key has this id", id="unknown id"),
    pytest.param({}, BY_SECRET, PAIR, Status.INACTIVE, "the id beside", id="secret of unknown id"),
    pytest.param(
        {ID: Key(SECRET, active=False)}, BY_ID, PAIR, Status.INACTIVE, "deactivated", id="off"
    ),
    pytest.param(
        {ID: Key(OTHER)}, BY_SECRET, PAIR, Status.INACTIVE, "not its secret", id="wrong secret"
    ),
    pytest.param(
        {ID: Key(OTHER)}, BY_ID, PAIR, Status.UNKNOWN, "the key id is in use", id="id in use"
    ),
    pytest.param(
        {TEMPORARY: Key(SECRET, ROLE, TOKEN, expired=True)},
        BY_TOKEN, SESSION, Status.INACTIVE, "expired", id="expired session",
    ),
    pytest.param(
        {TEMPORARY: Key(SECRET, ROLE, TOKEN, expired=True)},
        BY_ID, SESSION, Status.INACTIVE, "expired", id="key of an expired session",
    ),
    pytest.param({}, BY_TOKEN, SESSION, Status.UNKNOWN, "not known together", id="other session"),
    pytest.param(
        {}, BY_SECRET, f"AWS_ACCESS_KEY_ID={ID}\n" + "# x\n" * 90 + PAIR.split("\n")[1],
        Status.UNKNOWN, "may belong to another", id="a dead id far away",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "rule", "text", "status", "word"), REFUSED)
def test_a_refusal_is_told_with_the_part_that_is_wrong(  # noqa: PLR0917
    anywhere: Transports,
    aws: FakeAws,
    keys: dict[str, Key],
    rule: str,
    text: str,
    status: Status,
    word: str,
) -> None:
    aws.keys = keys

    verdict = ask(one(text, rule), anywhere())

    assert (verdict.status, word in (verdict.reason or "")) == (status, True), verdict.reason


def test_of_two_ids_in_one_file_the_right_one_is_found(anywhere: Transports, aws: FakeAws) -> None:
    old = fill("AKIA{{base32:16}}", seed=8)
    text = f"AWS_ACCESS_KEY_ID={ID}\n# was {old}\nAWS_SECRET_ACCESS_KEY={SECRET}\n"

    assert ask(one(text, BY_SECRET), anywhere()).status is Status.ACTIVE
    aws.keys = {old: Key(OTHER)}
    assert ask(one(text, BY_SECRET), anywhere()).status is Status.UNKNOWN


@pytest.mark.parametrize("home", ["amazonaws.com.cn"])
def test_a_key_of_another_partition_is_found_there(
    anywhere: Transports, aws: FakeAws, home: str, provider: Provider
) -> None:
    aws.home = home

    assert ask(one(PAIR, BY_ID), anywhere()).status is Status.ACTIVE
    provider.asked.clear()
    assert ask(one("AWS_REGION=cn-north-1\n" + PAIR, BY_ID), anywhere()).status is Status.ACTIVE
    assert provider.asked[0].host == "sts.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize("host", ["sts.us-east-1", "cn-north-1"])
def test_a_fault_proves_nothing(
    anywhere: Transports, aws: FakeAws, provider: Provider, fault: Fault, host: str
) -> None:
    alive = host != "cn-north-1"
    aws.keys = {ID: Key(SECRET)} if alive else {}
    aws.home = "nowhere"
    provider.behave = fault(aws, host=host)

    verdict = ask(one(PAIR, BY_ID), anywhere(limits=_hasty()))

    assert verdict.status is Status.UNKNOWN
    assert verdict.reason


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_after_the_identity_costs_rights_and_no_more(
    anywhere: Transports, aws: FakeAws, provider: Provider, fault: Fault
) -> None:
    aws.keys[ID].may = READS
    provider.behave = fault(aws, host="iam.")

    assert ask(one(PAIR, BY_ID), anywhere(limits=_hasty())).status is Status.ACTIVE


def test_half_a_pair_is_not_asked_about_and_its_account_is_told(
    anywhere: Transports, provider: Provider, aws: FakeAws
) -> None:
    half = one(f"key = {ID}\n", BY_ID)

    verdict = ask(half, anywhere())
    (line,) = Runner([], engine().rule).plan([half], Selection())

    assert verdict.status is Status.NOT_TRIED
    assert "secret key was not found" in (verdict.reason or "")
    assert "account" in (verdict.reason or "")
    assert line.excuse == verdict.reason
    assert not provider.asked


def test_a_plan_names_the_hosts_that_are_asked(
    anywhere: Transports, provider: Provider, aws: FakeAws
) -> None:
    aws.keys = {}
    finding = one(PAIR, BY_ID)
    (line,) = Runner([], engine().rule).plan([finding], Selection(consent=Consent()))

    ask(finding, anywhere())

    assert {a.host for a in provider.asked} <= {planned.host for planned in line.requests}


@pytest.mark.parametrize(
    "region", ["us-east-1.evil.example/", "evil", "us-east-1\\", "xx-evilnorth-1"]
)
def test_a_region_leads_to_no_other_house(
    anywhere: Transports, provider: Provider, aws: FakeAws, region: str
) -> None:
    ask(one(f"AWS_REGION={region}\n{PAIR}", BY_ID), anywhere())

    assert all(a.host.endswith((".amazonaws.com", ".amazonaws.com.cn")) for a in provider.asked)


def _hasty() -> Limits:
    return dataclasses.replace(QUICK, seconds=0.3, tries=1)
