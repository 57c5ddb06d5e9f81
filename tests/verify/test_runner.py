"""
A whole run: each secret asked about once, at a bearable pace, with consent.
"""

from __future__ import annotations

import dataclasses
import stat
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.model import Companion, Finding, Severity, Status, Verification
from scanner.secret import Secret
from scanner.verify.canary import aws_account, issuer
from scanner.verify.checks import Check
from scanner.verify.declarative import Declarative
from scanner.verify.plan import render_plan
from scanner.verify.ranking import ranked
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection
from scanner.verify.transport import Limits, Transport
from scanner.verify.verdict_cache import VerdictCache
from tests.verify.cases import FOLDER, all_checks, finding_for, reply_for, rule_for
from tests.verify.provider import Asked, Provider, Say

CHECKS = all_checks()
PLAIN = [
    c
    for c in CHECKS
    if not c.needs and not c.companions() and any(i.status == (401,) for i in c.inactive)
]
BY_PROVIDER = {check.provider: check for check in reversed(PLAIN)}
ONE = BY_PROVIDER["heroku"]


def runner() -> Runner:
    known = {rule_for(check).id: rule_for(check) for check in BY_PROVIDER.values()}
    return Runner([FOLDER], known.__getitem__)


def alive(check: Check) -> Callable[[Asked], Say]:
    def behave(asked: Asked) -> Say:
        return Say(401) if "unsealed0" in asked.whole() else reply_for(check.active[0])

    return behave


class Thousand:
    """Twenty findings of each of fifty providers, who answer after 50 ms."""

    def __init__(self, provider: Provider) -> None:
        chosen = [BY_PROVIDER[name] for name in sorted(BY_PROVIDER)[:50]]
        answers = {check.host(): alive(check) for check in chosen}
        self._provider = provider
        self.findings = [finding_for(c, f"sound{n:04d}" * 3) for n in range(20) for c in chosen]
        provider.behave = lambda asked: dataclasses.replace(answers[asked.host](asked), delay=0.05)

    def arrivals(self) -> dict[str, list[float]]:
        """Return when each host was asked."""
        hosts: dict[str, list[float]] = {}
        for request in sorted(self._provider.asked, key=lambda asked: asked.at):
            hosts.setdefault(request.host, []).append(request.at)
        return hosts

    def most_in_a_second(self) -> int:
        """Return the most that came to one host within any one second."""
        return max(
            bisect_left(times, early + 1.0) - index
            for times in self.arrivals().values()
            for index, early in enumerate(times)
        )


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VerdictCache]:
    kept = VerdictCache(tmp_path / "state", b"k" * 32)
    yield kept
    kept.close()


def test_a_live_one_is_told_with_its_owner_and_ranked_up(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    provider.behave = lambda asked: (
        Say(401)
        if "unsealed0" in asked.whole()
        else Say(200, b'{"email": "ada@example.org", "id": "7"}')
    )

    (found,) = runner().verify([finding_for(ONE)], anywhere(), Selection())

    assert found.verification.status is Status.ACTIVE
    assert found.verification.identity == "ada@example.org"
    assert found.verification.checked_at
    assert found.severity is Severity.HIGH


def test_each_distinct_secret_is_asked_about_once(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    provider.behave = alive(ONE)
    findings = [finding_for(ONE, number=n) for n in range(20)]

    asked = runner().verify(findings, anywhere(), Selection())

    assert {f.verification.status for f in asked} == {Status.ACTIVE}
    assert sum("unsealed0" not in a.whole() for a in provider.asked) == 1


def test_a_verdict_is_not_asked_for_again_within_its_lifetime(
    anywhere: Callable[..., Transport], provider: Provider, cache: VerdictCache
) -> None:
    provider.behave = alive(ONE)
    first = runner().verify([finding_for(ONE)], anywhere(), Selection(), cache)
    provider.asked.clear()

    again = runner().verify([finding_for(ONE)], anywhere(), Selection(), cache)

    assert not provider.asked
    assert again == first


def test_more_consent_asks_again(
    anywhere: Callable[..., Transport], provider: Provider, cache: VerdictCache
) -> None:
    provider.behave = alive(ONE)
    runner().verify([finding_for(ONE)], anywhere(), Selection(), cache)
    provider.asked.clear()

    runner().verify([finding_for(ONE)], anywhere(), Selection(consent=Consent(login=True)), cache)

    assert provider.asked


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param({}, {"allow_private": True}, id="into the house"),
        pytest.param({}, {"known_hosts": Path("a")}, id="known hosts"),
        pytest.param({"known_hosts": Path("a")}, {"known_hosts": Path("b")}, id="other hosts"),
        pytest.param({"proxy": "http://a:1"}, {"proxy": "http://b:1"}, id="another proxy"),
    ],
)
def test_another_way_out_asks_again(
    anywhere: Callable[..., Transport],
    provider: Provider,
    cache: VerdictCache,
    before: dict[str, object],
    now: dict[str, object],
) -> None:
    provider.behave = alive(ONE)
    runner().verify([finding_for(ONE)], anywhere(**before), Selection(), cache)
    provider.asked.clear()

    runner().verify([finding_for(ONE)], anywhere(**now), Selection(), cache)

    assert provider.asked


@pytest.mark.parametrize(
    ("selection", "word"),
    [
        pytest.param(Selection(only=frozenset({"github"})), "--only", id="not among only"),
        pytest.param(Selection(skip=frozenset({"heroku"})), "--skip", id="among skip"),
    ],
)
def test_is_not_asked(
    anywhere: Callable[..., Transport], provider: Provider, selection: Selection, word: str
) -> None:
    (found,) = runner().verify([finding_for(ONE)], anywhere(), selection)

    assert found.verification.status is Status.NOT_TRIED
    assert word in (found.verification.reason or "")
    assert not provider.asked


def test_a_plan_sends_nothing_and_shows_no_secret(provider: Provider) -> None:
    lines = runner().plan(
        [finding_for(check) for check in list(BY_PROVIDER.values())[:40]], Selection()
    )
    text = render_plan(lines)

    assert all(line.requests for line in lines)
    assert "s3cr3tSample" not in text
    assert not provider.asked


def test_a_thousand_findings_of_fifty_providers_are_asked_at_a_bearable_pace(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    # How long it takes is measured by `benchmarks/verification.py`.
    run = Thousand(provider)
    transport = anywhere(limits=Limits())
    transport._sleep = time.sleep

    asked = runner().verify(run.findings, transport, Selection())

    statuses = Counter(f.verification.status for f in asked)
    assert statuses == {Status.ACTIVE: 1000}, {f.verification.reason for f in asked}
    assert {len(times) for times in run.arrivals().values()} == {21}, "each once, nobody once"
    # However late a request or its answer comes.
    assert run.most_in_a_second() <= Limits().rate


@pytest.mark.parametrize(
    ("verdict", "severity"),
    [
        pytest.param(Verification(status=Status.ACTIVE), Severity.HIGH, id="alive"),
        pytest.param(
            Verification(status=Status.ACTIVE, scopes=("repo",)), Severity.CRITICAL, id="harmful"
        ),
        pytest.param(Verification(status=Status.INACTIVE), Severity.LOW, id="dead"),
        pytest.param(Verification(status=Status.UNKNOWN), Severity.MEDIUM, id="not known"),
        pytest.param(Verification(), Severity.MEDIUM, id="not tried"),
    ],
)
def test_rank(verdict: Verification, severity: Severity) -> None:
    finding = dataclasses.replace(finding_for(ONE), provider="github")

    assert ranked(finding, verdict).severity is severity


def test_the_next_step_follows_the_verdict_and_is_made_of_the_rule_each_time() -> None:
    rule = rule_for(ONE)
    finding = finding_for(ONE)
    dead = ranked(finding, Verification(status=Status.INACTIVE), rule)
    alive = ranked(dead, Verification(status=Status.ACTIVE, expires_at="2030-01-01"), rule)
    again = ranked(alive, Verification(status=Status.UNKNOWN), rule)

    assert "nothing left to rotate" in dead.remediation
    assert alive.remediation.startswith("It is live")
    assert rule.remediation in alive.remediation
    assert "2030-01-01" in alive.remediation
    assert (again.remediation, again.severity) == (rule.remediation, rule.severity)


def test_an_earlier_verdict_is_not_lost_by_a_run_that_does_not_ask(
    anywhere: Callable[..., Transport],
) -> None:
    earlier = Verification(status=Status.ACTIVE, identity="ada")
    finding = dataclasses.replace(finding_for(ONE), verification=earlier)

    (kept,) = runner().verify([finding], anywhere(), Selection(skip=frozenset({ONE.provider})))

    assert kept.verification == earlier


def canary_key(account: int) -> str:
    """An AWS key id that holds an account, made as AWS makes them."""
    import base64

    body = (1 << 47 | account << 7 | 5).to_bytes(6, "big") + b"\x11\x22\x33\x44"
    return "AKIA" + base64.b32encode(body).decode()


@pytest.mark.parametrize("account", ["052310077262", "992382622183", "044858866125"])
def test_a_known_canary_is_recognised_offline_and_left_alone(
    anywhere: Callable[..., Transport], provider: Provider, account: str
) -> None:
    key = canary_key(int(account))
    finding = with_companion(finding_for(ONE), "key_id", key)

    assert aws_account(key.encode()) == account
    assert issuer(finding)
    (found,) = runner().verify([finding], anywhere(), Selection())
    assert found.verification.status is Status.NOT_TRIED
    assert "canary" in (found.verification.reason or "")
    assert not provider.asked


@pytest.mark.parametrize(
    "secret",
    [
        "https://canarytokens.com/about/x1/index.html",
        "https://abc.canarytokens.net/x",
        "user:pw@x.o3n.io",
    ],
)
def test_a_canary_host_is_recognised(secret: str) -> None:
    assert issuer(finding_for(ONE, secret))


@pytest.mark.parametrize(
    "secret",
    [
        "https://notcanarytokens.com.example/x",
        "canarytokens.com.evil.example",
        canary_key(123456789012),
    ],
)
def test_is_no_canary(secret: str) -> None:
    assert issuer(finding_for(ONE, secret)) is None


def with_companion(finding: Finding, name: str, value: str) -> Finding:
    return dataclasses.replace(
        finding, companions=(*finding.companions, Companion(name, Secret(value.encode())))
    )


def test_an_echo_of_the_secret_reaches_no_report(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    secret = "echo" * 9
    provider.behave = lambda asked: (
        Say(401)
        if "unsealed0" in asked.whole()
        else Say(200, f'{{"email": "{secret}", "id": "{secret[:20]}"}}'.encode())
    )

    (found,) = runner().verify([finding_for(ONE, secret)], anywhere(), Selection())

    assert found.verification.status is Status.ACTIVE
    assert "echo" not in repr(found.verification)


def test_the_cache_holds_no_secret_and_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    kept = VerdictCache(folder, b"k" * 32)
    kept.put("f" * 32, "", Verification(status=Status.ACTIVE, identity="ada"))
    kept.close()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "verdicts.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE verdicts SET body = replace(body, 'inactive', 'active')", id="body"),
        pytest.param("UPDATE verdicts SET until = until + 1", id="lifetime"),
        pytest.param("UPDATE verdicts SET fingerprint = 'g'", id="finding"),
        pytest.param("UPDATE verdicts SET code = 'x'", id="code"),
    ],
)
def test_a_changed_row_counts_as_absent(cache: VerdictCache, change: str) -> None:
    cache.put("f", "", Verification(status=Status.INACTIVE))
    cache._table.execute(change)

    assert cache.get("f", "") is None
    assert cache.get("g", "") is None


def test_a_verdict_past_its_time_counts_as_absent(tmp_path: Path) -> None:
    now = [1000.0]
    kept = VerdictCache(tmp_path, b"k" * 32, lifetime=60.0, clock=lambda: now[0])
    kept.put("f", "", Verification(status=Status.ACTIVE))
    early = kept.get("f", "")
    now[0] += 61
    late = kept.get("f", "")
    kept.close()

    assert early is not None
    assert late is None


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "verdicts.sqlite").write_bytes(b"not a database" * 100)
    kept = VerdictCache(tmp_path, b"k" * 32)
    kept.put("f", "", Verification(status=Status.ACTIVE))

    assert kept.get("f", "") == Verification(status=Status.ACTIVE)
    kept.close()


def test_a_bug_in_a_check_loses_no_finding(
    anywhere: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError("s3cr3tSample")

    monkeypatch.setattr(Declarative, "verify", broken)
    asked = runner().verify([finding_for(ONE)], anywhere(), Selection())

    assert asked[0].verification.status is Status.UNKNOWN
    assert asked[0].verification.reason == "the check failed: ZeroDivisionError"


def test_what_an_interruption_leaves_is_still_there(
    anywhere: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(asked: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("scanner.verify.runner.concurrent.futures.as_completed", interrupted)
    asked = runner().verify([finding_for(ONE)], anywhere(), Selection())

    assert [f.verification.reason for f in asked] == ["interrupted"]
    assert asked[0].severity is Severity.MEDIUM
