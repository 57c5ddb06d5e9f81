"""
Storage keys and shared access signatures against Azurite, Microsoft's own emulator.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.model import Status, Verification
from scanner.verify.registry import Consent
from scanner.verify.transport import Transport
from tests.lookalikes import fill
from tests.verify.cloud.scene import ask, findings_in
from tests.verify.cloud.servers import forward, free_port, running
from tests.verify.provider import Provider

pytestmark = pytest.mark.servers
ACCOUNT = "shopdata"
KEY = base64.b64encode(fill("{{alnum:64}}", seed=1).encode()).decode()
WRONG = base64.b64encode(fill("{{alnum:64}}", seed=2).encode()).decode()
SECOND = base64.b64encode(fill("{{alnum:64}}", seed=3).encode()).decode()
NOW = dt.datetime.now(dt.timezone.utc)
Transports = Callable[..., Transport]
Asked = Callable[[str, str], Verification]


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("azurite")
    port = free_port()
    with running(
        ["azurite-blob", "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1",
         "--blobPort", str(port), "-l", str(folder)],
        port, folder, AZURITE_ACCOUNTS=f"{ACCOUNT}:{KEY}:{SECOND}",
    ):  # fmt: skip
        yield port


@pytest.fixture
def asked(anywhere: Transports, provider: Provider, azurite: int) -> Asked:
    provider.behave = forward(azurite)

    def verdict(text: str, rule: str) -> Verification:
        finding = findings_in(text)[rule]
        transport = anywhere(allow_found_hosts=True)
        return ask(finding, transport, consent=Consent(found_hosts=True))

    return verdict


def connection(key: str) -> str:
    return f"C=DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={key};\n"


def signature(end: dt.datetime, key: str = KEY, permissions: str = "rl", kinds: str = "sco") -> str:
    """An account's shared access signature, by the documented recipe."""
    fields = {
        "sv": "2021-08-06",
        "ss": "b",
        "srt": kinds,
        "sp": permissions,
        "se": f"{end:%Y-%m-%dT%H:%M:%SZ}",
    }
    text = "\n".join(
        [
            ACCOUNT,
            fields["sp"],
            fields["ss"],
            fields["srt"],
            "",
            fields["se"],
            "",
            "",
            fields["sv"],
            "",
            "",
        ]
    )
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    fields["sig"] = base64.b64encode(digest).decode()
    return f"u=https://{ACCOUNT}.blob.core.windows.net/?{urllib.parse.urlencode(fields)}\n"


def test_a_live_key_is_told(asked: Asked) -> None:
    verdict = asked(connection(KEY), "azure-storage-connection-string")

    assert verdict.status is Status.ACTIVE
    assert ACCOUNT in (verdict.identity or "")


def test_a_wrong_key_is_not_alive(asked: Asked) -> None:
    # Azurite refuses it in the words that a firewall has for a live key: no verdict.
    verdict = asked(connection(WRONG), "azure-storage-connection-string")

    assert verdict.status is Status.UNKNOWN
    assert verdict.reason


def test_a_live_signature_is_told(asked: Asked) -> None:
    end = NOW + dt.timedelta(days=3)

    verdict = asked(signature(end), "azure-sas-token")

    assert (verdict.status, verdict.scopes) == (Status.ACTIVE, ("sas read", "sas list"))
    assert verdict.expires_at == f"{end:%Y-%m-%dT%H:%M:%SZ}"


def test_the_second_key_lives_as_well(asked: Asked) -> None:
    verdict = asked(connection(SECOND), "azure-storage-connection-string")

    assert verdict.status is Status.ACTIVE


def test_a_signature_that_may_do_little_is_alive(asked: Asked) -> None:
    verdict = asked(
        signature(NOW + dt.timedelta(days=3), permissions="r", kinds="o"), "azure-sas-token"
    )

    assert (verdict.status, verdict.scopes) == (Status.ACTIVE, ("sas read",)), verdict.reason


def test_a_key_that_was_replaced_is_not_alive(
    anywhere: Transports, provider: Provider, tmp_path: Path
) -> None:
    def status() -> Status:
        port = free_port()
        with running(
            ["azurite-blob", "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1",
             "--blobPort", str(port), "-l", str(tmp_path)],
            port, tmp_path, AZURITE_ACCOUNTS=f"{ACCOUNT}:{keys}",
        ):  # fmt: skip
            provider.behave = forward(port)
            finding = findings_in(connection(KEY))["azure-storage-connection-string"]
            transport = anywhere(allow_found_hosts=True)
            return ask(finding, transport, consent=Consent(found_hosts=True)).status

    keys = f"{KEY}:{SECOND}"
    assert status() is Status.ACTIVE
    keys = f"{WRONG}:{SECOND}"
    assert status() is Status.UNKNOWN


def test_an_expired_signature_is_inactive(asked: Asked) -> None:
    verdict = asked(signature(NOW - dt.timedelta(days=3)), "azure-sas-token")

    assert verdict.status is Status.INACTIVE


def test_a_signature_that_is_not_the_accounts_is_not_alive(asked: Asked) -> None:
    verdict = asked(signature(NOW + dt.timedelta(days=3), WRONG), "azure-sas-token")

    assert verdict.status is Status.UNKNOWN
