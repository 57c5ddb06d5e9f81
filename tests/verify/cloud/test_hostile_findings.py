"""
A hostile file: whatever stands beside a key, requests stay in their house, well formed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.model import Companion, Finding, Status
from scanner.secret import Secret
from scanner.verify.canary import aws_account
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection
from scanner.verify.transport import Options, Transport
from tests.verify.cloud import test_aws as aws
from tests.verify.cloud import test_azure as azure
from tests.verify.cloud import test_google as google
from tests.verify.cloud.scene import ask, findings_in
from tests.verify.conftest import QUICK, Anywhere, Notes
from tests.verify.provider import Authority, Provider, Say
from tests.verify.usable import engine

HOUSES = (
    ".amazonaws.com", ".amazonaws.com.cn", ".googleapis.com", "login.microsoftonline.com",
    ".core.windows.net", "app.vssps.visualstudio.com", "dev.azure.com",
)  # fmt: skip
HOSTILE = (
    b"evil.example", b"evil.example/x", b"evil.example#", b"a@evil.example", b"x\r\nHost: evil",
    b"../../evil", b"..", b"", b" ", b"%0d%0aX: 1", b"evil.example?", b"\xff\xfe", b"x" * 5000,
    b"\\evil.example", b"[::1]", b"169.254.169.254", b"{secret}", b"a/b", b"a:b", b"127.0.0.1:80",
    "ünïcode".encode(), b"evil.example\x00", b"us-east-1.evil.example", b"core.evil.example",
)  # fmt: skip
CASES = {
    "aws": (aws.SESSION, aws.BY_ID),
    "service account": (google.FILE, "gcp-service-account-key"),
    "refresh token": (google.USER_ENV, "google-oauth-refresh-token"),
    "client": (google.APP, "google-oauth-client-secret"),
    "API key": (f"KEY={google.API_KEY}\n", "google-api-key"),
    "Entra": (azure.VAULT, azure.ENTRA),
    "storage": (azure.CONNECTION, azure.STORAGE),
    "signature": (azure.sas(), azure.SAS_RULE),
    "DevOps": (azure.LEGACY, azure.DEVOPS),
}
Transports = Callable[..., Transport]


def with_value(finding: Finding, name: str, value: bytes) -> Finding:
    if name == "secret":
        return dataclasses.replace(finding, secret=Secret(value))
    return dataclasses.replace(
        finding,
        companions=tuple(
            Companion(c.name, Secret(value)) if c.name == name else c for c in finding.companions
        ),
    )


@pytest.mark.parametrize("name", CASES)
def test_no_value_leads_elsewhere_or_breaks_out(
    anywhere: Transports, provider: Provider, name: str
) -> None:
    text, rule = CASES[name]
    finding = findings_in(text, "conf/x.json")[rule]
    provider.behave = lambda asked: Say(401, b"{}")
    transport = anywhere(allow_found_hosts=True)

    for place in ("secret", *dict.fromkeys(c.name for c in finding.companions)):
        for value in HOSTILE[:: 4 if name == "service account" else 1]:  # its key is slow to read
            verdict = ask(
                with_value(finding, place, value), transport, consent=Consent(found_hosts=True)
            )
            assert verdict.status in {Status.UNKNOWN, Status.NOT_TRIED}, (place, value)
    for asked in provider.asked:
        assert asked.host.endswith(HOUSES), asked.host
        assert "evil" not in asked.host
        assert asked.method in {"GET", "POST"}
        assert " " not in asked.target


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("certificate", ["evil.example", None], ids=["of another", "not trusted"])
def test_an_impostor_is_told_nothing(
    authority: Authority, notes: Notes, name: str, certificate: str | None, tmp_path: Path
) -> None:
    text, rule = CASES[name]
    whose = authority if certificate else Authority(tmp_path)
    impostor = Provider(whose, lambda asked: Say(401, b"{}"), certificate=certificate)
    transport = Anywhere(
        impostor,
        notes,
        Options(ca_file=authority.ca_file, limits=QUICK, allow_found_hosts=True),
    )
    try:
        verdict = ask(
            findings_in(text, "conf/x.json")[rule], transport, consent=Consent(found_hosts=True)
        )
    finally:
        transport.close()
        impostor.close()

    assert verdict.status is Status.UNKNOWN
    assert not impostor.asked


def test_a_canary_is_not_called_whichever_half_is_found(
    anywhere: Transports, provider: Provider
) -> None:
    import base64

    account = 52310077262
    number = ((1 << 47) | (account << 7)).to_bytes(6, "big") + bytes(4)
    key_id = "AKIA" + base64.b32encode(number).decode()
    assert aws_account(key_id.encode()) == f"{account:012d}"
    found = findings_in(aws.PAIR)
    halves = [
        dataclasses.replace(found[aws.BY_ID], secret=Secret(key_id.encode())),
        with_value(found[aws.BY_SECRET], "access_key_id", key_id.encode()),
    ]

    for half in halves:
        assert ask(half, anywhere()).status is Status.NOT_TRIED
        (line,) = Runner([], engine().rule).plan([half], Selection())
        assert "canary" in (line.excuse or "")
    assert not provider.asked
