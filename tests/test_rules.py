"""
The shipped packs: what must hold for every rule.
"""

from __future__ import annotations

import collections
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from scanner.detect.checksums import CHECKSUMS, MAKERS
from scanner.ruleset.loading import load_rules
from tests.lookalikes import fill

ROOT = Path(__file__).parents[1]
RULES_FOLDER = ROOT / "rules"
WITHOUT_EXAMPLES = {"sealed", "generic"}
"""Detectors with tables of their own."""


@cache
def rules():
    return load_rules([RULES_FOLDER])


def problems_of(problem):
    return {rule.id: found for rule in rules() if (found := problem(rule))}


def test_there_are_a_thousand_rules_of_nine_hundred_providers():
    assert len(rules()) >= 1000
    assert len({rule.provider for rule in rules()}) >= 900


def test_every_id_starts_with_its_pack_or_a_name_of_it():
    odd = [rule.id for rule in rules() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)]
    assert not odd


def test_every_title_belongs_to_one_rule():
    titles = collections.Counter(rule.title for rule in rules())
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_rule_says_how_to_rotate():
    assert problems_of(lambda rule: len(rule.remediation) < 30 and rule.remediation) == {}


def test_every_rule_has_two_examples_and_two_counter_examples():
    def lacks(rule):
        if rule.detector in WITHOUT_EXAMPLES:
            return None
        return (len(rule.examples), len(rule.counter_examples)) < (2, 2) and "too few"

    assert problems_of(lacks) == {}


def test_every_checksum_exists():
    def unknown(rule):
        return rule.checksum is not None and rule.checksum not in CHECKSUMS and rule.checksum

    assert problems_of(unknown) == {}


def test_every_example_can_be_filled():
    for rule in rules():
        for example in (*rule.examples, *rule.counter_examples):
            assert fill(example, checksums=MAKERS)


def test_every_example_of_a_pattern_holds_an_anchor():
    def without(rule):
        if rule.pattern is None:
            return None
        anchors = [anchor.lower() for anchor in rule.anchors]
        texts = [fill(example, checksums=MAKERS).lower() for example in rule.examples]
        return [text for text in texts if not any(anchor in text for anchor in anchors)]

    assert problems_of(without) == {}


@pytest.mark.parametrize(
    "part",
    [r"\(\?<[=!]", r"\\[1-9]", r"(?<!\\)\.\*(?!\?)"],
    ids=["look-behind", "back-reference", "open dot"],
)
def test_no_pattern_has(part):
    def found(rule):
        outside_classes = re.sub(r"\[(?:\\.|[^\]\\])+\]", "[]", rule.pattern or "")
        return re.search(part, outside_classes) and rule.pattern

    assert problems_of(found) == {}


def test_no_reference_is_anything_but_https_or_http():
    def odd(rule):
        return [url for url in rule.references if not url.startswith(("https://", "http://"))]

    assert problems_of(odd) == {}


def test_no_pack_holds_a_token_shaped_literal():
    # A long run of mixed characters; templates and patterns break theirs up.
    run = re.compile(
        r"(?<![A-Za-z0-9+/=_-])(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{28,}"
    )
    found = {}
    for file in RULES_FOLDER.glob("*.yml"):
        for line in file.read_text().splitlines():
            text = line.split("pattern:")[0] if "pattern:" in line else line
            for match in run.findall(text):
                if (
                    "x" * 8 not in match
                    and not match.startswith("eyJ")
                    and not line.lstrip().startswith(("- http", "anchors"))
                ):
                    found.setdefault(file.name, []).append(match)
    assert found == {}


def test_the_documentation_is_made_from_the_packs():
    spec = importlib.util.spec_from_file_location("build_rules", ROOT / "docs" / "build_rules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = ROOT / "docs" / "rules"
    there = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}
    stale = {name for name, text in module.pages(rules()).items() if there.get(name) != text}
    assert stale == set(), "run `python docs/build_rules.py`"
