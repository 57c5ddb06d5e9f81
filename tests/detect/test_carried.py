"""
Versions of one text, of which each is scanned only where it differs from the one before it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect import carried
from scanner.detect.engine import Engine
from scanner.detect.first_pass import FirstPass, Hits
from scanner.detect.plan import Plan
from scanner.model import Confidence, Document, Match, Place, Severity
from scanner.ruleset.reach import end_of_change, is_near, start_of_change
from scanner.ruleset.schema import Rule
from scanner.sources.batch import ListBatch

PATTERNS = (
    r"(?P<secret>tok_[a-d]{4,})",
    r"key:\s*(?P<secret>[xy]{3,})",
    r"(?P<secret>one[^{}]*two)",
    r"^(?P<secret>start_[ab]{2})$",
    r"(?P<secret>AAA[\s\S]{0,900}ZZZ)",
)


class Versions(ListBatch):
    """
    A batch whose documents resemble each other.
    """

    alike = True


@lru_cache(maxsize=1)
def engine() -> Engine:
    rules = [
        Rule(
            id=f"rule-{number}", title="a rule", provider="nobody", severity=Severity.HIGH,
            confidence=Confidence.HIGH, remediation="none", origin="test", pattern=pattern,
            anchors=("tok_",),
        )
        for number, pattern in enumerate(PATTERNS)
    ]  # fmt: skip
    return Engine(Plan.make(rules, code=False))


def found(kind: type[ListBatch], texts: list[bytes]) -> list[tuple[object, ...]]:
    documents = [(Document(Place.FILE, str(n).encode()), text) for n, text in enumerate(texts)]
    matches: list[Match] = engine().scanner().scan(kind(documents))
    return sorted((m.document.path, m.rule_id, m.start, m.end) for m in matches)


PIECES = st.sampled_from(
    [b"tok_abcd", b"tok_", b"abcd", b"key:", b"   \n  ", b"xyx", b"one", b"two", b"{", b"}", b"\n",
     b"start_ab", b"AAA", b"ZZZ", b" plain words of no interest, a line long\n", b"x" * 90]
)  # fmt: skip
TEXT = st.lists(PIECES, max_size=12).map(b"".join)
FILLING = b"a quiet line with nothing in it\n" * 30


@st.composite
def versions(draw) -> list[bytes]:
    parts = draw(st.lists(TEXT, min_size=3, max_size=6))
    texts = []
    for _ in range(draw(st.integers(2, 4))):
        parts[draw(st.integers(0, len(parts) - 1))] = draw(TEXT)
        fill = FILLING * draw(st.integers(0, 1))
        texts.append(fill.join(parts))
    return texts


@given(versions())
@settings(max_examples=300, deadline=None)
def test_versions_give_what_each_gives_alone(texts) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "_SMALL", 16)
        patch.setattr(carried, "_BLOCK", 64)
        patch.setattr(carried, "_FAR_APART", 100)
        patch.setattr(carried, "_PROBE", 4)

        assert found(Versions, texts) == found(ListBatch, texts)


@given(versions())
@settings(max_examples=200, deadline=None)
def test_versions_in_batches_of_their_own_give_what_each_gives_alone(texts) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "_SMALL", 16)
        patch.setattr(carried, "_BLOCK", 64)
        patch.setattr(carried, "_FAR_APART", 100)
        patch.setattr(carried, "_PROBE", 4)
        patch.setattr(carried, "_LEAST_KEPT", 16)
        scanner = engine().scanner()
        seen = []
        for number, text in enumerate(texts):
            batch = Versions([(Document(Place.FILE, str(number).encode()), text)])
            seen += scanner.scan(batch)

        assert sorted((m.document.path, m.rule_id, m.start, m.end) for m in seen) == found(
            ListBatch, texts
        )


def test_of_the_next_version_of_a_large_text_only_what_changed_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filling = b"a quiet line with nothing in it\n" * 4_000
    texts = [filling + b"tok_abcd\n" + filling, filling + b"tok_dcba\n" + filling]
    scanner = engine().scanner()
    looked: list[int] = []
    hits = FirstPass.hits

    def counted(self: FirstPass, data: bytes) -> Hits:
        looked.append(len(data))
        return hits(self, data)

    monkeypatch.setattr(FirstPass, "hits", counted)
    matches = [
        match
        for text in texts
        for match in scanner.scan(Versions([(Document(Place.FILE, b"large"), text)]))
    ]

    assert [match.start for match in matches] == [len(filling)] * 2
    assert max(looked[-2:]) < len(texts[0]) // 5


def test_what_a_change_completes_is_found() -> None:
    before = FILLING + b"key:\n" + FILLING + b"one"
    after = before + b" and two"

    assert found(Versions, [before, after]) == found(ListBatch, [before, after])
    assert len(found(Versions, [before, after])) == 1


@given(st.lists(st.binary(max_size=60), min_size=2, max_size=4), st.integers(0, 40))
def test_what_is_common_is_equal(parts, shared) -> None:
    # Two texts with a head and a tail in common.
    head, tail = b"h" * shared, b"t" * shared
    texts = [head + part + tail for part in parts]
    data = b"\n".join(texts)
    starts = [sum(len(text) + 1 for text in texts[:n]) for n in range(len(texts))]
    ends = [start + len(text) for start, text in zip(starts, texts, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(carried, "_SMALL", 1)
        patch.setattr(carried, "_BLOCK", 8)
        common = carried.commons(data, starts, ends)

    assert common[0].base == -2
    for text, (base, blocks) in zip(texts, common, strict=True):
        if base == -2:
            continue
        older = texts[base]
        (_, _, begin), *between, (_, _, end) = blocks
        assert text[:begin] == older[:begin]
        assert text[len(text) - end :] == older[len(older) - end :]
        assert begin + end <= min(len(text), len(older))
        assert begin + end >= min(2 * shared, len(text), len(older))
        assert not between


def test_what_two_versions_have_in_common_between_changes_is_known() -> None:
    parts = [b"".join(b"%c, line %d\n" % (c, n) for n in range(4_000)) for c in b"abc"]
    old = b"x".join(parts)
    new = b"one more" + parts[0] + b"yy" + parts[1] + b"zzz" + parts[2] + b"!"
    data = old + b"\n" + new
    starts, ends = [0, len(old) + 1], [len(old), len(data)]

    _, (base, blocks) = carried.commons(data, starts, ends)

    assert base == 0
    assert all(old[a : a + size] == new[b : b + size] for a, b, size in blocks)
    assert sum(size for _, _, size in blocks) > 0.9 * len(new)
    edges = [(b, b + size) for _, b, size in blocks]
    assert all(stop <= start for (_, stop), (start, _) in pairwise(edges))


NEAR = [
    pytest.param(rb"AKIA[A-Z0-9]{16}", True, id="bounded"),
    pytest.param(rb"pass.{0,40}[=:][a-z]{8,}", True, id="one-run-on-a-line"),
    pytest.param(rb"a[a-z]+\.[a-z]+\.x", True, id="two-runs"),
    pytest.param(rb"a[a-z]+\.[a-z]+\.[a-z]+x", False, id="three-runs"),
    pytest.param(rb"key\s*=", False, id="blanks-without-end"),
    pytest.param(rb"kty[^{}]*d", False, id="class-with-newline"),
    pytest.param(rb"a.{0,900}b", False, id="wide"),
    pytest.param(rb"(?:ab|c[^\n]+){2}", True, id="branch-in-a-repeat"),
    pytest.param(rb"(?:a[b]+c)+", False, id="run-in-a-run"),
]


@pytest.mark.parametrize(("pattern", "near"), NEAR)
def test_an_expression_is_near_when_its_matches_are(pattern, near) -> None:
    assert is_near(pattern) is near


def test_a_change_is_widened_to_lines_three_times() -> None:
    data = b"".join(b"%03d\n" % n for n in range(100))

    assert start_of_change(data, 0, 200, 10) == 164
    assert end_of_change(data, len(data), 200, 10) == 236
    assert start_of_change(data, 0, 20, 10) == 0
    assert end_of_change(data, len(data), 390, 10) == len(data)
