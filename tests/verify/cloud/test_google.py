"""
Google's keys and tokens: the pinned token endpoint alone is believed.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable

import pytest

from scanner.model import Finding, Severity, Status
from scanner.verify.runner import Runner, Selection, ranked
from scanner.verify.transport import Transport
from tests.lookalikes import fill
from tests.verify.cloud.fake_google import END, FOREVER, Account, FakeGoogle, key_file, new_key
from tests.verify.cloud.scene import FAULTS, Fault, ask, findings_in
from tests.verify.conftest import QUICK, Notes
from tests.verify.provider import Provider, Say
from tests.verify.usable import engine

EMAIL = "deployer@widgets-prod.iam.gserviceaccount.com"
KEY_ID = fill("{{hex:40}}", seed=2)
PRIVATE, CERTIFICATE = new_key(EMAIL)
FILE = key_file(EMAIL, KEY_ID, PRIVATE)
CLIENT = "123456789012-" + fill("{{hex:32}}") + ".apps.googleusercontent.com"
CLIENT_SECRET = fill("GOCSPX-{{alnum:28}}", seed=3)
REFRESH = fill("1//0{{alnum:60}}", seed=4)
ACCESS = fill("ya29.{{alnum:120}}", seed=5)
API_KEY = fill("AIzaSy{{alnum:33}}", seed=6)
CODED_KEY = base64.b64encode(API_KEY.encode()).decode()
USER = (
    f'{{"client_id": "{CLIENT}", "client_secret": "{CLIENT_SECRET}",\n'
    f'"refresh_token": "{REFRESH}", "type": "authorized_user"}}\n'
)
APP = f"GOOGLE_CLIENT_ID={CLIENT}\nGOOGLE_CLIENT_SECRET={CLIENT_SECRET}\n"
USER_ENV = APP + f"GOOGLE_REFRESH_TOKEN={REFRESH}\n"
HASTY = dataclasses.replace(QUICK, seconds=0.3, tries=1)
Transports = Callable[..., Transport]


@pytest.fixture
def google(provider: Provider) -> FakeGoogle:
    fake = FakeGoogle(
        accounts={EMAIL: Account({KEY_ID: CERTIFICATE})},
        tokens={
            ACCESS: {
                "azp": CLIENT,
                "email": "ada@widgets.test",
                "scope": "openid https://www.googleapis.com/auth/cloud-platform",
                "exp": "1900000000",
                "expires_in": "1200",
            }
        },
        refresh={REFRESH: CLIENT},
        clients={CLIENT: CLIENT_SECRET},
        keys={API_KEY: ""},
    )
    provider.behave = fake
    return fake


def account_key(text: str = FILE) -> Finding:
    return findings_in(text, "deploy/key.json")["gcp-service-account-key"]


def test_a_live_account_key_is_told_with_dates_and_rights(
    anywhere: Transports, google: FakeGoogle, provider: Provider, notes: Notes
) -> None:
    google.accounts[EMAIL].may = ("storage.objects.get", "resourcemanager.projects.setIamPolicy")

    verdict = ask(account_key(), anywhere())

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == f"{EMAIL} of project widgets-prod"
    assert (verdict.created_at, verdict.expires_at) == (
        "2024-03-01T00:00:00Z",
        f"{END:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert verdict.rights[0].startswith("give anybody any right")
    assert ranked(account_key(), verdict).severity is Severity.CRITICAL
    assert "evil" not in repr(provider.asked)
    assert not [a for a in provider.asked if PRIVATE[60:120] in a.whole()]
    assert PRIVATE[60:120] not in repr(notes.lines)


def test_a_key_without_an_end_has_none(anywhere: Transports, google: FakeGoogle) -> None:
    private, certificate = new_key(EMAIL, FOREVER)
    google.accounts[EMAIL].certificates = {KEY_ID: certificate}

    verdict = ask(account_key(key_file(EMAIL, KEY_ID, private)), anywhere())

    assert (verdict.created_at, verdict.expires_at) == ("2024-03-01T00:00:00Z", None)


def test_one_that_may_do_nothing_is_alive_all_the_same(
    anywhere: Transports, google: FakeGoogle
) -> None:
    verdict = ask(account_key(), anywhere())

    assert (verdict.status, verdict.rights) == (Status.ACTIVE, ())
    assert "none of the dangerous" in (verdict.reason or "")


@pytest.mark.parametrize(
    ("accounts", "word"),
    [
        pytest.param({}, "account is gone", id="account deleted"),
        pytest.param({EMAIL: Account({})}, "key is deleted", id="key deleted"),
        pytest.param({EMAIL: Account({KEY_ID: new_key(EMAIL)[1]})}, "key is deleted", id="rotated"),
        pytest.param(
            {EMAIL: Account({KEY_ID: CERTIFICATE}, disabled=True)}, "disabled", id="disabled"
        ),
    ],
)
def test_a_dead_account_key_is_told_in_googles_words(
    anywhere: Transports, google: FakeGoogle, accounts: dict[str, Account], word: str
) -> None:
    google.accounts = accounts

    verdict = ask(account_key(), anywhere())

    assert (verdict.status, word in (verdict.reason or "")) == (Status.INACTIVE, True)


def test_a_key_that_google_still_shows_is_not_called_dead(
    anywhere: Transports, google: FakeGoogle, provider: Provider
) -> None:
    def behave(asked: object) -> object:
        google.accounts[EMAIL].certificates = (
            {} if asked.target == "/token" else {KEY_ID: CERTIFICATE}  # type: ignore[attr-defined]
        )
        return google(asked)  # type: ignore[arg-type]

    provider.behave = behave  # type: ignore[assignment]

    assert ask(account_key(), anywhere()).status is Status.UNKNOWN


def test_of_two_accounts_side_by_side_none_is_called_dead(
    anywhere: Transports, google: FakeGoogle
) -> None:
    google.accounts = {}
    both = f'[{FILE},\n{{"client_email": "other@widgets-prod.iam.gserviceaccount.com"}}]'

    assert ask(account_key(both), anywhere()).status is Status.UNKNOWN


OTHERS = [
    pytest.param(USER, "gcp-authorized-user-credentials", "ada@widgets.test", id="user file"),
    pytest.param(USER_ENV, "google-oauth-refresh-token", "ada@widgets.test", id="refresh token"),
    pytest.param(APP, "google-oauth-client-secret", "project 123456789012", id="client"),
    pytest.param(f"TOKEN={ACCESS}\n", "google-oauth-access-token", "ada@widgets.test", id="access"),
    pytest.param(f"KEY={API_KEY}\n", "google-api-key", None, id="API key"),
    pytest.param(f"KEY={CODED_KEY}\n", "google-api-key", None, id="coded API key"),
]


@pytest.mark.parametrize(("text", "rule", "owner"), OTHERS)
def test_a_live_one_is_told(
    anywhere: Transports, google: FakeGoogle, text: str, rule: str, owner: str | None
) -> None:
    verdict = ask(findings_in(text, "conf/user.json")[rule], anywhere())

    assert verdict.status is Status.ACTIVE, verdict.reason
    assert (owner or "") in (verdict.identity or "")
    assert not any(s in repr(verdict) for s in (REFRESH, CLIENT_SECRET, ACCESS, API_KEY))


@pytest.mark.parametrize(("text", "rule", "owner"), OTHERS)
def test_a_dead_one_is_told(
    anywhere: Transports, google: FakeGoogle, text: str, rule: str, owner: str | None
) -> None:
    google.tokens, google.keys = {}, {}
    google.refresh = {REFRESH: "revoked"}
    google.clients = {CLIENT: "x"} if "client" in rule else google.clients

    assert ask(findings_in(text, "conf/user.json")[rule], anywhere()).status is Status.INACTIVE


@pytest.mark.parametrize(
    ("change", "text", "rule", "status"),
    [
        pytest.param({"refresh": {}}, USER_ENV, "google-oauth-refresh-token", "unknown", id="not of this client"),
        pytest.param({"clients": {CLIENT: "x"}}, USER_ENV, "google-oauth-refresh-token", "unknown", id="another client's secret"),
        pytest.param({"clients": {}}, APP, "google-oauth-client-secret", "inactive", id="client deleted"),
        pytest.param({"keys": {API_KEY: "EXPIRED"}}, f"KEY={API_KEY}\n", "google-api-key", "inactive", id="key expired"),
        pytest.param({"keys": {API_KEY: "SERVICE_DISABLED"}}, f"KEY={API_KEY}\n", "google-api-key", "active", id="Gemini is off"),
        pytest.param({"keys": {API_KEY: "API_KEY_SERVICE_BLOCKED"}}, f"KEY={API_KEY}\n", "google-api-key", "active", id="for other APIs"),
        pytest.param({"keys": {API_KEY: "API_KEY_HTTP_REFERRER_BLOCKED"}}, f"KEY={API_KEY}\n", "google-api-key", "active", id="for a web site"),
        pytest.param({"keys": {API_KEY: "CONSUMER_SUSPENDED"}}, f"KEY={API_KEY}\n", "google-api-key", "unknown", id="suspended"),
    ],
)  # fmt: skip
def test_what_is_between_is_judged(  # noqa: PLR0917
    anywhere: Transports,
    google: FakeGoogle,
    change: dict[str, dict[str, str]],
    text: str,
    rule: str,
    status: str,
) -> None:
    for name, value in change.items():
        setattr(google, name, value)

    verdict = ask(findings_in(text)[rule], anywhere())

    assert verdict.status.value == status
    assert verdict.reason


def test_an_endpoint_that_takes_any_key_proves_nothing(
    anywhere: Transports, provider: Provider
) -> None:
    provider.behave = lambda asked: Say(200, b'{"models": [{"name": "models/some"}]}')

    assert ask(findings_in(f"KEY={API_KEY}\n")["google-api-key"], anywhere()).status is (
        Status.UNKNOWN
    )
    assert not [a for a in provider.asked if API_KEY in a.whole()]


def test_a_client_further_off_is_not_called_dead(anywhere: Transports, google: FakeGoogle) -> None:
    google.clients = {}
    far = APP.replace("\n", f"\n# {'x' * 300}\n", 1)

    verdict = ask(findings_in(far)["google-oauth-client-secret"], anywhere())

    assert verdict.status is Status.UNKNOWN


def test_the_project_of_a_limited_key_is_told(anywhere: Transports, google: FakeGoogle) -> None:
    google.keys = {API_KEY: "SERVICE_DISABLED"}

    verdict = ask(findings_in(f"KEY={API_KEY}\n")["google-api-key"], anywhere())

    assert verdict.identity == "project 123456789012"


ALL = [(FILE, "gcp-service-account-key"), *((str(p.values[0]), str(p.values[1])) for p in OTHERS)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize(("text", "rule"), ALL, ids=[rule for _, rule in ALL])
def test_a_fault_proves_nothing(  # noqa: PLR0917
    anywhere: Transports, google: FakeGoogle, provider: Provider, fault: Fault, text: str, rule: str
) -> None:
    provider.behave = fault(google)

    verdict = ask(findings_in(text, "conf/user.json")[rule], anywhere(limits=HASTY))

    assert verdict.status is Status.UNKNOWN, verdict.reason
    assert verdict.reason


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
@pytest.mark.parametrize("host", ["cloudresourcemanager", "www.googleapis"])
def test_a_fault_after_the_grant_costs_details_and_no_more(
    anywhere: Transports, google: FakeGoogle, provider: Provider, fault: Fault, host: str
) -> None:
    provider.behave = fault(google, host=host)

    assert ask(account_key(), anywhere(limits=HASTY)).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("text", "rule", "word"),
    [
        pytest.param(FILE.replace(EMAIL, "x"), "gcp-service-account-key", "client_email", id="account"),
        pytest.param(f"SECRET={CLIENT_SECRET}\n", "google-oauth-client-secret", "client_id", id="client"),
        pytest.param(f"REFRESH={REFRESH}\n", "google-oauth-refresh-token", "client_secret", id="refresh"),
    ],
)  # fmt: skip
def test_without_its_other_half_nothing_is_sent(  # noqa: PLR0917
    anywhere: Transports, google: FakeGoogle, provider: Provider, text: str, rule: str, word: str
) -> None:
    finding = findings_in(text, "conf/user.json")[rule]

    verdict = ask(finding, anywhere())
    (line,) = Runner([], engine().rule).plan([finding], Selection())

    assert verdict.status is Status.NOT_TRIED
    assert word in (verdict.reason or "")
    assert line.excuse == verdict.reason
    assert not provider.asked


@pytest.mark.parametrize(("text", "rule"), ALL, ids=[rule for _, rule in ALL])
def test_a_plan_names_every_host_that_is_then_asked(
    anywhere: Transports, google: FakeGoogle, provider: Provider, text: str, rule: str
) -> None:
    finding = findings_in(text, "conf/user.json")[rule]
    (line,) = Runner([], engine().rule).plan([finding], Selection())

    ask(finding, anywhere())

    assert {a.host for a in provider.asked} <= {planned.host for planned in line.requests}
