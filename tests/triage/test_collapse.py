"""
What becomes one finding.
"""

from __future__ import annotations

import dataclasses

import pytest

from scanner.model import (
    Confidence,
    Document,
    Match,
    Occurrence,
    Place,
    Position,
    SealRecord,
    Severity,
)
from scanner.ruleset.schema import Rule
from scanner.secret import Secret
from scanner.triage.collapse import collapse
from scanner.triage.fingerprint import Fingerprints
from scanner.triage.suppression import Comments
from tests.lookalikes import fill

SEAL = SealRecord(format="private-key", state="plaintext", reason="it lies open")


def rule(rule_id: str) -> Rule:
    return Rule(
        id=rule_id,
        title=rule_id,
        provider="nobody",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        remediation="none",
        origin="test",
    )


def located(rule_id: str, *, line: int, path: bytes = b"a.key", sealed: bool = False, score=0.95):
    position = Position(line, 1, line, 9)
    match = Match(
        rule_id=rule_id,
        secret=None if sealed else Secret(fill("{{alnum:40}}").encode()),
        document=Document(Place.FILE, path, "b0"),
        position=position,
        score=score,
        seal=SEAL if sealed else None,
    )
    return match, (Occurrence(place=Place.FILE, path=path, position=position),)


def told(*items, minimum: Confidence = Confidence.MEDIUM) -> list[str]:
    findings, _ = collapse(
        items,
        rule,
        Fingerprints(b"k" * 32),
        comments=Comments.HONOURED,
        minimum=minimum,
    )
    return sorted(finding.rule_id for finding in findings)


def test_an_open_key_is_told_once_and_its_state_stays_a_finding_of_low_confidence():
    key = located("private-key", line=3)
    record = located("private-key-plaintext", line=3, sealed=True)
    assert told(key, record) == ["private-key"]
    assert told(key, record, minimum=Confidence.LOW) == ["private-key", "private-key-plaintext"]


def test_the_finding_of_a_key_carries_the_record_of_its_state():
    key = located("private-key", line=3)
    record = located("private-key-plaintext", line=3, sealed=True)
    findings, _ = collapse([record, key], rule, Fingerprints(b"k" * 32), comments=Comments.HONOURED)
    assert [finding.seal for finding in findings if finding.rule_id == "private-key"] == [SEAL]


def test_the_state_of_a_key_that_no_other_finding_tells_stays_high():
    elsewhere = located("private-key", line=3, path=b"b.key")
    doubted = located("private-key", line=9, score=0.2)
    one = located("private-key-plaintext", line=3, sealed=True)
    other = located("private-key-plaintext", line=9, sealed=True)
    assert "private-key-plaintext" in told(one, elsewhere)
    assert "private-key-plaintext" in told(other, doubted)
    # Two keys in one file are one finding of its state: each must be told.
    assert "private-key-plaintext" in told(one, other, located("private-key", line=3))


def word(value: str, path: bytes, rule_id: str = "generic-password"):
    match = Match(
        rule_id=rule_id,
        secret=Secret(fill(value).encode()),
        document=Document(Place.FILE, path, "b0"),
        position=Position(3, 1, 3, 9),
        score=0.9,
    )
    return match, (Occurrence(place=Place.FILE, path=path, position=match.position),)


@pytest.mark.parametrize(
    "path",
    [
        b"conf/locale/locale_fi-FI.ini",
        b"web/locale/et/viewer.ftl",
        b"src/messages_et.properties",
        b"res/values-et/strings.xml",
        b"et.lproj/Localizable.strings",
    ],
)
@pytest.mark.parametrize("value", ["Unustasid", "Ryhmäsuodatus", "Elfelejtette a jelszavát?"])
def test_a_word_in_a_file_of_translations_is_of_low_confidence(path: bytes, value: str):
    assert told(word(value, path)) == []
    assert told(word(value, path), minimum=Confidence.LOW) == ["generic-password"]


@pytest.mark.parametrize(
    ("value", "path", "rule_id"),
    [
        pytest.param("Unustasid", b"app/settings.ini", "generic-password", id="another file"),
        pytest.param("{{alnum:20}}", b"locale/et.yml", "generic-password", id="no word"),
        pytest.param("heslo1234", b"locale/cs.yml", "generic-password", id="digits"),
        pytest.param("aBcDeFgH", b"locale/cs.yml", "generic-password", id="capitals within"),
        pytest.param("Unustasid", b"locale/cs.yml", "url-password", id="a shape"),
    ],
)
def test_what_may_be_a_password_stays_whatever_the_path_says(value, path, rule_id):
    assert told(word(value, path, rule_id)) == [rule_id]


def test_a_word_that_stands_elsewhere_too_keeps_its_score():
    here, there = word("Unustasid", b"locale/et.yml"), word("Unustasid", b"app/settings.ini")
    assert told(here, there) == ["generic-password"]


def test_the_state_of_a_key_that_is_proven_harmless_is_low_too():
    match, places = located("private-key", line=3, score=0.3)
    record = located("private-key-plaintext", line=3, sealed=True)
    assert told((dataclasses.replace(match, proven=True), places), record) == []


def test_a_key_within_a_file_of_a_service_account_is_told_once():
    account = word("{{alnum:40}}", b"a.json", "gcp-service-account-key")
    key = located("private-key", line=3, path=b"a.json")
    assert told(account, key) == ["gcp-service-account-key"]
    assert told(account, located("private-key", line=9, path=b"a.json")) == [
        "gcp-service-account-key",
        "private-key",
    ]


def test_one_value_under_two_rules_is_told_by_the_one_that_knows_its_shape():
    value, places = "{{alnum:40}}", [b"a.py", b"b.py"]
    shape, name = (
        word(value, path, rule_id)
        for path, rule_id in zip(places, ("vault-token", "generic-token"), strict=True)
    )
    findings, _ = collapse([name, shape], rule, Fingerprints(b"k" * 32), comments=Comments.HONOURED)
    loud, low = findings
    assert (loud.rule_id, [o.path for o in loud.occurrences]) == ("vault-token", places)
    assert (low.rule_id, low.confidence) == ("generic-token", Confidence.LOW)


def test_one_value_under_two_names_is_told_by_the_likelier():
    match, places = word("{{alnum:40}}", b"a.py", "generic-token")
    likelier = dataclasses.replace(match, score=0.99), places
    assert told(word("{{alnum:40}}", b"b.py", "generic-secret"), likelier) == ["generic-token"]


def test_two_shapes_of_one_value_are_two_findings():
    one, other = (word("{{alnum:40}}", b"a.py", r) for r in ("vault-token", "consul-token"))
    assert told(one, other) == ["consul-token", "vault-token"]


def keys_in(folder: str, count: int, *, proven: bool = True):
    keys = []
    for number in range(count):
        name = f"{folder}/{number}.pem".encode()
        match, places = word(f"{{{{alnum:{40 + number}}}}}", name, "private-key")
        keys.append((dataclasses.replace(match, proven=proven), places))
    return keys


def test_a_set_of_keys_in_a_folder_of_tests_is_told_by_one_of_them():
    keys = keys_in("src/tests/data", 4)
    state = located("private-key-plaintext", line=1, path=b"src/tests/data/a.der", sealed=True)
    assert told(*keys, state) == ["private-key"]
    findings, _ = collapse(
        [*keys, state], rule, Fingerprints(b"k" * 32), comments=Comments.HONOURED
    )
    assert len(findings) == 5
    assert "4 more keys lie in this folder of tests, of low confidence" in findings[0].score_reasons


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        pytest.param(keys_in("src/tests/data", 2), 2, id="two are no set"),
        pytest.param(keys_in("deploy/keys", 4), 4, id="not of tests"),
        pytest.param(keys_in("tests/keys", 4, proven=False), 4, id="they do not parse"),
        pytest.param(keys_in("tests/a", 2) + keys_in("tests/b", 2), 2, id="two folders"),
        pytest.param(
            [*keys_in("tests/a", 4), word("{{alnum:42}}", b"deploy/a.pem", "private-key")],
            2,
            id="one stands elsewhere too",
        ),
    ],
)
def test_keys_that_are_no_set_are_all_told(keys, count: int):
    assert told(*keys) == ["private-key"] * count


def test_a_key_that_does_not_parse_goes_with_the_set_of_its_folder():
    broken, places = word("{{alnum:60}}", b"tests/keys/broken.pem", "private-key")
    assert told(*keys_in("tests/keys", 3), (broken, places)) == ["private-key"]
    assert told(*keys_in("tests/keys", 2), (broken, places)) == ["private-key"] * 3
