"""
Packs: what is wrong is told with file, rule and problem.
"""

from __future__ import annotations

import pytest

from scanner.errors import ConfigError
from scanner.model import Confidence, Severity
from scanner.ruleset.loading import load_rules, parse_pack
from scanner.ruleset.table import RuleTable

GOOD = """
provider: acme
remediation: Revoke it.
rules:
  - id: acme-token
    title: Acme token
    severity: high
    confidence: medium
    pattern: '(?P<secret>acme_[a-z0-9]{10})'
    anchors: [acme_]
    companions:
      - {name: id, pattern: '(?P<value>[0-9]+)'}
"""


def test_a_pack_becomes_rules():
    (rule,) = parse_pack(GOOD, "acme.yml")
    assert (rule.provider, rule.severity, rule.confidence) == (
        "acme",
        Severity.HIGH,
        Confidence.MEDIUM,
    )
    assert rule.remediation == "Revoke it."
    assert rule.companions[0].within == 400


def test_a_rule_survives_being_packed():
    rules = parse_pack(GOOD, "acme.yml")
    assert list(RuleTable.of(rules)) == rules


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("title:", "titel:", "unknown key 'titel'", id="unknown key"),
        pytest.param("    title: Acme token\n", "", "`title` is missing", id="missing key"),
        pytest.param("high", "huge", "must be one of low, medium", id="unknown severity"),
        pytest.param("[acme_]", "[ac]", "shorter than 3", id="short anchor"),
        pytest.param("[acme_]", "[]", "`anchors` is empty", id="no anchor"),
        pytest.param("[acme_]", "acme_", "must be a list of texts", id="text for list"),
        pytest.param("<secret>", "<token>", "no group named `secret`", id="no secret group"),
        pytest.param("[a-z0-9]{10}", "[a-z0-9{10}", "is no pattern", id="broken pattern"),
        pytest.param("<value>", "<val>", "no group named `value`", id="no value group"),
        pytest.param("acme-token", "Acme_Token", "lower-case words", id="bad id"),
        pytest.param("    anchors", "    detector: jwt\n    anchors", "exactly one", id="two ways"),
        pytest.param("anchors", "title: again\n    anchors", "stands twice", id="second key"),
        pytest.param("provider: acme", "provider: acme\nowner: me", "'owner'", id="pack key"),
    ],
)
def test_what_is_wrong_is_named(old, new, problem):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse_pack(GOOD.replace(old, new, 1), "acme.yml")
    assert "acme.yml" in str(caught.value)
    assert problem in str(caught.value)


def test_one_id_in_two_packs_is_told(tmp_path):
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"b\.yml.*acme-token.*a\.yml"):
        load_rules([tmp_path])


def test_checks_beside_the_packs_are_no_packs(tmp_path):
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "acme.yml").write_text("not: a pack")
    (tmp_path / "acme.yml").write_text(GOOD)
    assert len(load_rules([tmp_path])) == 1
