"""
Vault and OpenBao: what each answer says of a token, a login or a lease, and what asking takes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest

from scanner.model import (
    Companion,
    Confidence,
    Finding,
    Occurrence,
    Place,
    Severity,
    Status,
    Verification,
)
from scanner.secret import Secret
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection
from scanner.verify.transport import Transport
from scanner.verify.vault.server import Server, server_of
from tests.verify.cases import FOLDER
from tests.verify.conftest import QUICK, Notes
from tests.verify.fake_vault import FakeVault, Token, says
from tests.verify.provider import Provider, Say

LIVE = "s." + "livelivelivelivelivelive"
DEAD = "s." + "deaddeaddeaddeaddeaddead"
PASSWORD = "correct horse".replace(" ", "-")
LEASE = "database/creds/app/" + "k7" * 12
HOSTS = Consent(found_hosts=True)
LOGIN = Consent(found_hosts=True, login=True)
ADDRESS = "https://vault.shop.example:8200"
TOKEN_RULE = "hashicorp-vault-legacy-service-token"


@pytest.fixture
def vault(provider: Provider) -> FakeVault:
    provider.behave = fake = FakeVault()
    fake.tokens[LIVE] = Token()
    fake.users["ada"] = PASSWORD
    fake.secret_ids["secret-id-1"] = "role-1"
    fake.leases.add(LEASE)
    return fake


def finding(rule: str, secret: str, **companions: str) -> Finding:
    beside = {"address": ADDRESS, **companions}
    return Finding(
        fingerprint="f" * 32,
        rule_id=rule,
        provider="vault",
        title="x",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        score=90,
        secret=Secret(secret.encode()),
        occurrences=(Occurrence(place=Place.FILE, path=b"a"),),
        remediation="roll it",
        companions=tuple(
            Companion(k, Secret(v.encode()))
            for k, values in beside.items()
            for v in values.split("|")
            if v
        ),
    )


def token(secret: str = LIVE, **companions: str) -> Finding:
    return finding(TOKEN_RULE, secret, **companions)


def approle(secret: str = "secret-id-1", **companions: str) -> Finding:
    return finding(
        "hashicorp-vault-approle-secret-id", secret, **{"role_id": "role-1", **companions}
    )


def userpass(secret: str = PASSWORD, **companions: str) -> Finding:
    return finding("hashicorp-vault-userpass-password", secret, **{"username": "ada", **companions})


def lease(name: str = LEASE, **companions: str) -> Finding:
    return finding(
        "hashicorp-vault-dynamic-password",
        "pw-pw-pw",
        **{"lease": name, "token": LIVE, **companions},
    )


@pytest.fixture
def ask(anywhere: Callable[..., Transport]) -> Callable[..., Verification]:
    def one(found: Finding, consent: Consent = HOSTS) -> Verification:
        runner = Runner([FOLDER], {}.__getitem__)
        transport = anywhere(allow_found_hosts=consent.found_hosts)
        (done,) = runner.verify([found], transport, Selection(consent=consent))
        return done.verification

    return one


Ask = Callable[..., Verification]


def test_a_live_token_is_told_with_policies_end_and_rights(ask: Ask, vault: FakeVault) -> None:
    vault.tokens[LIVE] = Token(
        policies=("default", "ops"), orphan=True, can={"sys/auth/unsealed-probe": ["update"]}
    )

    verdict = ask(token())

    assert verdict.status is Status.ACTIVE
    assert verdict.scopes == ("default", "ops", "sys/auth/*: update")
    assert verdict.expires_at == "2027-01-01T00:00:00Z"
    assert "ends by itself in 3600 s" in verdict.reason
    assert "renewable" in verdict.reason
    assert "orphan" in verdict.reason
    assert verdict.rights == (
        "switch on login methods (sys/auth/*)",
        "read: secret/data/app/*",
        "reaches secret/ (kv)",
    )


def test_a_valid_token_without_the_right_to_look_itself_up_is_active(
    ask: Ask, vault: FakeVault
) -> None:
    vault.tokens[LIVE] = Token(policies=("app",))

    verdict = ask(token())

    assert verdict.status is Status.ACTIVE
    assert "may not look itself up" in verdict.reason


def test_a_bare_refusal_may_be_of_a_token_that_is_bound_to_addresses(
    ask: Ask, vault: FakeVault
) -> None:
    verdict = ask(token(DEAD))

    assert verdict.status is Status.UNKNOWN
    assert "--believe-refusals" in verdict.reason
    assert ask(token(DEAD), dataclasses.replace(HOSTS, believe=True)).status is Status.INACTIVE


def test_a_token_that_the_server_says_it_does_not_know_is_inactive(
    ask: Ask, vault: FakeVault
) -> None:
    vault.denied = {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}

    assert ask(token(DEAD)).status is Status.INACTIVE


def test_a_wrapping_token_is_told_and_never_used(
    ask: Ask, vault: FakeVault, provider: Provider
) -> None:
    vault.tokens[LIVE] = Token(wrapping=True, uses=1)

    verdict = ask(token())

    assert verdict.status is Status.ACTIVE
    assert "not unwrapped" in verdict.reason
    assert vault.tokens[LIVE].uses == 1
    assert not any(a.headers.get("x-vault-token") == LIVE for a in provider.asked)


@pytest.mark.parametrize(
    ("before", "words"),
    [(5, "4 uses left, not spent"), (2, "1 use left, not spent"), (1, "last use")],
)
def test_of_a_token_with_few_uses_one_is_taken_at_most_and_the_rest_told(
    ask: Ask, vault: FakeVault, before: int, words: str
) -> None:
    vault.tokens[LIVE] = Token(uses=before)

    verdict = ask(token())

    assert verdict.status is Status.ACTIVE
    assert words in verdict.reason
    assert before == 1 or vault.tokens[LIVE].uses == before - 1


def test_with_spare_uses_not_one_is_taken(ask: Ask, vault: FakeVault) -> None:
    vault.tokens[LIVE] = Token(uses=1)

    verdict = ask(token(), dataclasses.replace(HOSTS, spare_uses=True))

    assert verdict.status is Status.ACTIVE
    assert vault.tokens[LIVE].uses == 1


UNSETTLED = {
    "sealed": {"sealed": True},
    "not initialised": {"initialized": False},
    "a disaster recovery secondary": {"replication_dr_mode": "secondary"},
    "one of several clusters": {"replication_performance_mode": "secondary"},
    "namespaces, and none is named": {"version": "1.17.2+ent"},
}


@pytest.mark.parametrize("state", UNSETTLED.values(), ids=UNSETTLED)
@pytest.mark.parametrize("found", [token(DEAD), approle("wrong"), userpass("wrong"), lease("database/creds/app/" + "x" * 24)], ids=["token", "approle", "userpass", "lease"])  # fmt: skip
def test_a_server_that_cannot_know_calls_nothing_inactive(
    ask: Ask, vault: FakeVault, state: dict[str, object], found: Finding
) -> None:
    vault.health |= state

    assert ask(found, dataclasses.replace(LOGIN, believe=True)).status is Status.UNKNOWN


PORTAL = Say(200, b"<html>Sign in to the network</html>", "text/html")
FAULTS = {
    "reset": Say(fault="reset"),
    "hang": Say(fault="hang"),
    "truncated": Say(fault="truncated"),
    "garbage": Say(fault="garbage"),
    "429": Say(429, b'{"errors": ["rate limited"]}'),
    "500": Say(500, b'{"errors": ["internal error"]}'),
    "502 page": Say(502, b"<html>", "text/html"),
    "503": Say(503, b"no"),
    "portal": PORTAL,
    "403 of a firewall": Say(403, b"<html>blocked</html>", "text/html"),
    "403 in JSON, not Vault's": Say(403, b'{"message": "permission denied"}'),
    "401": Say(401, b'{"errors": ["unauthorized"]}'),
    "404": Say(404, b'{"errors": []}'),
    "redirect to the active node": Say(307, b"", headers={"Location": "https://other.example/"}),
    "200 to anything": Say(200, b"{}"),
    "damaged JSON": Say(200, b'{"data": {"auth'),
}
BEFORE = ("sys/health", "sys/internal/ui/mounts")
STEPS = {
    "token": ("sys/wrapping/lookup", "auth/token/lookup-self", "sys/capabilities-self", *BEFORE),
    "approle": (*BEFORE, "/login", "revoke-self"),
    "userpass": (*BEFORE, "/login"),
    "lease": (*BEFORE, "sys/leases/lookup"),
}
ALIVE = {"token": token(), "approle": approle(), "userpass": userpass(), "lease": lease()}
# A hang costs its deadline: two steps tell.
FAULTY = [
    (kind, step, fault)
    for kind, steps in STEPS.items()
    for step in steps
    for fault in FAULTS
    if fault != "hang" or (kind, step) in (("token", BEFORE[1]), ("userpass", "/login"))
]


@pytest.mark.parametrize(("kind", "step", "fault"), FAULTY)
def test_a_live_one_is_never_called_inactive(  # noqa: PLR0917 # three of them are one case
    notes: Notes,
    vault: FakeVault,
    anywhere: Callable[..., Transport],
    kind: str,
    step: str,
    fault: str,
) -> None:
    vault.fault = lambda asked: FAULTS[fault] if step in asked.target else None
    limits = dataclasses.replace(QUICK, seconds=0.3, tries=1)
    transport = anywhere(limits=limits, allow_found_hosts=True)
    runner = Runner([FOLDER], {}.__getitem__)

    (done,) = runner.verify([ALIVE[kind]], transport, Selection(consent=LOGIN))

    assert done.verification.status in (Status.ACTIVE, Status.UNKNOWN)
    said = str(notes.lines) + str(done.verification)
    assert not any(secret in said for secret in (LIVE, PASSWORD, "secret-id-1"))


def test_a_server_that_accepts_an_impossible_token_proves_nothing(
    ask: Ask, vault: FakeVault, provider: Provider
) -> None:
    vault.fault = lambda asked: (
        says(200, {"data": {"auth": {}, "secret": {}}}) if "mounts" in asked.target else None
    )

    assert ask(token()).status is Status.UNKNOWN
    assert not any(LIVE in asked.whole() for asked in provider.asked)


def test_an_approle_login_is_revoked_at_once(ask: Ask, vault: FakeVault) -> None:
    verdict = ask(approle(), LOGIN)

    assert verdict.status is Status.ACTIVE
    assert "revoked at once" in verdict.reason
    assert set(vault.tokens) == {LIVE}


def test_a_userpass_login_is_told_with_its_user_and_revoked(ask: Ask, vault: FakeVault) -> None:
    verdict = ask(userpass(), LOGIN)

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == "username ada"
    assert verdict.scopes == ("default", "app")
    assert set(vault.tokens) == {LIVE}


@pytest.mark.parametrize(
    "found", [approle("wrong"), userpass("wrong")], ids=["approle", "userpass"]
)
def test_a_wrong_login_is_inactive_after_one_try(
    ask: Ask, vault: FakeVault, provider: Provider, found: Finding
) -> None:
    assert ask(found, LOGIN).status is Status.INACTIVE
    assert sum("/login" in asked.target for asked in provider.asked) == 1


@pytest.mark.parametrize("answer", [Say(500), Say(503), Say(429), Say(fault="reset")], ids=str)
@pytest.mark.parametrize("found", [approle(), userpass()], ids=["approle", "userpass"])
def test_a_login_is_not_repeated_whatever_comes_of_it(
    ask: Ask, vault: FakeVault, provider: Provider, found: Finding, answer: Say
) -> None:
    vault.fault = lambda asked: answer if "/login" in asked.target else None

    assert ask(found, LOGIN).status is Status.UNKNOWN
    assert sum("/login" in asked.target for asked in provider.asked) == 1


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_of_a_locked_out_user_nothing_is_learned(ask: Ask, vault: FakeVault, password: str) -> None:
    vault.locked.add("ada")

    verdict = ask(userpass(password), LOGIN)

    assert verdict.status is Status.UNKNOWN
    assert "locked out" in verdict.reason


NOT_ASKED = {
    "a token without consent to its host": (token(), Consent(login=True)),
    "an approle without consent to log in": (approle(), HOSTS),
    "a password without consent to log in": (userpass(), HOSTS),
    "an approle without its role": (approle(role_id=""), LOGIN),
    "an approle with two roles": (approle(role_id="a|b"), LOGIN),
    "a login at two servers": (userpass(address=f"{ADDRESS}|https://other.example"), LOGIN),
    "a user name that leaves its segment": (userpass(username="../../sys/seal"), LOGIN),
    "a lease without a token": (lease(token=""), HOSTS),
    "a lease whose lookup takes a use": (lease(), Consent(found_hosts=True, spare_uses=True)),
    "no server": (token(address=""), HOSTS),
    "no server's address": (token(address="https://a@b.example"), HOSTS),
}


@pytest.mark.parametrize(("found", "consent"), NOT_ASKED.values(), ids=NOT_ASKED)
def test_is_not_asked(
    ask: Ask, vault: FakeVault, provider: Provider, found: Finding, consent: Consent
) -> None:
    assert ask(found, consent).status is Status.NOT_TRIED
    assert not provider.asked


def test_a_lease_that_is_open_says_when_it_ends(ask: Ask, vault: FakeVault) -> None:
    verdict = ask(lease())

    assert verdict.status is Status.ACTIVE
    assert "open and ends by itself in 600 s" in verdict.reason
    assert verdict.expires_at == "2027"


def test_a_lease_that_was_revoked_is_inactive(ask: Ask, vault: FakeVault) -> None:
    vault.leases.clear()

    assert ask(lease()).status is Status.INACTIVE


@pytest.mark.parametrize(
    "state", [None, Token(policies=("app",))], ids=["dead", "without the right"]
)
def test_a_lease_is_not_judged_by_a_token_that_may_not_ask(
    ask: Ask, vault: FakeVault, state: Token | None
) -> None:
    vault.tokens = {LIVE: state} if state else {}

    assert ask(lease()).status is Status.UNKNOWN


def test_a_namespace_beside_the_token_is_sent(ask: Ask, vault: FakeVault) -> None:
    ask(token(namespace="team/app"))

    assert set(vault.namespaces) == {"team/app"}


def test_a_token_refused_by_one_of_two_servers_and_unheard_by_the_other_is_unknown(
    ask: Ask, vault: FakeVault
) -> None:
    vault.fault = lambda asked: Say(500) if asked.host.startswith("other") else None

    assert ask(token(DEAD, address=f"{ADDRESS}|https://other.example")).status is Status.UNKNOWN


def test_the_plan_names_every_request_that_is_sent(
    anywhere: Callable[..., Transport], vault: FakeVault, provider: Provider
) -> None:
    runner = Runner([FOLDER], {}.__getitem__)
    selection = Selection(consent=LOGIN)
    for found in (token(), approle(), userpass(), lease()):
        provider.asked.clear()
        (line,) = runner.plan([found], selection)
        runner.verify([found], anywhere(allow_found_hosts=True), selection)
        sent = {
            (a.method, a.target.partition("?")[0].replace("ada", "{username}"))
            for a in provider.asked
        }
        assert sent <= {(p.method, p.path) for p in line.requests}
        assert {p.host for p in line.requests} == {"vault.shop.example:8200"}


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("https://vault.example:8200", Server(host="vault.example")),
        ("vault.example", Server(host="vault.example")),
        ("https://vault.example", Server(host="vault.example", port=443)),
        ("http://10.0.0.7:8200/", Server(host="10.0.0.7", tls=False)),
        ("https://gate.example/vault/", Server(host="gate.example", port=443, prefix="/vault")),
        ("https://vault.example:8200/ui/vault/secrets", Server(host="vault.example")),
        ("https://[fd00::7]:8200", Server(host="fd00::7")),
    ],
)
def test_an_address_is_read(text: str, server: Server) -> None:
    assert server_of(text) == server


@pytest.mark.parametrize(
    "text",
    ["", "ftp://vault.example", "https://a:b@vault.example", "https://v.example:99999",
     "https://v.example/?a=b", "https://v.example/..%2f", "https://v.example/a b", "https:///v1"],
)  # fmt: skip
def test_no_address_is_read_from(text: str) -> None:
    assert server_of(text) is None


HOSTILE = (
    "169.254.169.254", "http://169.254.169.254/latest", "https://127.0.0.1:1", "https://x@evil.example",
    "https://evil.example#@vault", "https://evil.example\\@vault", "a/../../sys/seal", "..", "%2e%2e",
    "x\r\nX-Vault-Token: y", "x?list=true", "x#y", "sys/seal", "\x00", "é", "{secret}", "x" * 5000, " ",
)  # fmt: skip
ALLOWED = re.compile(
    r"(?:/seal)?/v1/(?:sys/(?:health|wrapping/lookup|internal/ui/(?:mounts|resultant-acl)|capabilities-self|"
    r"leases/lookup)|auth/token/(?:lookup|revoke)-self|auth/[\w@.-]+/login(?:/[\w@.-]+)?)(?:\?[\w=&]+)?\Z"
)
BESIDE = {
    "token": (token, ("address", "namespace")),
    "approle": (approle, ("address", "namespace", "role_id", "mount")),
    "userpass": (userpass, ("address", "namespace", "username", "mount")),
    "lease": (lease, ("address", "namespace", "lease", "token")),
}
CASES = [(kind, name) for kind, (_, names) in BESIDE.items() for name in (*names, "secret")]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_no_hostile_value_leaves_its_place(
    anywhere: Callable[..., Transport], vault: FakeVault, provider: Provider, kind: str, name: str
) -> None:
    runner = Runner([FOLDER], {}.__getitem__)
    transport = anywhere(allow_found_hosts=True)
    for value in HOSTILE:
        made = BESIDE[kind][0]
        found = made(value) if name == "secret" else made(**{name: value})
        (done,) = runner.verify([found], transport, Selection(consent=LOGIN))
        assert done.verification.status is not Status.INACTIVE or name != "namespace"
    for asked in provider.asked:
        assert ALLOWED.match(asked.target), asked.target
        assert asked.method in ("GET", "POST")
        assert "evil" not in asked.host or name == "address"
        assert not {"x-evil", "transfer-encoding"} & asked.headers.keys()
        assert "seal/v1" in asked.target or "seal" not in asked.target.partition("?")[0]
