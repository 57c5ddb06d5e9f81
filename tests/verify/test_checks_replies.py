"""
Every declared check through the real transport, against a server of our own:
what each answer makes of a credential.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner.model import Status, Verification
from scanner.verify.checks import Check
from scanner.verify.checks_link import is_pair
from scanner.verify.declarative import CALIBRATION, Declarative
from scanner.verify.registry import Consent
from scanner.verify.transport import Transport
from tests.verify.cases import (
    FOLDER,
    SECRET,
    all_checks,
    finding_for,
    reply_for,
    rule_for,
    sample,
    wanting,
)
from tests.verify.conftest import Notes
from tests.verify.provider import Asked, Provider, Say

CHECKS = all_checks()
# A few in the fast suite, every one of them in the slow one.
SOME = sample(CHECKS, 50)
which = pytest.mark.parametrize(
    "checks",
    [pytest.param(SOME, id="some"), pytest.param(CHECKS, id="all", marks=pytest.mark.slow)],
)
EVERYTHING = Consent(found_hosts=True, login=True, costs=True, canaries=True)


class OneCheck(Declarative):
    """The room with one check in it, so that no other answers for it."""

    def __init__(self, check: Check) -> None:
        super().__init__([FOLDER], lambda _: rule_for(check))
        self._checks[check.provider] = (check,)


def verdict_of(check: Check, transport: Transport) -> Verification:
    return OneCheck(check).verify(finding_for(check), transport, EVERYTHING)


def honest(check: Check, provider: Provider, answer: Say) -> None:
    """The server gives `answer` to the secret, and refuses what cannot exist."""

    def behave(asked: Asked) -> Say:
        return Say(401, b'{"message": "bad"}') if "unsealed0" in asked.whole() else answer

    provider.behave = behave


def test_there_are_as_many_as_promised() -> None:
    harmless = {check.provider for check in CHECKS if not check.needs}
    every = {check.provider for check in CHECKS}

    assert len(harmless) >= 750
    assert len(every) >= 830


def test_the_documentation_tells_the_numbers() -> None:
    text = (FOLDER.parents[1] / "docs" / "verification.md").read_text()
    harmless = {check.provider for check in CHECKS if not check.needs}
    every = {check.provider for check in CHECKS}
    alone = [check for check in CHECKS if not is_pair(check)]
    plain = sum(any(not c.is_named for c in check.inactive) for check in alone)

    assert f"{len(CHECKS):,} declared checks for {len(every)} providers" in text
    assert f"for {len(harmless)} providers without a flag" in text
    assert f"{plain} checks can say `inactive` on a plain 401" in text


def test_ids_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


@which
def test_what_is_stated_as_accepted_is_active(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider
) -> None:
    transport = anywhere(allow_found_hosts=True)
    wrong = []
    for check in checks:
        for condition in check.active:
            honest(check, provider, reply_for(condition))
            verdict = verdict_of(check, transport)
            if verdict.status is not Status.ACTIVE:
                wrong.append((check.id, condition, verdict.reason))
    assert not wrong


@which
def test_what_is_stated_as_refused_is_inactive_but_for_pairs(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider
) -> None:
    transport = anywhere(allow_found_hosts=True)
    wrong = []
    for check in checks:
        for condition in check.inactive:
            honest(check, provider, reply_for(condition))
            verdict = verdict_of(check, transport)
            expected = Status.UNKNOWN if is_pair(check) else Status.INACTIVE
            if verdict.status is not expected:
                wrong.append((check.id, condition, verdict.reason))
    assert not wrong


@which
def test_a_plain_401_is_inactive_only_where_it_is_stated(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider
) -> None:
    transport = anywhere(allow_found_hosts=True)
    provider.behave = lambda asked: Say(401, b'{"message": "bad"}')
    wrong = []
    for check in checks:
        stated = any(c.status == (401,) and not c.is_named for c in check.inactive)
        stated = stated and not is_pair(check)
        status = verdict_of(check, transport).status
        if status is not (Status.INACTIVE if stated else Status.UNKNOWN):
            wrong.append((check.id, status))
    assert not wrong


@pytest.mark.parametrize("name", [name for name, _ in wanting(CHECKS[0])])
@which
def test_what_proves_nothing_is_unknown(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider, name: str
) -> None:
    transport = anywhere(allow_found_hosts=True)
    wrong = []
    for check in checks:
        answer = dict(wanting(check))[name]
        honest(check, provider, answer)
        status = verdict_of(check, transport).status
        if status is Status.INACTIVE or (status is Status.ACTIVE and not _stated(check, answer)):
            wrong.append((check.id, status))
    assert not wrong


def _stated(check: Check, answer: Say) -> bool:
    return any(answer.status in c.status and not c.is_named for c in check.active)


@which
def test_a_provider_that_takes_anything_proves_nothing(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider
) -> None:
    transport = anywhere(allow_found_hosts=True)
    wrong = []
    for check in checks:
        answer = reply_for(check.active[0])
        provider.behave = lambda asked, answer=answer: answer
        verdict = verdict_of(check, transport)
        if verdict.status is not Status.UNKNOWN:
            wrong.append((check.id, verdict))
    assert not wrong


@which
def test_nothing_writes_and_the_secret_goes_to_the_declared_host_alone(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider, notes: Notes
) -> None:
    transport = anywhere(allow_found_hosts=True)
    wrong = []
    for check in checks:
        provider.asked.clear()
        honest(check, provider, Say(200, b"{}"))
        verdict_of(check, transport)
        for asked in provider.asked:
            fixed = "{" in check.host() or asked.host == check.host()
            if (
                asked.method != check.method
                or asked.method not in {"GET", "HEAD", "POST"}
                or not fixed
            ):
                wrong.append((check.id, asked))
        if not any(SECRET in asked.whole() for asked in provider.asked):
            wrong.append((check.id, "the secret was not sent"))
    assert not wrong
    assert SECRET not in repr(notes.lines)
    assert {line["finding"] for line in notes.lines} > {CALIBRATION}


@which
def test_without_consent_only_the_harmless_are_asked(
    checks: list[Check], anywhere: Callable[..., Transport], provider: Provider
) -> None:
    transport = anywhere()
    for check in checks:
        provider.asked.clear()
        verdict = OneCheck(check).verify(finding_for(check), transport, Consent())
        assert bool(provider.asked) is not bool(check.needs), check.id
        assert (verdict.status is Status.NOT_TRIED) is bool(check.needs), check.id
