"""
A hostile file for every provider: whatever stands in a companion's place, no request
goes astray, and no secret to an address inside the house.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from scanner.detect.checksums import MAKERS
from scanner.model import Finding, Status
from scanner.ruleset.schema import Rule
from scanner.verify.checks import Check
from scanner.verify.declarative import Declarative
from scanner.verify.transport import Limits, Options, Transport
from tests.lookalikes import fill
from tests.verify.cases import FOLDER, all_checks
from tests.verify.conftest import Notes
from tests.verify.provider import Provider, Say
from tests.verify.test_checks_hostile import ATTACKS, EVERYTHING, astray
from tests.verify.usable import Sample, beside, engine, finding_of, scan

INSIDE = (
    "169.254.169.254", "127.0.0.1", "[::1]", "10.0.0.1", "100.64.0.1", "192.168.1.1:8080",
    "metadata.google.internal", "metadata.widgets.test", "0x7f.1", "127.1",
)  # fmt: skip
which = pytest.mark.parametrize(
    "step",
    [pytest.param(7, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)],
)


def chosen(step: int) -> list[Rule]:
    """Every so many rules that have companions and somebody to ask."""
    asked = {check.provider for check in all_checks()}
    rules = [
        rule
        for rule in engine().plan.rules
        if rule.companions and rule.provider in asked and rule.examples and rule.secret_part
    ]
    return rules[::step]


def hostile(rules: Iterable[Rule], values: Iterable[str]) -> Iterator[Sample]:
    """Files in which every companion is set to the same hostile value, plain and quoted."""
    for rule in rules:
        example = fill(rule.examples[0], checksums=MAKERS)
        names = [name.upper() for name, _, _ in beside(rule).values()]
        for value in values:
            for form in ("{}={}", '{}: "{}"', "{}=https://{}/"):
                lines = [form.format(name, value) for name in names]
                text = "\n".join([*lines, example, ""])
                yield Sample(rule, "env", text.encode("utf-8", "surrogatepass"), {})


def found(samples: list[Sample]) -> list[Finding]:
    """What is found in them, each kind once."""
    rows: dict[object, Finding] = {}
    for _, match in scan(samples):
        finding = finding_of(match)
        rows.setdefault((finding.rule_id, finding.secret, finding.companions), finding)
    return list(rows.values())


@which
def test_a_hostile_companion_leads_nowhere(
    step: int, anywhere: Callable[..., Transport], provider: Provider, notes: Notes
) -> None:
    provider.behave = lambda asked: Say(302, headers={"Location": "https://169.254.169.254/"})
    transport = anywhere(allow_found_hosts=True)
    rules = chosen(step)
    checks: dict[str, list[Check]] = {}
    for check in all_checks():
        checks.setdefault(check.provider, []).append(check)
    findings = found(list(hostile(rules, ATTACKS.values())))
    room = Declarative([FOLDER], engine().rule)
    wrong = []
    for finding in findings:
        provider.asked.clear()
        verdict = room.verify(finding, transport, EVERYTHING)
        if verdict.status in (Status.ACTIVE, Status.INACTIVE):
            wrong.append((finding.rule_id, verdict.status.value))
        wrong += [
            (finding.rule_id, asked.host + asked.target)
            for asked in provider.asked
            if all(astray(check, asked) for check in checks[finding.provider])
        ]
    assert len(findings) > len(rules)
    assert not wrong
    paths = {str(line["path"]) for line in notes.lines}
    assert paths <= {check.path() for check in all_checks()}


@which
def test_no_file_leads_a_secret_inside_the_house(step: int, notes: Notes) -> None:
    def resolve(name: str, port: int) -> list[str]:
        inside = name.startswith("metadata.")
        return ["169.254.169.254"] if inside else [name] if name[0].isdigit() else ["127.0.0.1"]

    transport = Transport(
        notes, Options(allow_found_hosts=True, limits=Limits(tries=1)), resolve=resolve
    )
    room = Declarative([FOLDER], engine().rule)
    findings = found(list(hostile(chosen(step), INSIDE)))
    assert sum(c.name == "host" for finding in findings for c in finding.companions) > 100 / step
    for finding in findings:
        verdict = room.verify(finding, transport, EVERYTHING)
        assert verdict.status in (Status.UNKNOWN, Status.NOT_TRIED), finding.rule_id
    assert not notes.lines
