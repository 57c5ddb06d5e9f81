"""
The baseline: parse and render are inverse, entries expire, half-understood files are refused.
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.markers import peer_marker
from scanner.model import (
    Confidence,
    Document,
    Finding,
    Match,
    Occurrence,
    Place,
    Position,
    Severity,
    Unread,
)
from scanner.secret import Secret
from scanner.triage import baseline as baselines
from scanner.triage.suppression import by_comment

KEY = bytes(32)
NAME = "ab" * 16
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
ENTRY = st.builds(
    baselines.Entry,
    fingerprint=st.binary(min_size=16, max_size=16).map(bytes.hex),
    rule=st.none() | TEXT,
    path=st.none() | TEXT,
    reason=st.none() | TEXT,
    owner=st.none() | TEXT,
    until=st.none() | st.dates().map(lambda day: day.isoformat()),
)


def finding(fingerprint: str = NAME) -> Finding:
    return Finding(
        fingerprint=fingerprint,
        rule_id="generic-password",
        provider="generic",
        title="password",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        score=90,
        secret=Secret(b"x" * 20),
        occurrences=(Occurrence(place=Place.FILE, path=b"a.py"),),
        remediation="rotate",
    )


@given(st.lists(ENTRY, max_size=5, unique_by=lambda e: e.fingerprint))
def test_a_written_baseline_reads_back(entries: list[baselines.Entry]) -> None:
    text = baselines.render(baselines.Baseline(KEY, tuple(entries)))
    again = baselines.parse(text, origin="b")

    assert again.key == KEY
    assert set(again.entries) == set(entries)
    assert baselines.render(again) == text
    assert text.split("\n")[1:-1] == sorted(text.split("\n")[1:-1])


HEAD = baselines.render(baselines.Baseline(KEY)).strip()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("{}", "version", id="no version"),
        pytest.param('{"unsealed-baseline": 2, "key": ""}', "version 1", id="later version"),
        pytest.param('{"unsealed-baseline": 1, "key": "zz"}', "hexadecimal", id="key is no hex"),
        pytest.param('{"unsealed-baseline": 1, "key": "00"}', "1 bytes", id="short key"),
        pytest.param(f"{HEAD}\nnot json", "b:2: not JSON", id="no json"),
        pytest.param(f"{HEAD}\n[]", "not an object", id="list"),
        pytest.param(f"{HEAD}\n<<<<<<< HEAD", "merge conflict", id="conflict"),
        pytest.param(f'{HEAD}\n{{"fingerprint": "a", "x": "y"}}', "unknown key 'x'", id="unknown"),
        pytest.param(f'{HEAD}\n{{"reason": "y"}}', "needs either", id="neither"),
        pytest.param(f'{HEAD}\n{{"unread": "a"}}', "with a 'reason'", id="unread, no reason"),
        pytest.param(f'{HEAD}\n{{"fingerprint": 7}}', "not a string", id="number"),
        pytest.param(
            f'{HEAD}\n{{"fingerprint": "a", "until": "soon"}}', "not a date", id="no date"
        ),
    ],
)
def test_what_is_no_baseline_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        baselines.parse(text, origin="b")


@pytest.mark.parametrize(
    ("until", "suppressed", "notices"),
    [
        pytest.param(None, True, 0, id="for ever"),
        pytest.param("2026-06-02", True, 0, id="until tomorrow"),
        pytest.param("2026-06-01", True, 0, id="last day"),
        pytest.param("2026-05-31", False, 1, id="expired"),
    ],
)
def test_an_expired_entry_counts_no_longer(
    until: str | None, suppressed: bool, notices: int
) -> None:
    baseline = baselines.Baseline(KEY, (baselines.Entry(fingerprint=NAME, until=until),))

    found, said = baselines.apply([finding()], baseline, today="2026-06-01")

    assert (found[0].suppressed is not None) is suppressed
    assert len(said) == notices


def test_another_fingerprint_is_not_accepted() -> None:
    baseline = baselines.Baseline(KEY, (baselines.Entry(fingerprint=NAME),))

    found, _ = baselines.apply([finding("cd" * 16)], baseline, today="2026-06-01")

    assert found[0].suppressed is None


def test_writing_keeps_what_was_said_before_and_accepts_the_rest() -> None:
    old = baselines.Baseline(KEY, (baselines.Entry(fingerprint=NAME, reason="old", owner="me"),))
    missing = Unread(place=Place.BLOB, blob="ee" * 20, reason="corrupt")
    entry = baselines.Entry(fingerprint="x", reason="new")

    new = baselines.write(old, [finding(), finding("cd" * 16)], [missing], entry=entry)

    reasons = {e.fingerprint or e.unread: e.reason for e in new.entries}
    assert reasons == {NAME: "old", "cd" * 16: "new", "ee" * 20: "new"}
    assert new.key == KEY
    assert new.accepted_unread("2026-06-01").keys() == {"ee" * 20}


def test_pruning_drops_the_unseen_and_the_expired() -> None:
    entries = (
        baselines.Entry(fingerprint="a"),
        baselines.Entry(fingerprint="b"),
        baselines.Entry(fingerprint="c", until="2020-01-01"),
    )

    new = baselines.prune(baselines.Baseline(KEY, entries), ["a", "c"], today="2026-06-01")

    assert [e.fingerprint for e in new.entries] == ["a"]


def match(allow: str | None) -> Match:
    return Match(
        rule_id="github-classic-token",
        secret=Secret(b"x"),
        document=Document(Place.FILE, b"a"),
        position=Position(1, 1, 1, 2),
        allow=allow,
    )


@pytest.mark.parametrize(
    "allow",
    [
        pytest.param("github-classic-token a revoked example", id="rule and reason"),
        pytest.param("* sample of the manual -->", id="any rule"),
    ],
)
def test_a_comment_with_rule_and_reason_holds(allow: str) -> None:
    suppressed, notice = by_comment(match(allow))

    assert suppressed is not None
    assert suppressed.reason
    assert notice is None


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        pytest.param(None, False, id="no comment"),
        pytest.param("slack-bot-token it is fine", False, id="another rule"),
        pytest.param("github-classic-token", True, id="no reason"),
        pytest.param("github-classic-token -->", True, id="no reason but the comment's end"),
        pytest.param("", False, id="bare"),
    ],
)
def test_any_other_comment_does_not_hold(allow: str | None, said: bool) -> None:
    suppressed, notice = by_comment(match(allow))

    assert suppressed is None
    assert (notice is not None) is said


@pytest.mark.parametrize(
    ("line", "marker"),
    [
        pytest.param(b"x  # gitleaks:allow", "gitleaks:allow", id="gitleaks"),
        pytest.param(
            b"x  # pragma: allowlist secret", "pragma: allowlist secret", id="detect-secrets"
        ),
        pytest.param(b"x // trufflehog:ignore", "trufflehog:ignore", id="trufflehog"),
        pytest.param(b"x # all is allowed", None, id="none"),
    ],
)
def test_peers_markers_are_told_apart(line: bytes, marker: str | None) -> None:
    assert peer_marker(line) == marker


def test_entries_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        baselines.Entry(fingerprint="a").reason = "x"  # type: ignore[misc]
