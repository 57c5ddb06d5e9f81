"""
A manifest whose values only stand for credentials lies open, and is told with low confidence.
"""

from __future__ import annotations

import base64

import pytest

from scanner.detect.sealed.registry import seal_records
from scanner.detect.sealed.sample import is_sample
from tests.commands.runs import run
from tests.lookalikes import fill

SAMPLES = ("my-password", "changeme", "admin", "shhhh! <myemail>@widgets.test", "s3cr3t", "foobar",
    "YOUR_API_KEY", "xxxxxxxxxxxx", "the secret value", "test-token",
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")  # fmt: skip
SECRETS = ("{{alnum:20}}", "correct horse battery", "hunter2", "admin{{digits:4}}", "sommer2019",
    "mypassword", "admin:password", '{"auths":{"https://example/":{"auth":"{{alnum:10}}"}}}')  # fmt: skip


@pytest.mark.parametrize("value", SAMPLES)
def test_words_that_stand_for_a_credential_are_a_sample(value):
    assert is_sample(value)


@pytest.mark.parametrize("value", SECRETS)
def test_what_may_be_a_credential_is_no_sample(value):
    assert not is_sample(fill(value))


def _manifest(section: str, **values: str) -> str:
    lines = "".join(f"  {name}: {value}\n" for name, value in values.items())
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n{section}:\n{lines}"


def _coded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _told(tmp_path, text: str, level: str, name: str = "a.yaml") -> list[str]:
    (tmp_path / "tree").mkdir(exist_ok=True)
    (tmp_path / "tree" / name).write_text(text)
    report = run(tmp_path, "scan", str(tmp_path / "tree"), "--min-confidence", level)
    return [one["rule"] for one in report.findings if one["rule"].endswith("-plaintext")]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_manifest("stringData", username="admin", password="my-password"), id="plain"),
        pytest.param(_manifest("data", password=_coded("admin"), user=_coded("me")), id="base64"),
    ],
)
def test_a_manifest_of_samples_is_plaintext_and_told_low(tmp_path, text):
    assert [record.state for record in seal_records(text.encode(), b"a.yaml")] == ["plaintext"]
    assert _told(tmp_path, text, "medium") == []
    assert _told(tmp_path, text, "low") == ["kubernetes-secret-plaintext"]


def test_one_secret_among_samples_is_told(tmp_path):
    text = _manifest("stringData", password="my-password", pin=fill("{{alnum:18}}"))
    assert _told(tmp_path, text, "medium") == ["kubernetes-secret-plaintext"]


def test_an_environment_of_samples_is_told_low_and_one_secret_in_it_makes_it_high(tmp_path):
    text = "SECRET_KEY=super-secret-key\nMY_SECRET='this-is-secret'\n"
    assert [record.state for record in seal_records(text.encode(), b".env")] == ["plaintext"]
    assert _told(tmp_path, text, "medium", ".env") == []
    assert _told(tmp_path, text, "low", ".env") == ["credential-file-plaintext"]
    text += fill("API_TOKEN={{alnum:24}}\n")
    assert _told(tmp_path, text, "medium", ".env") == ["credential-file-plaintext"]


def test_tokens_of_a_registry_on_this_machine_are_told_low_and_one_elsewhere_makes_them_high(
    tmp_path,
):
    text = "@a:registry=http://localhost:4261/\n//localhost:4261/:_authToken=private-reg-token\n"
    assert _told(tmp_path, text, "medium", ".npmrc") == []
    assert _told(tmp_path, text, "low", ".npmrc") == ["credential-file-plaintext"]
    text += "//registry.acme.com/:_authToken=private-reg-token\n"
    assert _told(tmp_path, text, "medium", ".npmrc") == ["credential-file-plaintext"]
