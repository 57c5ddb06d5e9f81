"""
Checks that can be used: a shipped rule finds the secret and its companions in an
ordinary file, and the check can be rendered with them.
"""

from __future__ import annotations

import pytest

from scanner.verify.checks_link import serves
from tests.verify.cases import FOLDER, all_checks
from tests.verify.usable import engine, providers

# The values are found by code of their own, or stand in another file.
BY_CODE = {"aws", "azure", "gcp", "google", "vault", "kubernetes"}
CANNOT = {"configcat": "the key holds a slash, which may not stand in a path"}


@pytest.mark.parametrize(
    ("flags", "least"), [pytest.param(False, 750, id="default"), pytest.param(True, 830, id="all")]
)
def test_so_many_providers_can_be_asked_end_to_end(flags: bool, least: int) -> None:
    assert len(providers(with_flags=flags)) >= least


def test_the_documentation_tells_how_many() -> None:
    text = (FOLDER.parents[1] / "docs" / "verification.md").read_text()
    default, every = len(providers(with_flags=False)), len(providers(with_flags=True))

    assert f"{every} of them can be used end to end, {default} without a flag" in text


def test_every_provider_with_a_default_check_can_be_asked() -> None:
    declared = {check.provider for check in all_checks() if not check.needs}

    assert declared - providers(with_flags=False) - BY_CODE - set(CANNOT) == set()


def test_every_check_has_a_rule_that_finds_its_secret() -> None:
    finders = {rule.provider for rule in engine().plan.rules if rule.secret_part}

    assert {check.provider for check in all_checks()} - finders == set()


def test_every_companion_of_a_check_is_one_that_a_rule_looks_for() -> None:
    sought: dict[str, set[str]] = {}
    for rule in engine().plan.rules:
        sought.setdefault(rule.provider, set()).update(spec.name for spec in rule.companions)
    lacking = {
        check.id: names
        for check in all_checks()
        if check.provider not in BY_CODE
        and any(serves(check, r) for r in engine().plan.rules if r.provider == check.provider)
        and (names := check.companions() - {"dc"} - sought.get(check.provider, set()))
    }
    assert lacking == {}
