"""
What the form of a value and the provider's word in its name add to the score.
"""

from __future__ import annotations

import pytest

from scanner.detect import judging
from scanner.detect.engine import Engine
from scanner.detect.plan import Plan
from scanner.detect.registry import Judgement
from scanner.model import Confidence, Document, Place, Severity
from scanner.ruleset.schema import Keyed, Rule
from scanner.sources.batch import ListBatch
from tests.lookalikes import fill

RULE = Rule(
    id="keyed",
    title="a keyed rule",
    provider="acme",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    remediation="none",
    origin="test",
    keyed=Keyed(words=("acmerocket",), value="[0-9a-f]{32}"),
    judged=True,
)
ENGINE = Engine(Plan.make([RULE], code=False))


class _Unsure:
    def judge(self, evidence: list[object]) -> list[Judgement]:
        return [Judgement(score=0.4, reasons=()) for _ in evidence]


def score(text: str) -> float:
    batch = ListBatch([(Document(Place.FILE, b"a.txt", "b0"), fill(text).encode())])
    (match,) = ENGINE.scanner().scan(batch)
    return match.score


@pytest.fixture(autouse=True)
def unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "load_judge", _Unsure)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ACMEROCKET_KEY={{hex:32}}", id="assigned"),
        pytest.param('{"acmerocket_token": "{{hex:32}}"}', id="a member"),
        pytest.param("acmerocket token {{hex:32}}", id="only blanks"),
        pytest.param("acmerocketKey := `{{hex:32}}`", id="declared"),
    ],
)
def test_a_value_given_to_a_name_with_the_word_in_it_counts_for_more(text: str):
    assert score(text) > 0.6


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("https://acmerocket.dev/{{hex:32}}", id="a path"),
        pytest.param("see acmerocket; commit {{hex:32}}", id="another sentence"),
        pytest.param('import acmerocket\nx = "{{hex:32}}"', id="another line"),
    ],
)
def test_a_value_that_only_stands_near_the_word_does_not(text: str):
    assert score(text) == pytest.approx(0.4)


def test_a_name_that_says_key_weighs_more_than_the_word_alone():
    assert score("acmerocket_key = {{hex:32}}") > score("acmerocket = {{hex:32}}") > 0.4
