"""
Kubernetes: who a token or a client certificate is, what it may do, and when it is dead.
"""

from __future__ import annotations

import base64
import dataclasses
import json
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
from scanner.verify.kubernetes.cluster import cluster_of
from scanner.verify.kubernetes.token_facts import of_token
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection
from scanner.verify.transport import Transport
from tests.lookalikes import fill
from tests.verify.cases import FOLDER
from tests.verify.conftest import QUICK, Notes
from tests.verify.fake_kubernetes import Account, FakeKubernetes, failure, said
from tests.verify.provider import Provider, Say

HOSTS = Consent(found_hosts=True)
SERVER = "https://kube.shop.example:6443"


def jwt(**claims: object) -> str:
    parts = ({"alg": "RS256"}, {"sub": "system:serviceaccount:shop:bot", **claims})
    coded = [
        base64.urlsafe_b64encode(json.dumps(p, separators=(",", ":")).encode())
        .rstrip(b"=")
        .decode()
        for p in parts
    ]
    return ".".join([*coded, fill("{{base64url:342}}")])


LIVE = jwt(iat=1_700_000_000, exp=1_800_000_000)
DEAD = jwt(iat=1_600_000_000)


@pytest.fixture
def cluster(provider: Provider) -> FakeKubernetes:
    provider.behave = fake = FakeKubernetes()
    fake.tokens[LIVE] = Account()
    return fake


def finding(secret: str = LIVE, **companions: str) -> Finding:
    beside = {"server": SERVER, **companions}
    return Finding(
        fingerprint="f" * 32,
        rule_id="kubernetes-service-account-token",
        provider="kubernetes",
        title="x",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        score=90,
        secret=Secret(secret.encode()),
        occurrences=(Occurrence(place=Place.FILE, path=b"a"),),
        remediation="roll it",
        companions=tuple(
            Companion(k, Secret(v.encode())) for k, vs in beside.items() for v in vs.split("|") if v
        ),
    )


Ask = Callable[..., Verification]


@pytest.fixture
def ask(anywhere: Callable[..., Transport]) -> Ask:
    def one(found: Finding, consent: Consent = HOSTS) -> Verification:
        runner = Runner([FOLDER], {}.__getitem__)
        transport = anywhere(allow_found_hosts=consent.found_hosts)
        (done,) = runner.verify([found], transport, Selection(consent=consent))
        return done.verification

    return one


def test_a_live_token_is_told_with_who_it_is_and_when_it_ends(
    ask: Ask, cluster: FakeKubernetes
) -> None:
    verdict = ask(finding())

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == "system:serviceaccount:shop:bot"
    assert "groups system:serviceaccounts" in verdict.reason
    assert verdict.created_at == "2023-11-14T22:13:20Z"
    assert verdict.expires_at == "2027-01-15T08:00:00Z"
    assert verdict.rights == ("get, list: pods",)


@pytest.mark.parametrize("whoami", ["old", "denied"])
@pytest.mark.parametrize("reviews", [True, False])
def test_who_it_is_is_learned_where_nobody_may_ask_it(
    ask: Ask, cluster: FakeKubernetes, whoami: str, reviews: bool
) -> None:
    cluster.whoami, cluster.reviews_tokens = whoami, reviews
    cluster.tokens[LIVE] = Account(name="system:serviceaccount:real:name")

    verdict = ask(finding())

    assert verdict.status is Status.ACTIVE
    assert verdict.identity == "system:serviceaccount:real:name"


RIGHTS = {
    "cluster-admin": ({"*"}, ("cluster-admin",)),
    "all secrets": ({"list secrets", "get secrets@ns"}, ("secrets:list:all", "secrets:get")),
    "its namespace's secrets": ({"get secrets@ns"}, ("secrets:get",)),
    "another namespace's secrets": ({"get secrets@other"}, ()),
    "exec": ({"create pods/exec@ns"}, ("pods:exec",)),
    "nothing": (set(), ()),
}


@pytest.mark.parametrize(("can", "scopes"), RIGHTS.values(), ids=RIGHTS)
def test_rights_are_told_the_worst_first(
    ask: Ask, cluster: FakeKubernetes, can: set[str], scopes: tuple[str, ...]
) -> None:
    cluster.tokens[LIVE] = Account(can=frozenset(can))

    assert ask(finding(namespace="ns")).scopes == scopes


def test_a_cluster_admin_is_critical(
    anywhere: Callable[..., Transport], cluster: FakeKubernetes
) -> None:
    cluster.tokens[LIVE] = Account(can=frozenset({"*"}))
    runner = Runner([FOLDER], {}.__getitem__)

    (done,) = runner.verify([finding()], anywhere(allow_found_hosts=True), Selection(consent=HOSTS))

    assert done.severity is Severity.CRITICAL
    assert done.verification.rights == ("everything, in the whole cluster (cluster-admin)",)


@pytest.mark.parametrize("anonymous", [True, False])
def test_a_token_that_the_cluster_refuses_is_inactive(
    ask: Ask, cluster: FakeKubernetes, anonymous: bool
) -> None:
    cluster.anonymous = anonymous

    assert ask(finding(DEAD)).status is Status.INACTIVE


def test_a_refusal_by_a_cluster_without_its_storage_is_no_verdict(
    ask: Ask, cluster: FakeKubernetes
) -> None:
    cluster.ready = False

    assert ask(finding(DEAD)).status is Status.UNKNOWN


def test_a_token_for_another_audience_is_not_dead_because_the_api_refuses_it(
    ask: Ask, cluster: FakeKubernetes
) -> None:
    verdict = ask(finding(jwt(aud=["vault"], exp=1_800_000_000)))

    assert verdict.status is Status.UNKNOWN
    assert "vault" in verdict.reason


def test_a_server_that_accepts_an_impossible_token_proves_nothing(
    ask: Ask, cluster: FakeKubernetes, provider: Provider
) -> None:
    cluster.fault = lambda asked: (
        said(201, {"status": {"allowed": True}}) if asked.method == "POST" else None
    )

    assert ask(finding()).status is Status.UNKNOWN
    assert not any(LIVE in asked.whole() for asked in provider.asked)


FAULTS = {
    "reset": Say(fault="reset"),
    "hang": Say(fault="hang"),
    "truncated": Say(fault="truncated"),
    "garbage": Say(fault="garbage"),
    "429": failure(429, "TooManyRequests", "slow down"),
    "500": failure(500, "InternalError", "etcdserver: request timed out"),
    "503": Say(503, b"no"),
    "portal": Say(200, b"<html>Sign in</html>", "text/html"),
    "401 of a proxy": Say(401, b'{"message": "Unauthorized"}'),
    "401 page": Say(401, b"<html>Unauthorized</html>", "text/html"),
    "403 of a firewall": Say(403, b"blocked"),
    "404": Say(404, b"404 page not found", "text/plain"),
    "redirect": Say(302, b"", headers={"Location": "https://login.example/"}),
    "200 to anything": Say(200, b"{}"),
    "damaged JSON": Say(201, b'{"status": {"allo'),
}
STEPS = ("/version", "/selfsubjectreviews", "/tokenreviews", "/selfsubjectaccessreviews", "/unsealed-probe", "/selfsubjectrulesreviews")  # fmt: skip
FAULTY = [(s, f) for s in STEPS for f in FAULTS if f != "hang" or s == STEPS[1]]


@pytest.mark.parametrize("fault_at", FAULTY, ids=lambda pair: f"{pair[1]} at {pair[0]}")
def test_a_live_one_is_never_called_inactive(
    notes: Notes,
    cluster: FakeKubernetes,
    anywhere: Callable[..., Transport],
    fault_at: tuple[str, str],
) -> None:
    step, fault = fault_at
    cluster.whoami = "new" if step == STEPS[1] else "old"
    cluster.fault = lambda asked: FAULTS[fault] if step in asked.target else None
    limits = dataclasses.replace(QUICK, seconds=0.3, tries=1)
    runner = Runner([FOLDER], {}.__getitem__)

    (done,) = runner.verify(
        [finding()], anywhere(limits=limits, allow_found_hosts=True), Selection(consent=HOSTS)
    )

    assert done.verification.status in (Status.ACTIVE, Status.UNKNOWN)
    assert LIVE not in str(notes.lines) + str(done.verification)


NOT_ASKED = {
    "without consent to its host": (finding(), Consent()),
    "without a server": (finding(server=""), HOSTS),
    "a key without its certificate": (
        finding(base64.b64encode(b"-----BEGIN " + b"PRIVATE KEY-----\n").decode()),
        HOSTS,
    ),
}


@pytest.mark.parametrize(("found", "consent"), NOT_ASKED.values(), ids=NOT_ASKED)
def test_is_not_asked(
    ask: Ask, cluster: FakeKubernetes, provider: Provider, found: Finding, consent: Consent
) -> None:
    assert ask(found, consent).status is Status.NOT_TRIED
    assert not provider.asked


def test_the_plan_names_every_request_that_is_sent(
    anywhere: Callable[..., Transport], cluster: FakeKubernetes, provider: Provider
) -> None:
    runner = Runner([FOLDER], {}.__getitem__)
    selection = Selection(consent=HOSTS)
    for found in (finding(), finding(DEAD)):
        (line,) = runner.plan([found], selection)
        runner.verify([found], anywhere(allow_found_hosts=True), selection)
        assert {(a.method, a.target) for a in provider.asked} <= {
            (p.method, p.path) for p in line.requests
        }


@pytest.mark.parametrize(
    "text", ["", "ftp://k.example", "https://a:b@k.example", "https://k.example:99999",
             "https://k.example/?x", "https://k.example/../x", "https:///"],
)  # fmt: skip
def test_no_server_is_read_from(text: str) -> None:
    assert cluster_of(text) is None


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "e30.e30.e30", "e30.bnVsbA.e30", "e30.eyJhdWQiOnt9fQ.x"]
)
def test_nothing_is_read_from_what_is_no_token(text: str) -> None:
    facts = of_token(text)

    assert facts.who is None
    assert facts.elsewhere is None


@pytest.mark.parametrize(
    ("audience", "elsewhere"),
    [
        (["https://kubernetes.default.svc.cluster.local"], None),
        (["https://oidc.eks.eu-west-1.amazonaws.com/id/X", "vault"], None),
        ("api", None),
        (["vault"], "vault"),
        ("sts.amazonaws.com", "sts.amazonaws.com"),
        ([], None),
    ],
)
def test_an_audience_is_the_api_servers_or_not(audience: object, elsewhere: str | None) -> None:
    assert of_token(jwt(aud=audience)).elsewhere == elsewhere


HOSTILE = (
    "169.254.169.254", "http://169.254.169.254/latest", "https://x@evil.example",
    "https://evil.example#@kube", "a/../../api/v1/secrets", "..", "%2e%2e", "x\r\nX-Evil: y",
    "x?watch=true", "x#y", "\x00", "é", "x" * 5000, " ",
)  # fmt: skip
ALLOWED = {
    "/version", "/readyz", "/unsealed-probe",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews", "/apis/authentication.k8s.io/v1/tokenreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
}  # fmt: skip


@pytest.mark.parametrize(
    "name", ["secret", "server", "namespace", "certificate_authority", "client_certificate", "tls_server_name"]
)  # fmt: skip
def test_no_hostile_value_leaves_its_place(
    anywhere: Callable[..., Transport], cluster: FakeKubernetes, provider: Provider, name: str
) -> None:
    runner = Runner([FOLDER], {}.__getitem__)
    transport = anywhere(allow_found_hosts=True)
    for value in HOSTILE:
        found = finding(value) if name == "secret" else finding(**{name: value})
        runner.verify([found], transport, Selection(consent=HOSTS))
    assert {asked.target for asked in provider.asked} <= ALLOWED
    assert {asked.method for asked in provider.asked} <= {"GET", "POST"}
    assert not any("x-evil" in asked.headers for asked in provider.asked)
