"""
From files to verdicts: `scan --verify` over a tree with credentials of all three clouds.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.folders import state_path
from scanner.verify import runner
from scanner.verify.request_log import RequestLog
from scanner.verify.transport import Options
from tests.verify.cloud import test_aws as aws
from tests.verify.cloud import test_azure as azure
from tests.verify.cloud import test_google as google
from tests.verify.cloud.fake_aws import FakeAws, Key
from tests.verify.cloud.fake_azure import App, FakeEntra, FakeStorage
from tests.verify.cloud.fake_google import Account, FakeGoogle
from tests.verify.conftest import Anywhere
from tests.verify.provider import Asked, Authority, Provider, Say

TREE = {
    "infra/prod.env": aws.PAIR,
    "deploy/key.json": google.FILE,
    "terraform/.env": azure.ENV,
    "app/settings.py": f"STORAGE = '{azure.CONNECTION.strip()}'\n",
}
SECRETS = (aws.SECRET, google.PRIVATE[60:120], azure.SECRET, azure.KEY)


class Everybody:
    """All three clouds behind one address."""

    def __init__(self) -> None:
        self.aws = FakeAws({aws.ID: Key(aws.SECRET)})
        self.google = FakeGoogle({google.EMAIL: Account({google.KEY_ID: google.CERTIFICATE})})
        self.entra = FakeEntra({azure.CLIENT: App({azure.SECRET: azure.LATER}, azure.TENANT)})
        self.storage = FakeStorage("shopdata", (azure.KEY,))

    def __call__(self, asked: Asked) -> Say:
        if "amazonaws" in asked.host:
            return self.aws(asked)
        if "googleapis" in asked.host:
            return self.google(asked)
        return self.storage(asked) if ".blob." in asked.host else self.entra(asked)


@pytest.fixture
def state() -> Iterator[Path]:
    folder = Path(state_path())
    yield folder
    for file in (*folder.glob("verify-*"), *folder.glob("verdicts.*")):
        shutil.rmtree(file) if file.is_dir() else file.unlink()


@pytest.fixture
def clouds(provider: Provider, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Everybody:
    def transport(log: RequestLog, options: Options) -> Anywhere:
        return Anywhere(provider, log, dataclasses.replace(options, ca_file=authority.ca_file))  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "Transport", transport)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/ambient")
    provider.behave = everybody = Everybody()
    return everybody


def scan(tree: Path, out: Path, *options: str) -> dict[str, str]:
    for name, text in TREE.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    main(["scan", str(tree), "-f", "json", "-o", str(out), "--verify", *options])
    findings = json.loads(out.read_text())["findings"]
    return {finding["rule"]: finding["verification"]["status"] for finding in findings}


def test_every_cloud_is_asked_and_told(
    tmp_path: Path, clouds: Everybody, state: Path, provider: Provider
) -> None:
    found = scan(tmp_path / "tree", tmp_path / "r.json", "--allow-found-hosts")

    assert {rule: found.get(rule) for rule in ALL} == dict.fromkeys(ALL, "active")
    log = (state / "verify-requests.jsonl").read_text()
    assert not [secret for secret in SECRETS if secret in log]
    sent = [a for a in provider.asked if any(secret in a.whole() for secret in SECRETS)]
    assert {a.host for a in sent} == {"login.microsoftonline.com"}


def test_what_was_revoked_is_told(tmp_path: Path, clouds: Everybody, state: Path) -> None:
    clouds.aws.keys[aws.ID].active = False
    clouds.google.accounts[google.EMAIL].certificates = {}
    clouds.entra.apps[azure.CLIENT].secrets = {}
    clouds.storage.keys = (azure.OTHER_KEY,)

    found = scan(tmp_path / "tree", tmp_path / "r.json", "--allow-found-hosts")

    assert {rule: found.get(rule) for rule in ALL} == dict.fromkeys(ALL, "inactive")


ALL = (
    "aws-access-key-id", "aws-secret-access-key", "gcp-service-account-key",
    "azure-entra-client-secret", "azure-storage-connection-string",
)  # fmt: skip
