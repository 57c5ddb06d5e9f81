"""
Services with a memory, asked by us and by their own client libraries.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner.detect.checksums import MAKERS
from scanner.model import Document, Place, Status, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.declarative import Declarative
from scanner.verify.registry import Consent
from scanner.verify.transport import Transport
from tests.lookalikes import fill, github_token
from tests.verify import fake_saas
from tests.verify.cases import FOLDER
from tests.verify.fake_saas import Table, Token
from tests.verify.provider import Authority, Provider, Say
from tests.verify.usable import engine, finding_of

LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN
GITHUB = github_token(7)
GITLAB = fill("glpat-{{alnum:20}}")
SLACK = fill("xoxb-{{digits:12}}-{{digits:12}}-{{alnum:24}}", checksums=MAKERS)
STRIPE = fill("sk_live_{{alnum:24}}")
TEXTS = {
    "github": (f"GITHUB_TOKEN={GITHUB}\n", GITHUB),
    "gitlab": (f"GITLAB_TOKEN={GITLAB}\n", GITLAB),
    "slack": (f"SLACK_BOT_TOKEN={SLACK}\n", SLACK),
    "stripe": (f"STRIPE_SECRET_KEY={STRIPE}\n", STRIPE),
}
# Service → what became of the token → what is to be told.
CASES = {
    ("github", "live"): (Token(), LIVE),
    ("github", "wrong"): (None, DEAD),
    ("github", "revoked"): (Token(revoked=True), DEAD),
    ("github", "expired"): (Token(expired=True), DEAD),
    ("github", "may do little"): (Token(scopes=()), LIVE),
    ("github", "locked"): (Token(locked=True), UNSURE),
    ("gitlab", "live"): (Token(), LIVE),
    # A self-hosted server's token looks the same, and is unknown to the public one.
    ("gitlab", "wrong"): (None, UNSURE),
    ("gitlab", "revoked"): (Token(revoked=True), DEAD),
    ("gitlab", "expired"): (Token(expired=True), DEAD),
    ("gitlab", "may do little"): (Token(scopes=("read_api",)), LIVE),
    ("gitlab", "locked"): (Token(locked=True), UNSURE),
    ("slack", "live"): (Token(), LIVE),
    ("slack", "wrong"): (None, DEAD),
    ("slack", "revoked"): (Token(revoked=True), DEAD),
    ("slack", "expired"): (Token(expired=True), DEAD),
    ("slack", "may do little"): (Token(scopes=()), LIVE),
    ("slack", "locked"): (Token(locked=True), DEAD),
    ("stripe", "live"): (Token(), LIVE),
    ("stripe", "wrong"): (None, DEAD),
    ("stripe", "revoked"): (Token(revoked=True), DEAD),
    ("stripe", "expired"): (Token(expired=True), DEAD),
    ("stripe", "may do little"): (Token(scopes=()), LIVE),
}


def ask(service: str, table: Table, provider: Provider, transport: Transport) -> Verification:
    """Scan a file with the service's token, and ask about what was found."""
    text, _ = TEXTS[service]
    provider.behave = getattr(fake_saas, service)(table)
    batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
    found = [finding_of(m) for m in engine().scanner().scan(batch)]
    (finding,) = (f for f in found if f.provider == service)
    return Declarative([FOLDER], engine().rule).verify(finding, transport, Consent())


@pytest.mark.parametrize(("service", "case"), CASES, ids=str)
def test_each_case_is_judged_right(
    anywhere: Callable[..., Transport], provider: Provider, service: str, case: str
) -> None:
    token, status = CASES[service, case]
    table = {} if token is None else {TEXTS[service][1]: token}

    verdict = ask(service, table, provider, anywhere())

    assert verdict.status is status, verdict


def test_a_token_dies_between_two_questions(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    token = Token()
    table = {GITHUB: token}

    assert ask("github", table, provider, anywhere()).status is LIVE
    token.revoked = True
    assert ask("github", table, provider, anywhere()).status is DEAD


FAULTS = {
    "reset": Say(fault="reset"),
    "truncated": Say(200, b'{"ok": fal', fault="truncated"),
    "garbage": Say(fault="garbage"),
    "429": Say(429, b'{"message": "Bad credentials"}'),
    "500": Say(500, b'{"message": "Bad credentials"}'),
    "captive portal": Say(200, b"<!doctype html><h1>log in</h1>", kind="text/html"),
    "a block page": Say(401, b"<html>Bad credentials</html>", kind="text/html"),
    "redirect": Say(302, headers={"Location": "https://portal.test/"}),
    "forbidden": Say(403, b"{}"),
    "nothing": Say(404, b"{}"),
}


@pytest.mark.parametrize("service", TEXTS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_live_one_is_never_called_dead(
    anywhere: Callable[..., Transport], provider: Provider, service: str, fault: Say
) -> None:
    text, secret = TEXTS[service]
    real = getattr(fake_saas, service)({secret: Token()})
    batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
    found = [finding_of(m) for m in engine().scanner().scan(batch)]
    (finding,) = (f for f in found if f.provider == service)
    provider.behave = lambda asked: fault if secret in asked.whole() else real(asked)

    verdict = Declarative([FOLDER], engine().rule).verify(finding, anywhere(), Consent())

    assert verdict.status is UNSURE, verdict


# --- what the services' own libraries make of our fakes


def local(provider: Provider, service: str, table: Table) -> str:
    provider.behave = getattr(fake_saas, service)(table)
    return f"https://localhost:{provider.port}"


@pytest.mark.servers
def test_githubs_library_agrees(provider: Provider, authority: Authority) -> None:
    import github

    url = local(provider, "github", {GITHUB: Token()})

    def login(token: str) -> str:
        client = github.Github(
            auth=github.Auth.Token(token),
            base_url=f"{url}/api/v3",
            verify=str(authority.ca_file),
            retry=None,
        )
        with client:
            return client.get_user().login

    assert login(GITHUB) == "ada"
    with pytest.raises(github.BadCredentialsException):
        login(github_token(9))


@pytest.mark.servers
def test_gitlabs_library_agrees(provider: Provider, authority: Authority) -> None:
    import gitlab

    url = local(provider, "gitlab", {GITLAB: Token()})

    def login(token: str) -> str:
        with gitlab.Gitlab(url, private_token=token, ssl_verify=str(authority.ca_file)) as client:
            return str(client.personal_access_tokens.get("self").name)

    assert login(GITLAB) == "ada"
    with pytest.raises(gitlab.GitlabAuthenticationError):
        login(fill("glpat-{{alnum:20}}", seed=9))


@pytest.mark.servers
def test_slacks_library_agrees(provider: Provider, authority: Authority) -> None:
    import ssl

    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    url = local(provider, "slack", {SLACK: Token()})
    trust = ssl.create_default_context(cafile=str(authority.ca_file))

    assert WebClient(SLACK, base_url=f"{url}/api/", ssl=trust).auth_test()["user"] == "ada"
    with pytest.raises(SlackApiError, match="invalid_auth"):
        WebClient("xoxb-other", base_url=f"{url}/api/", ssl=trust).auth_test()


@pytest.mark.servers
def test_stripes_library_agrees(
    provider: Provider, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests
    import stripe

    url = local(provider, "stripe", {STRIPE: Token()})
    with requests.Session() as session:
        session.trust_env = False
        monkeypatch.setattr(stripe, "ca_bundle_path", str(authority.ca_file))

        def account(key: str) -> str:
            http = stripe.RequestsClient(session=session)
            client = stripe.StripeClient(
                key, base_addresses={"api": url}, http_client=http, max_network_retries=0
            )
            return str(client.v1.accounts.retrieve_current().id)

        assert account(STRIPE) == "acct_1"
        with pytest.raises(stripe.AuthenticationError):
            account("not-the-key")
