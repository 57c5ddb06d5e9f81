"""
Azure: client secrets, storage keys, shared access signatures and DevOps tokens.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable

import pytest

from scanner.model import Finding, Status
from scanner.secret import Secret
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection
from scanner.verify.transport import Transport
from tests.lookalikes import fill
from tests.verify.cloud.fake_azure import NOW, App, FakeEntra, FakeStorage
from tests.verify.cloud.scene import FAULTS, Fault, ask, findings_in
from tests.verify.conftest import QUICK, Notes
from tests.verify.provider import Asked, Provider, Say
from tests.verify.usable import engine

UUID = "{{hex:8}}-{{hex:4}}-{{hex:4}}-{{hex:4}}-{{hex:12}}"
TENANT, CLIENT, OTHER = fill(UUID, seed=1), fill(UUID, seed=2), fill(UUID, seed=3)
SECRET = fill("{{alnum:3}}8Q~{{alnum:34}}", seed=4)
LATER, PAST = NOW + dt.timedelta(days=90), NOW - dt.timedelta(days=9)
ENV = f"ARM_TENANT_ID={TENANT}\nARM_CLIENT_ID={CLIENT}\nARM_CLIENT_SECRET={SECRET}\n"
VAULT = ENV + "VAULT=https://shop-vault.vault.azure.net/\n"
ENTRA = "azure-entra-client-secret"
KEY, OTHER_KEY = fill("{{base64:86}}==", seed=5), fill("{{base64:86}}==", seed=6)
CONNECTION = (
    f"C=DefaultEndpointsProtocol=https;AccountName=shopdata;AccountKey={KEY};"
    "EndpointSuffix=core.windows.net\n"
)
FAR = f"STORAGE_ACCOUNT_NAME=shopdata\n# {'x' * 300}\nSTORAGE_KEY={KEY}\n"
STORAGE = "azure-storage-connection-string"
SIG = fill("{{alnum:43}}", seed=7) + "%3D"
SAS_RULE = "azure-sas-token"
FOUND_HOSTS = Consent(found_hosts=True)
HASTY = dataclasses.replace(QUICK, seconds=0.3, tries=1)
Transports = Callable[..., Transport]


def sas(end: dt.datetime = LATER, host: str = "https://shopdata.blob.core.windows.net/c?") -> str:
    return f"u={host}sv=2022-11-02&sr=c&sp=rwl&se={end:%Y-%m-%dT%H:%M:%SZ}&sig={SIG}\n"


@pytest.fixture
def entra(provider: Provider) -> FakeEntra:
    fake = FakeEntra({CLIENT: App({SECRET: LATER}, TENANT)})
    provider.behave = fake
    return fake


@pytest.fixture
def storage(provider: Provider) -> FakeStorage:
    fake = FakeStorage("shopdata", (OTHER_KEY, KEY))
    provider.behave = fake
    return fake


def one(text: str, rule: str, path: str = "conf/.env") -> Finding:
    return findings_in(text, path)[rule]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param(ENV, ".env", id="environment"),
        pytest.param(
            json.dumps({"tenantId": TENANT, "clientId": CLIENT, "clientSecret": SECRET}, indent=1),
            "azure.json",
            id="JSON",
        ),
        pytest.param(
            f"az login --service-principal -u {CLIENT} -p {SECRET} --tenant {TENANT}\n",
            "deploy.sh",
            id="command line",
        ),
        pytest.param(
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f"# https://login.microsoftonline.com/{TENANT}/oauth2/token\n",
            "main.tf",
            id="Terraform",
        ),
    ],
)
def test_a_live_client_secret_is_told_from_any_file(
    anywhere: Transports, entra: FakeEntra, text: str, path: str
) -> None:
    verdict = ask(one(text, ENTRA, path), anywhere())

    assert verdict.status is Status.ACTIVE, verdict.reason
    assert CLIENT in (verdict.identity or "")
    assert TENANT in (verdict.identity or "")


def test_dates_and_rights_of_a_client_secret_are_told(
    anywhere: Transports, entra: FakeEntra, notes: Notes
) -> None:
    entra.apps[CLIENT] = App(
        {SECRET: LATER, OTHER: PAST}, TENANT, roles=("User.Read.All", "Mail.Send"),
        actions=("*",), reads_itself=True,
    )  # fmt: skip

    verdict = ask(one(ENV, ENTRA), anywhere())

    assert verdict.identity == f"app deployer {CLIENT} of tenant {TENANT}"
    assert verdict.created_at == "2025-01-02T03:04:05Z"
    assert verdict.expires_at == f"{LATER:%Y-%m-%dT%H:%M:%SZ}"
    assert set(verdict.scopes) == {"User.Read.All", "Mail.Send", "subscription everything"}
    assert verdict.rights[-1].startswith("read all users")
    assert SECRET not in repr(notes.lines)


@pytest.mark.parametrize(
    ("actions", "scope"),
    [
        pytest.param(("*/read",), "subscription read", id="reader"),
        pytest.param(("*/read", "Microsoft.Web/*"), "subscription write", id="contributor"),
        pytest.param(("*/read", "Microsoft.Authorization/*"), "subscription rights", id="rights"),
    ],
)
def test_rights_in_a_subscription_are_told(
    anywhere: Transports, entra: FakeEntra, actions: tuple[str, ...], scope: str
) -> None:
    entra.apps[CLIENT].actions = actions

    assert ask(one(ENV, ENTRA), anywhere()).scopes == (scope,)


def test_a_key_vault_is_asked_with_consent_alone(
    anywhere: Transports, entra: FakeEntra, provider: Provider
) -> None:
    entra.vaults = ("shop-vault.vault.azure.net",)

    without = ask(one(VAULT, ENTRA), anywhere())
    asked = {a.host for a in provider.asked}
    consented = ask(one(VAULT, ENTRA), anywhere(allow_found_hosts=True), consent=FOUND_HOSTS)

    assert without.scopes == ()
    assert not [host for host in asked if "vault" in host]
    assert consented.scopes == ("key vault secrets list",)


def test_a_secret_goes_to_its_own_cloud_alone(
    anywhere: Transports, entra: FakeEntra, provider: Provider
) -> None:
    entra.cloud = "microsoftonline.us"

    assert ask(one(ENV, ENTRA), anywhere()).status is Status.ACTIVE
    assert {a.host for a in provider.asked if SECRET in a.whole() or a.method == "POST"} == {
        "login.microsoftonline.us"
    }


@pytest.mark.parametrize(
    ("app", "text", "status", "word"),
    [
        pytest.param(App({}, TENANT), ENV, "inactive", "7000215", id="wrong"),
        pytest.param(App({SECRET: PAST}, TENANT), ENV, "inactive", "7000222", id="expired"),
        pytest.param(App({SECRET: LATER}, TENANT, disabled=True), ENV, "unknown", "disabled", id="disabled"),
        pytest.param(App({}, TENANT), f"OTHER_CLIENT_ID={OTHER}\n{ENV}", "unknown", "of another app", id="of two apps"),
        pytest.param(App({}, TENANT), ENV.replace("ARM_CLIENT_SECRET", "# " + "x" * 200 + "\nARM_CLIENT_SECRET"), "unknown", "of another app", id="an app further off"),
        pytest.param(App({}, OTHER), ENV, "unknown", "no such tenant", id="no such tenant"),
    ],
)  # fmt: skip
def test_a_refused_client_secret_is_told_in_entras_words(  # noqa: PLR0917
    anywhere: Transports, entra: FakeEntra, app: App, text: str, status: str, word: str
) -> None:
    entra.apps = {CLIENT: app}

    verdict = ask(one(text, ENTRA), anywhere())

    assert (verdict.status.value, word in (verdict.reason or "")) == (status, True), verdict.reason


def test_a_deleted_app_is_told(anywhere: Transports, entra: FakeEntra) -> None:
    entra.apps = {OTHER: App({SECRET: LATER}, TENANT)}

    assert ask(one(ENV, ENTRA), anywhere()).status is Status.INACTIVE


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_at_entra_proves_nothing(
    anywhere: Transports, entra: FakeEntra, provider: Provider, fault: Fault, method: str
) -> None:
    provider.behave = lambda asked: fault.say if asked.method == method else entra(asked)

    verdict = ask(one(ENV, ENTRA), anywhere(limits=HASTY))

    assert verdict.status is Status.UNKNOWN
    assert verdict.reason


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize("host", ["graph", "management"])
def test_a_fault_after_the_grant_costs_details_and_no_more(
    anywhere: Transports, entra: FakeEntra, provider: Provider, fault: Fault, host: str
) -> None:
    entra.apps[CLIENT] = App({SECRET: LATER}, TENANT, actions=("*",), reads_itself=True)
    provider.behave = fault(entra, host=host)

    assert ask(one(ENV, ENTRA), anywhere(limits=HASTY)).status is Status.ACTIVE


def test_a_storage_key_is_proved_and_never_sent(
    anywhere: Transports, storage: FakeStorage, provider: Provider
) -> None:
    verdict = ask(one(CONNECTION, STORAGE), anywhere(allow_found_hosts=True), consent=FOUND_HOSTS)

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == "storage account shopdata (StorageV2)"
    assert verdict.rights[0].startswith("read, write and delete all")
    assert not [a for a in provider.asked if KEY in a.whole()]
    assert {a.host for a in provider.asked} == {"shopdata.blob.core.windows.net"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param(CONNECTION, STORAGE, id="key"),
        pytest.param(sas(), SAS_RULE, id="signature"),
    ],
)
def test_an_account_is_asked_with_consent_alone(
    anywhere: Transports, storage: FakeStorage, provider: Provider, text: str, rule: str
) -> None:
    verdict = ask(one(text, rule), anywhere())
    (line,) = Runner([], engine().rule).plan([one(text, rule)], Selection())

    assert verdict.status is Status.NOT_TRIED
    assert "--allow-found-hosts" in (verdict.reason or "")
    assert "--allow-found-hosts" in (line.excuse or "")
    assert not provider.asked


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("a%2Bb%2Fc%3D", id="as in a URL"),
        pytest.param("a+b/c=", id="decoded on the way"),
        pytest.param("a%2bb%2fc%3d", id="in small letters"),
    ],
)
def test_a_signature_arrives_as_it_was_made(
    anywhere: Transports, storage: FakeStorage, written: str
) -> None:
    body = fill("{{alnum:38}}", seed=12)
    storage.sas_ok = lambda fields: "" if fields["sig"] == f"a+b/c{body}=" else MISMATCH
    sig = written.replace("c", f"c{body}", 1)
    finding = one(sas(), SAS_RULE)
    assert finding.secret
    secret = finding.secret.reveal().replace(SIG.encode(), sig.encode())

    verdict = ask(
        dataclasses.replace(finding, secret=Secret(secret)),
        anywhere(allow_found_hosts=True),
        consent=FOUND_HOSTS,
    )

    assert verdict.status is Status.ACTIVE, verdict.reason


def test_what_a_signature_says_of_itself_is_told_offline(
    anywhere: Transports, provider: Provider
) -> None:
    verdict = ask(one(sas(host="?"), SAS_RULE), anywhere())

    assert verdict.status is Status.NOT_TRIED
    assert verdict.expires_at == f"{LATER:%Y-%m-%dT%H:%M:%SZ}"
    assert verdict.scopes == ("sas read", "sas write", "sas list")
    assert "on one container" in (verdict.reason or "")
    assert not provider.asked


MISMATCH = "Signature did not match. String to sign used was rwl"
FRAME = "Signature not valid in the specified time frame: Start [x] - Expiry [y] - Current [z]"


@pytest.mark.parametrize(
    ("change", "text", "rule", "status"),
    [
        pytest.param({"keys": (OTHER_KEY,)}, CONNECTION, STORAGE, "inactive", id="rotated key"),
        pytest.param({"keys": ()}, "B=https://other1.blob.core.windows.net/\n" + CONNECTION, STORAGE, "unknown", id="of two accounts"),
        pytest.param({"keys": ()}, FAR, "azure-storage-legacy-key", "unknown", id="an account further off"),
        pytest.param({"refuse": "AuthorizationFailure"}, CONNECTION, STORAGE, "unknown", id="firewall"),
        pytest.param({"refuse": "KeyBasedAuthenticationNotPermitted"}, CONNECTION, STORAGE, "unknown", id="keys are off"),
        pytest.param({}, sas(), SAS_RULE, "active", id="signature"),
        pytest.param({"sas_may": False}, sas(), SAS_RULE, "active", id="may do little"),
        pytest.param({"sas_ok": lambda _: MISMATCH}, sas(), SAS_RULE, "inactive", id="key rotated"),
        pytest.param({"sas_ok": lambda _: MISMATCH}, sas(host="ACCOUNT_NAME=shopdata\nsas="), SAS_RULE, "unknown", id="perhaps cut"),
        pytest.param({"sas_ok": lambda _: FRAME}, sas(PAST), SAS_RULE, "inactive", id="expired"),
        pytest.param({"sas_ok": lambda _: FRAME}, sas(LATER), SAS_RULE, "unknown", id="not valid yet"),
        pytest.param({"refuse": "AuthorizationFailure"}, sas(), SAS_RULE, "unknown", id="firewall for a signature"),
    ],
)  # fmt: skip
def test_an_accounts_answer_is_judged(  # noqa: PLR0917
    anywhere: Transports,
    storage: FakeStorage,
    change: dict[str, object],
    text: str,
    rule: str,
    status: str,
) -> None:
    for name, value in change.items():
        setattr(storage, name, value)

    verdict = ask(one(text, rule), anywhere(allow_found_hosts=True), consent=FOUND_HOSTS)

    assert verdict.status.value == status, verdict.reason
    assert verdict.reason


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize(("text", "rule"), [(CONNECTION, STORAGE), (sas(), SAS_RULE)])
def test_a_fault_at_an_account_proves_nothing(  # noqa: PLR0917
    anywhere: Transports,
    storage: FakeStorage,
    provider: Provider,
    fault: Fault,
    text: str,
    rule: str,
) -> None:
    provider.behave = fault(storage)

    verdict = ask(
        one(text, rule), anywhere(limits=HASTY, allow_found_hosts=True), consent=FOUND_HOSTS
    )

    assert verdict.status is Status.UNKNOWN, verdict.reason


LEGACY = f"# https://dev.azure.com/widgets/\nAZURE_DEVOPS_ORG=widgets\nAZURE_DEVOPS_PAT={fill('{{base32:52}}', seed=9).lower()}\n"
DEVOPS = "azure-devops-legacy-pat"


def devops(asked: Asked) -> Say:
    if "unsealeda" in asked.whole():
        return Say(401)
    if "profile" in asked.target:
        return Say(200, b'{"id": "7", "emailAddress": "ada@widgets.test"}')
    return Say(200, b'{"count": 0, "value": []}') if "projects" in asked.target else Say(401)


def expired(asked: Asked) -> Say:
    words = "Access%20Denied%3A%20The%20Personal%20Access%20Token%20used%20has%20expired."
    return Say(401, b"<html>denied", kind="text/html", headers={"X-TFS-ServiceError": words})


def only_code(asked: Asked) -> Say:
    if "unsealeda" in asked.whole():
        return Say(401)
    return Say(200, b'{"value": []}') if "repositories" in asked.target else Say(401)


@pytest.mark.parametrize(
    ("behave", "status", "word"),
    [
        pytest.param(devops, "active", "ada@widgets.test at widgets", id="live"),
        pytest.param(only_code, "active", "a user at widgets", id="may do little"),
        pytest.param(lambda asked: Say(200, b'{"value": []}'), "unknown", "", id="open to anybody"),
        pytest.param(expired, "inactive", "", id="expired"),
        pytest.param(lambda asked: Say(401), "unknown", "", id="refused without a word"),
        pytest.param(lambda asked: Say(203, b"<html>", kind="text/html"), "unknown", "", id="login page"),
    ],
)  # fmt: skip
def test_a_devops_token_is_judged(
    anywhere: Transports, provider: Provider, behave: Callable[[Asked], Say], status: str, word: str
) -> None:
    provider.behave = behave

    verdict = ask(one(LEGACY, DEVOPS), anywhere())

    assert (verdict.status.value, word in (verdict.identity or "")) == (status, True)
    assert {a.host for a in provider.asked} <= {"app.vssps.visualstudio.com", "dev.azure.com"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_fault_at_devops_proves_nothing(
    anywhere: Transports, provider: Provider, fault: Fault
) -> None:
    provider.behave = lambda asked: fault.say

    assert ask(one(LEGACY, DEVOPS), anywhere(limits=HASTY)).status is Status.UNKNOWN
