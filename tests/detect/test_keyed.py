"""
Keyed rules: which names count, and where they may stand.
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.engine import Engine
from scanner.detect.keyed import KeyedMatcher, Pair, word_pattern
from scanner.detect.patterns import compiled
from scanner.detect.plan import KEYED, Plan
from scanner.model import Confidence, Document, Place, Severity
from scanner.ruleset.schema import Keyed, Rule
from scanner.ruleset.table import RuleTable
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
    keyed=Keyed(words=("acmerocket",), value="[0-9a-f]{32}", names=("key", "secret")),
)
ENGINE = Engine(Plan.make([RULE], code=False))


def found(text: str) -> int:
    batch = ListBatch([(Document(Place.FILE, b"a.txt", "b0"), fill(text).encode())])
    return len(ENGINE.scanner().scan(batch))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ACMEROCKET_KEY={{hex:32}}", id="between"),
        pytest.param("acmerocket: {{hex:32}}", id="given to the word itself"),
        pytest.param("acmerocket = '{{hex:32}}'", id="given to the word itself, quoted"),
        pytest.param("acmerocket => {{hex:32}}", id="an arrow"),
        pytest.param("proceed to acmerocket:\n\n{{hex:32}}\n", id="on the line after"),
        pytest.param("acmerocket_key = {{hex:32}}==", id="padded"),
        pytest.param("acmerocket2 = '{{hex:32}}'", id="numbered"),
        pytest.param("acmerocket.io: {{hex:32}}", id="its domain"),
        pytest.param("AcmerocketAPI = '{{hex:32}}'", id="its name goes on"),
        pytest.param("<secret>{acmerocket AB {{hex:32}}}</secret>", id="ahead of the word"),
    ],
)
def test_a_wanted_name_may_stand_around_the_word_or_the_word_be_the_name(text: str):
    assert found(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("acmerocket build {{hex:32}}", id="another word between"),
        pytest.param("acmerocket/blob/{{hex:32}}", id="a path"),
        pytest.param("acmerocket_key = {{hex:32}}=a", id="a longer value"),
        pytest.param("acmerocket_key = {{hex:32}}===", id="a line of a heading"),
        pytest.param("acmerocket_key = '?{{hex:32}}'", id="the rest of a longer value"),
        pytest.param("secret\nacmerocket x {{hex:32}}", id="on the line before"),
        pytest.param("key" + "." * 30 + "acmerocket x {{hex:32}}", id="too far ahead"),
    ],
)
def test_without_a_wanted_name_there_is_no_match(text: str):
    assert found(text) == 0


COMMON = Rule(
    id="common",
    title="a keyed rule with a common word",
    provider="coda",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    remediation="none",
    origin="test",
    keyed=Keyed(words=("coda",), value="[0-9a-f]{32}"),
)
NAMED = Rule(
    id="named",
    title="what hits where something is named like a credential",
    provider="generic",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    remediation="none",
    origin="test",
    detector="generic",
)
NEAR_NAMES = Engine(Plan.make([COMMON, NAMED], code=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("coda_secret-{{hex:32}}", 1, id="a dash"),
        pytest.param("codaKEY {{hex:32}}", 1, id="a blank"),
        pytest.param("coda PRIVATE-key-{{hex:32}}", 1, id="two names"),
        pytest.param("coda='{{hex:32}}'", 1, id="given to the word itself"),
        pytest.param("coda '{{hex:32}}'", 1, id="behind the word itself"),
        pytest.param("coda build {{hex:32}}", 0, id="no name"),
        pytest.param("barracoda={{hex:32}}", 0, id="part of another word"),
    ],
)
def test_a_common_word_is_looked_for_where_a_name_stands_before_a_value(text: str, expected: int):
    batch = ListBatch([(Document(Place.FILE, b"a.txt", "b0"), fill(text).encode())])
    found = NEAR_NAMES.scanner().scan(batch)
    assert [match.rule_id for match in found].count("common") == expected


OLD = Engine(
    Plan.make(
        [
            dataclasses.replace(
                RULE, keyed=Keyed(words=("acmerocket",), value="[0-9A-Za-z_-]{20,22}")
            )
        ],
        code=False,
    )
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("CONFIGURE_OAUTH2_APPS", 0, id="a constant"),
        pytest.param("configure_oauth_cas3_x", 1, id="a part of one letter"),
        pytest.param("configure_oauth_cas3x2", 1, id="a part that goes on behind a digit"),
        pytest.param("configure_oauths_cas3", 0, id="a function"),
        pytest.param("passport-github-oauth", 0, id="a package"),
        pytest.param("GoogleOauth2LoginForm", 0, id="a class"),
        pytest.param("330v991h330zM370h12v9", 0, id="a path of a picture"),
        pytest.param("330v991h330zM370hKv9x", 1, id="hardly a path of a picture"),
        pytest.param("{{alnum:9}}_{{alnum:10}}", 1, id="chance"),
    ],
)
def test_the_name_of_a_variable_is_no_value(value: str, expected: int):
    batch = ListBatch(
        [(Document(Place.FILE, b"a.txt", "b0"), fill(f"acmerocket_key={value}").encode())]
    )
    assert len(OLD.scanner().scan(batch)) == expected


FLOORED = Engine(Plan.make([dataclasses.replace(RULE, entropy=3.2)], code=False))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("acmerocket_key = " + "7f3a9c" * 5 + "7f", 1, id="named"),
        pytest.param("acmerocket = " + "7f3a9c" * 5 + "7f", 0, id="not named"),
        pytest.param("acmerocket_key = " + "7f3a" * 8, 0, id="over and over"),
    ],
)
def test_the_floor_is_lower_where_a_name_says_what_it_is(text: str, expected: int):
    batch = ListBatch([(Document(Place.FILE, b"a.txt", "b0"), text.encode())])
    assert len(FLOORED.scanner().scan(batch)) == expected


@given(
    st.lists(st.sampled_from(["acme", "AcMe", "rocket", "acmerocket", "-", " ", "x", "K"]), max_size=9),
    st.sampled_from(["acme", "acmerocket", "acme rocket", "acme2"]),
)  # fmt: skip
def test_the_nearest_word_is_the_last_that_its_pattern_finds(parts: list[str], word: str):
    data = "".join(parts).encode() + b"v"
    start = len(data) - 1
    pair = Pair(word, "v", 12, ())
    low = max(0, start - 12 - 2 * len(word))
    plainly = compiled(word_pattern(word), "ir").search(data, low, start)
    told = KeyedMatcher(RuleTable.of([]), [[pair]])._word(data, start, pair)
    assert told == (plainly and plainly.span())


GIT = Engine(
    Plan.make(
        [
            dataclasses.replace(
                RULE,
                keyed=Keyed(
                    words=("acmerocket",), value="[0-9a-f]{40}", names=("token", "pat", "auth")
                ),
            )
        ],
        code=False,
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('"path": "acmerocket/a.go",\n"sha": "{{hex:40}}"', 0, id="a digest"),
        pytest.param("acmerocket/token/blobs/{{hex:40}}", 0, id="an address of a git object"),
        pytest.param("acmerocket_token_commit = {{hex:40}}", 0, id="a commit"),
        pytest.param('"path": "acmerocket", x {{hex:40}}', 0, id="a path is no PAT"),
        pytest.param("author: acmerocket x {{hex:40}}", 0, id="an author has no auth"),
        pytest.param("acmerocket_pat = {{hex:40}}", 1, id="a PAT"),
        pytest.param("authorization: acmerocket x {{hex:40}}", 1, id="an authorization"),
        pytest.param('acmerocket {"token": "{{hex:40}}"}', 1, id="a token"),
    ],
)
def test_names_of_git_objects_are_no_tokens(text: str, expected: int):
    batch = ListBatch([(Document(Place.FILE, b"a.txt", "b0"), fill(text).encode())])
    assert len(GIT.scanner().scan(batch)) == expected


SISTER = dataclasses.replace(
    RULE, id="sister", keyed=Keyed(words=("acme comet",), value="[0-9a-f]{32}", names=("key",))
)
TOGETHER = Engine(Plan.make([RULE, SISTER], code=False))


def test_words_before_one_form_of_value_are_told_by_one_number():
    """
    Behind a word of its own each, Hyperscan would keep the same expression a hundred times.
    """
    keyed = [target for target in TOGETHER.plan.targets if target[0] == KEYED]
    assert len(keyed) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("ACMEROCKET_KEY={{hex:32}}", ["keyed"], id="the one"),
        pytest.param("Acme-Comet_key={{hex:32}}", ["sister"], id="the other, in parts"),
        pytest.param("acmecomet.key={{hex:32}}", ["sister"], id="the other, in one"),
        pytest.param("acme comets acmerocket_key={{hex:32}}", ["keyed"], id="the nearer of both"),
        pytest.param("acme/comet_key={{hex:32}}", [], id="neither"),
    ],
)
def test_a_hit_is_given_to_the_word_that_stands_there(text: str, expected: list[str]):
    batch = ListBatch([(Document(Place.FILE, b"a.txt", "b0"), fill(text).encode())])
    found = TOGETHER.scanner().scan(batch)
    assert sorted(match.rule_id for match in found) == expected
