"""
AWS keys against MiniStack, and moto for what it lacks: both check signatures and rights.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest

from scanner.model import Finding, Status, Verification
from scanner.secret import Secret
from scanner.verify.transport import Transport
from tests.lookalikes import fill
from tests.verify.cloud.scene import ask, findings_in
from tests.verify.cloud.servers import forward, free_port, running
from tests.verify.provider import Provider

pytestmark = pytest.mark.servers
BY_ID, BY_SECRET, BY_TOKEN = "aws-access-key-id", "aws-secret-access-key", "aws-session-token"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
LITTLE = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
Transports = Callable[..., Transport]
Asked = Callable[..., Verification]


def document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Account:
    """An account to set up, with Amazon's own library."""

    def __init__(self, port: int) -> None:
        self.port = port

    def client(self, service: str) -> Any:
        return botocore.session.Session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def user(self, name: str, *statements: dict[str, object]) -> dict[str, str]:
        """A new user with a key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(
                UserName=name, PolicyName="own", PolicyDocument=document(*statements)
            )
        return iam.create_access_key(UserName=name)["AccessKey"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    port = free_port()
    with running(
        ["ministack"], port, tmp_path_factory.mktemp("ministack"),
        AUTH="true", BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port),
    ):  # fmt: skip
        yield Account(port)


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    port = free_port()
    with running(
        ["moto_server", "-H", "127.0.0.1", "-p", str(port)], port, tmp_path_factory.mktemp("moto")
    ):
        yield Account(port)


@pytest.fixture
def asked(anywhere: Transports, provider: Provider) -> Asked:
    """The verdict on a key of an account."""

    def verdict(
        account: Account, key: dict[str, str], rule: str = BY_ID, **other: str
    ) -> Verification:
        provider.behave = forward(account.port)
        return ask(finding({**key, **other}, rule), anywhere())

    return verdict


def finding(key: dict[str, str], rule: str) -> Finding:
    """
    What a shipped rule makes of a file with this key.

    Keys of MiniStack have letters that those of AWS never have, so a file of real form
    is searched, and the values are exchanged.
    """
    form = {
        "AccessKeyId": fill("ASIA{{base32:16}}" if "SessionToken" in key else "AKIA{{base32:16}}"),
        "SecretAccessKey": fill("{{base64:40}}", seed=77),
        "SessionToken": fill("IQoJb3JpZ2lu{{base64:200}}", seed=78),
    }
    text = (
        f"aws_access_key_id = {form['AccessKeyId']}\n"
        f"aws_secret_access_key = {form['SecretAccessKey']}\n"
    )
    if "SessionToken" in key:
        text += f"aws_session_token = {form['SessionToken']}\n"
    found = findings_in(text, "credentials")[rule]
    real = {form[name].encode(): key[name].encode() for name in form if name in key}
    assert found.secret
    return dataclasses.replace(
        found,
        secret=Secret(real[found.secret.reveal()]),
        companions=tuple(
            dataclasses.replace(c, value=Secret(real[c.value.reveal()])) for c in found.companions
        ),
    )


def test_a_live_administrator_is_told_with_what_it_may_do(ministack: Account, asked: Asked) -> None:
    key = ministack.user("admin", EVERYTHING)

    verdict = asked(ministack, key)

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == "arn:aws:iam::000000000000:user/admin"
    assert verdict.created_at
    assert {"policy own", "iam:CreateAccessKey", "secretsmanager:GetSecretValue"} <= {
        *verdict.scopes
    }


def test_one_that_may_do_little_is_alive(ministack: Account, asked: Asked) -> None:
    key = ministack.user("little", LITTLE)

    verdict = asked(ministack, key)

    assert (verdict.status, verdict.scopes) == (Status.ACTIVE, ())
    assert "may not ask" in (verdict.reason or "")


def test_a_wrong_secret_is_told_by_its_part(ministack: Account, asked: Asked) -> None:
    key = ministack.user("wrong", LITTLE)
    wrong = fill("{{base64:40}}", seed=5)

    by_secret = asked(ministack, key, BY_SECRET, SecretAccessKey=wrong)
    by_id = asked(ministack, key, BY_ID, SecretAccessKey=wrong)

    assert (by_secret.status, by_id.status) == (Status.INACTIVE, Status.UNKNOWN)
    assert "SignatureDoesNotMatch" in (by_secret.reason or "")


def test_a_deactivated_key_is_inactive_and_then_alive_again(
    ministack: Account, asked: Asked
) -> None:
    key = ministack.user("off", LITTLE)
    iam = ministack.client("iam")
    about = {"UserName": "off", "AccessKeyId": key["AccessKeyId"]}

    iam.update_access_key(Status="Inactive", **about)
    assert asked(ministack, key).status is Status.INACTIVE

    iam.update_access_key(Status="Active", **about)
    assert asked(ministack, key).status is Status.ACTIVE


@pytest.mark.parametrize("rule", [BY_ID, BY_SECRET])
def test_a_deleted_key_is_inactive(ministack: Account, asked: Asked, rule: str) -> None:
    key = ministack.user(f"gone-{rule}", LITTLE)
    ministack.client("iam").delete_access_key(
        UserName=f"gone-{rule}", AccessKeyId=key["AccessKeyId"]
    )

    assert asked(ministack, key, rule).status is Status.INACTIVE


def test_a_session_is_told_as_its_role(ministack: Account, asked: Asked) -> None:
    iam, sts = ministack.client("iam"), ministack.client("sts")
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=document(TRUST))["Role"]
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="run-7")["Credentials"]

    live = asked(ministack, session)
    other = asked(ministack, session, SessionToken="IQoJ" + fill("{{base64:300}}"))

    assert live.status is Status.ACTIVE
    assert ":assumed-role/deploy/run-7" in (live.identity or "")
    assert other.status is Status.UNKNOWN


def test_last_use_is_told(moto: Account, asked: Asked) -> None:
    key = moto.user("used", EVERYTHING)
    _enforce(moto.port, "0")
    try:
        verdict = asked(moto, key)
    finally:
        _enforce(moto.port, "1000000")

    assert (verdict.status, verdict.identity) == (
        Status.ACTIVE,
        "arn:aws:iam::123456789012:user/used",
    )
    assert (verdict.created_at or "")[:2] == "20"
    assert (verdict.last_used_at or "")[:2] == "20"


def test_the_other_emulator_refuses_what_was_deleted(moto: Account, asked: Asked) -> None:
    kept, gone = moto.user("kept", LITTLE), moto.user("gone", LITTLE)
    moto.client("iam").delete_access_key(UserName="gone", AccessKeyId=gone["AccessKeyId"])
    _enforce(moto.port, "0")
    try:
        assert asked(moto, kept).status is Status.ACTIVE
        assert asked(moto, gone).status is Status.INACTIVE
        wrong = fill("{{base64:40}}", seed=6)
        assert asked(moto, kept, BY_SECRET, SecretAccessKey=wrong).status is Status.INACTIVE
    finally:
        _enforce(moto.port, "1000000")


def _enforce(port: int, count: str) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/moto-api/reset-auth", body=count)
    assert connection.getresponse().status == 200
    connection.close()
