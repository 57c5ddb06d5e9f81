"""
From the command line to the issuer and back: `scan --verify` and `verify REPORT` over
real files, with a server on the loopback in every provider's place.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.folders import state_path
from scanner.verify import runner
from scanner.verify.request_log import RequestLog
from scanner.verify.transport import Options
from tests.conftest import Repository
from tests.lookalikes import fill, github_token
from tests.verify.conftest import Anywhere
from tests.verify.provider import Asked, Authority, Provider, Say

STRIPE = fill("sk_live_{{alnum:24}}")
GITHUB = github_token(3)
TWILIO = fill("{{hex:32}}", seed=9)
SID = "AC" + fill("{{hex:32}}", seed=4)
TREE = {
    "a/.env": f"STRIPE_KEY={STRIPE}\n",
    "b/config.py": f"key = '{STRIPE}'\n",
    "c/ci.yml": f"env:\n  GITHUB_TOKEN: {GITHUB}\n",
    "d/.env": f"TWILIO_ACCOUNT_SID={SID}\nTWILIO_AUTH_TOKEN={TWILIO}\n",
}
ACCOUNTS = {
    "api.stripe.com": {"object": "account", "id": "acct_1", "email": "ada@widgets.test"},
    "api.github.com": {"login": "ada", "id": 7, "type": "User"},
    "api.twilio.com": {"first_page_uri": "/x", "accounts": [{"sid": "x"}]},
}


def alive(asked: Asked) -> Say:
    """An issuer that knows every real secret and no impossible one."""
    if "unsealed0" in asked.whole():
        return Say(401, b'{"message": "Bad credentials"}')
    return Say(200, json.dumps(ACCOUNTS.get(asked.host, {})).encode())


@pytest.fixture
def state() -> Iterator[Path]:
    """The state folder of the test session: the compiled rules hang on it too."""
    folder = Path(state_path())

    def forget() -> None:
        for file in (*folder.glob("verify-*"), *folder.glob("verdicts.*")):
            shutil.rmtree(file) if file.is_dir() else file.unlink()

    forget()
    yield folder
    forget()


@pytest.fixture
def issuers(provider: Provider, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Every host is this server; the rest of the transport is the real one."""

    def transport(log: RequestLog, options: Options) -> Anywhere:
        return Anywhere(provider, log, dataclasses.replace(options, ca_file=authority.ca_file))  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "Transport", transport)
    provider.behave = alive
    return provider


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "tree"


Run = Callable[..., dict[str, dict[str, object]]]


@pytest.fixture
def run(tree: Path, state: Path, tmp_path: Path) -> Run:
    """Scan the tree; the findings by rule."""

    def scan(*options: str, command: str = "scan") -> dict[str, dict[str, object]]:
        out = tmp_path / "report.json"
        target = tree if command == "scan" else out
        code = main([command, str(target), "-f", "json", "-o", str(out), *options])
        assert code in (0, 1), code
        return {finding["rule"]: finding for finding in json.loads(out.read_text())["findings"]}

    return scan


def real(provider: Provider) -> list[Asked]:
    """Requests with a real secret."""
    return [a for a in provider.asked if any(s in a.whole() for s in (STRIPE, GITHUB, TWILIO))]


def verdict(findings: dict[str, dict[str, object]], rule: str) -> dict[str, object]:
    return findings[rule]["verification"]  # type: ignore[return-value]


def test_nothing_is_sent_unless_asked(run: Run, issuers: Provider, state: Path) -> None:
    findings = run()

    assert {verdict(findings, rule)["status"] for rule in findings} == {"not-tried"}
    assert not issuers.asked
    assert not (state / "verify-requests.jsonl").exists()


def test_what_was_found_is_asked_about_and_told(run: Run, issuers: Provider) -> None:
    findings = run("--verify")

    stripe = verdict(findings, "stripe-live-secret-key")
    assert stripe["status"] == "active"
    assert verdict(findings, "github-classic-token")["identity"] == "ada"
    assert findings["stripe-live-secret-key"]["severity"] in ("high", "critical")
    assert {asked.host for asked in real(issuers)} == set(ACCOUNTS)


def test_a_companion_of_the_file_goes_with_its_secret(run: Run, issuers: Provider) -> None:
    findings = run("--verify", "--only", "twilio")

    assert verdict(findings, "twilio-account-auth-token")["status"] == "active"
    (asked,) = [a for a in real(issuers) if a.host == "api.twilio.com"]
    assert f"{SID}:{TWILIO}" in asked.whole()


def test_each_distinct_secret_is_asked_about_once_a_run(run: Run, issuers: Provider) -> None:
    run("--verify")

    for secret in (STRIPE, GITHUB, TWILIO):
        assert len([a for a in issuers.asked if secret in a.whole()]) == 1


def test_it_is_not_asked_again_within_the_lifetime(run: Run, issuers: Provider) -> None:
    first = run("--verify")
    issuers.asked.clear()
    second = run("--verify")
    third = run("--verify", command="verify")

    assert not issuers.asked
    for again in (second, third):
        for rule in first:
            assert verdict(again, rule) == verdict(first, rule)


def test_it_is_asked_again_after_the_lifetime(run: Run, issuers: Provider) -> None:
    run("--verify")
    issuers.asked.clear()
    run("--verify", "--verdict-lifetime", "0")

    assert len(real(issuers)) == 3


def test_a_report_is_asked_about_later(run: Run, issuers: Provider) -> None:
    run()
    findings = run(command="verify")

    assert verdict(findings, "stripe-live-secret-key")["status"] == "active"
    assert verdict(findings, "twilio-account-auth-token")["status"] == "active"


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        pytest.param(["--only", "stripe"], {"api.stripe.com"}, id="only"),
        pytest.param(["--only", "stripe,github"], {"api.stripe.com", "api.github.com"}, id="both"),
        pytest.param(["--skip", "twilio"], {"api.stripe.com", "api.github.com"}, id="skip"),
    ],
)
def test_only_and_skip_choose_providers(
    run: Run, issuers: Provider, options: list[str], hosts: set[str]
) -> None:
    findings = run("--verify", *options)

    assert {asked.host for asked in issuers.asked} == hosts
    assert verdict(findings, "twilio-account-auth-token")["status"] == "not-tried"


@pytest.mark.parametrize("option", ["--only", "--skip"])
def test_a_provider_that_is_not_there_is_an_error_before_anything_is_read(
    tree: Path, issuers: Provider, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", str(tree), "--verify", option, "strype"]) == 2
    assert "strype" in capsys.readouterr().err
    assert not issuers.asked


def test_a_plan_sends_nothing_and_leaves_no_log(
    run: Run, issuers: Provider, tmp_path: Path, state: Path
) -> None:
    findings = run("--plan", "--verify")
    notices = "\n".join(json.loads((tmp_path / "report.json").read_text())["summary"]["notices"])

    assert not issuers.asked
    assert not (state / "verify-requests.jsonl").exists()
    assert "GET https://api.stripe.com/v1/account" in notices
    assert notices.count("api.twilio.com") >= 1
    assert not any(secret in notices for secret in (STRIPE, GITHUB, TWILIO, SID))
    assert {verdict(findings, rule)["status"] for rule in findings} == {"not-tried"}


def test_a_plan_names_every_host_that_is_then_asked(
    run: Run, issuers: Provider, tmp_path: Path
) -> None:
    run("--plan")
    notices = "\n".join(json.loads((tmp_path / "report.json").read_text())["summary"]["notices"])
    run("--verify")

    assert all(f"https://{asked.host}/" in notices for asked in issuers.asked)


def test_the_budget_bounds_the_requests_and_loses_no_finding(run: Run, issuers: Provider) -> None:
    everything = set(run())
    findings = run("--verify", "--budget", "3")

    assert len(issuers.asked) <= 3
    assert set(findings) == everything
    reasons = {str(verdict(findings, rule).get("reason")) for rule in findings}
    assert any("budget" in reason for reason in reasons)
    assert "inactive" not in {verdict(findings, rule)["status"] for rule in findings}


@pytest.mark.parametrize(
    "words", [("--budget", "-5"), ("--verdict-lifetime", "-1"), ("--verdict-lifetime", "nan")]
)
def test_a_limit_that_is_none_is_told_before_anything_is_read(
    tree: Path, issuers: Provider, words: tuple[str, str]
) -> None:
    assert main(["scan", str(tree), "--verify", f"{words[0]}={words[1]}"]) == 2
    assert not issuers.asked


def test_every_request_is_logged_and_no_secret(run: Run, issuers: Provider, state: Path) -> None:
    run("--verify")

    text = (state / "verify-requests.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert sorted((a.host, a.method) for a in issuers.asked) == sorted(
        (line["host"], line["method"]) for line in lines
    )
    assert len(lines) == len(issuers.asked)
    assert {line["outcome"] for line in lines} == {200, 401}
    assert not any(secret in text for secret in (STRIPE, GITHUB, TWILIO, SID))
    assert len([line for line in lines if line["finding"] == "calibration"]) == len(lines) - 3


def test_without_a_log_nothing_is_read_or_sent(tree: Path, issuers: Provider, state: Path) -> None:
    state.mkdir(parents=True, exist_ok=True)
    (state / "verify-requests.jsonl").mkdir()

    assert main(["scan", str(tree), "--verify"]) == 2
    assert not issuers.asked


def test_a_wrong_proxy_is_told_before_anything_is_read(
    tree: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", str(tree), "--verify", "--proxy", "socks5://x"]) == 2
    assert "--proxy" in capsys.readouterr().err


def test_a_hook_never_verifies(
    repository: Callable[..., Repository], issuers: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = repository()

    assert main(["staged", str(repo.path), "--verify"]) == 2
    assert "hook" in capsys.readouterr().err
    assert not issuers.asked


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Say(fault="reset"), id="reset"),
        pytest.param(Say(500), id="failing"),
        pytest.param(Say(429, headers={"Retry-After": "9999"}), id="limited"),
        pytest.param(Say(200, b"<html>Sign in", kind="text/html"), id="portal"),
        pytest.param(Say(302, headers={"Location": "https://evil.test/"}), id="redirect"),
        pytest.param(Say(200, b'{"id": 1, "login": "x"}'), id="accepts everything"),
        pytest.param(Say(200, b'{"id": 1', fault="truncated"), id="truncated"),
    ],
)
def test_what_proves_nothing_is_unknown_and_every_finding_is_there(
    run: Run, issuers: Provider, fault: Say
) -> None:
    everything = set(run())
    issuers.behave = lambda asked: fault
    findings = run("--verify")

    assert set(findings) == everything
    assert {verdict(findings, rule)["status"] for rule in findings} <= {"unknown", "not-tried"}
    assert all(verdict(findings, rule).get("reason") for rule in findings)


def test_a_dead_one_ranks_low_and_fails_still(run: Run, issuers: Provider, tree: Path) -> None:
    issuers.behave = lambda asked: Say(401, b'{"message": "Bad credentials"}')
    findings = run("--verify", "--only", "github")

    assert verdict(findings, "github-classic-token")["status"] == "inactive"
    assert findings["github-classic-token"]["severity"] == "low"
    assert main(["scan", str(tree), "--verify", "--only", "github", "-o", "/dev/null"]) == 1


@pytest.mark.parametrize(
    "form", ["terminal", "html", "markdown", "csv", "gitlab", "junit", "sarif", "github"]
)
def test_every_report_tells_a_live_one(
    tree: Path, state: Path, issuers: Provider, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    main(["scan", str(tree), "--verify", "--only", "stripe", "-f", form, "-o", str(out)])
    text = out.read_text()

    live = {"sarif": "stripe-live-secret-key-active", "csv": "active", "gitlab": "Critical"}
    assert live.get(form, "LIVE" if "LIVE" in text else "live") in text
    assert STRIPE not in text
