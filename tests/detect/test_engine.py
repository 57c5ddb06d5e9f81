"""
The engine as a whole: it finds what each rule's own pattern finds, wherever it stands in a batch.
"""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect import registry
from scanner.detect.engine import Engine
from scanner.detect.plan import Plan
from scanner.model import Confidence, Document, Place, Severity
from scanner.ruleset.schema import CompanionSpec, Keyed, Rule
from scanner.sources.batch import ListBatch
from tests.lookalikes import fill

PATTERNS = (
    r"(?<![A-Z])(?P<secret>tok_[a-d]{4,})(?![a-d_])",
    r"(?P<secret>key-[ab]+-end)",
    r"(?i)pass\s*=\s*(?P<secret>[a-f]{3,6})\b",
    r"^(?P<secret>start_[ab]{2})",
    r"(?:one|two){1,2}:(?P<secret>[^\n;]{2,9}?);",
    r"(?P<secret>AAA[\s\S]{0,5}ZZZ)$",
)


def rule(number: int, pattern: str, **more) -> Rule:
    return Rule(
        id=f"rule-{number}",
        title="a rule",
        provider="nobody",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        remediation="none",
        origin="test",
        pattern=pattern or None,
        anchors=("tok_",),
        **more,
    )


ENGINES = [
    Engine(Plan.make([rule(number, pattern)], code=False))
    for number, pattern in enumerate(PATTERNS)
]

PIECES = st.sampled_from(
    [
        b"tok_",
        b"abcd",
        b"a",
        b"_",
        b"key-",
        b"-end",
        b"ab",
        b"PASS",
        b"pass",
        b" = ",
        b"=",
        b"\n",
        b"start_",
        b"one",
        b"two",
        b":",
        b";",
        b"xy",
        b"AAA",
        b"ZZZ",
        b"Q",
        b"\xc3\xa9",
        b"\x00",
    ]
)
TEXTS = st.lists(st.lists(PIECES, max_size=14).map(b"".join), max_size=6)


def documents(texts: list[bytes]) -> ListBatch:
    return ListBatch(
        [(Document(Place.FILE, path=str(n).encode()), text) for n, text in enumerate(texts)]
    )


class Adjacent:
    """
    A batch without a byte between its documents.
    """

    alike = False

    def __init__(self, texts: list[bytes]) -> None:
        self.data = bytearray(b"".join(texts))
        self.starts = [sum(map(len, texts[:n])) for n in range(len(texts))]
        self.ends = [start + len(text) for start, text in zip(self.starts, texts, strict=True)]

    def document(self, index: int) -> Document:
        return Document(Place.FILE, path=str(index).encode())


def alone(pattern: str, text: bytes) -> list[tuple[int, int]]:
    compiled = regex.compile(pattern.encode())
    return [match.span("secret") for match in compiled.finditer(text)]


def spans(engine: Engine, batch, count: int) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for match in engine.scanner().scan(batch):
        found[int(match.document.path)].append((match.start, match.end))
    return found


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(0, len(PATTERNS) - 1), st.booleans())
def test_the_engine_finds_what_a_pattern_finds_alone(texts, number, adjacent):
    batch = Adjacent(texts) if adjacent else documents(texts)
    expected = [alone(PATTERNS[number], text) for text in texts]
    assert spans(ENGINES[number], batch, len(texts)) == expected


@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_positions_agree_with_splitting_lines(texts):
    for engine in ENGINES[:3]:
        for match in engine.scanner().scan(documents(texts)):
            text = texts[int(match.document.path)]
            lines = text.split(b"\n")
            before = text[: match.start].split(b"\n")
            at = match.position
            assert (at.line, at.end_line) == (
                len(before),
                text[: match.end].count(b"\n") + 1,
            )
            assert at.column == len(before[-1].decode(errors="replace")) + 1
            if at.line == at.end_line:
                line = lines[at.line - 1].decode(errors="replace")
                shown = line[at.column - 1 : at.end_column - 1]
                assert shown == match.secret.reveal().decode(errors="replace")


def scan(rules: list[Rule], text: bytes, *, code: bool = False):
    return Engine(Plan.make(rules, code=code)).scanner().scan(documents([text]))


def test_a_match_across_two_documents_is_none():
    engine = Engine(Plan.make([rule(0, r"(?P<secret>tok_[a-d]{4})")], code=False))
    assert engine.scanner().scan(Adjacent([b"x tok_", b"abcd"])) == []


def test_the_comment_on_its_line_comes_with_the_match():
    text = b"tok_abcd # unsealed:allow rule-0 a test\ntok_abca\n"
    found = scan([rule(0, r"(?P<secret>tok_[a-d]{4})")], text)
    assert [match.allow for match in found] == ["rule-0 a test", None]


def test_a_runaway_pattern_is_a_limit_and_the_rest_is_scanned():
    runaway = rule(0, r"(?P<secret>tok_(?:a|aa|a{3})+(?:b|aab)+[^abc])")
    text = b"tok_" + b"a" * 3_000 + b"\n" + b"tok_dddd"
    engine = Engine(Plan.make([runaway, rule(1, r"(?P<secret>tok_d{4})")], code=False))
    scanner = engine.scanner()
    found = scanner.scan(documents([text + b"tok_" + b"a" * 40 + b"b"]))
    assert "rule-1" in {match.rule_id for match in found}
    assert all(limit.name == "pattern-timeout" for limit in scanner.limits)


def test_context_words_and_companions_count_only_when_near():
    with_context = rule(
        0,
        r"(?P<secret>tok_[a-d]{4})",
        context=("acme",),
        context_distance=10,
        companions=(CompanionSpec(name="id", pattern=r"id=(?P<value>\d+)", within=30),),
    )
    (match,) = scan([with_context], b"Acme: tok_abcd id=77 id=123")
    assert [c.value.reveal() for c in match.companions] == [b"77"]
    assert scan([with_context], b"acme" + b" " * 20 + b"tok_abcd") == []


def keyed(value: str = "[0-9a-f]{32}", **more) -> Rule:
    return Rule(
        id="keyed",
        title="a keyed rule",
        provider="nobody",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        remediation="none",
        origin="test",
        keyed=Keyed(words=("acme rocket",), value=value, **more),
    )


def test_a_keyed_rule_takes_the_whole_of_an_unbroken_run():
    for text in (
        "ACME_ROCKET_KEY={{hex:32}}",
        "acme-rocket: '{{hex:32}}'",
        "AcmeRocket {{hex:32}}",
    ):
        assert len(scan([keyed()], fill(text).encode())) == 1, text
    for text in ("acme_rocket={{hex:33}}", "acme_rocket={{hex:32}}_a", "rocket={{hex:32}}"):
        assert scan([keyed()], fill(text).encode()) == [], text


def test_a_keyed_rule_with_names_wants_one_of_them_between():
    wanting = keyed(names=("key", "token"))
    assert scan([wanting], fill("acme_rocket_key={{hex:32}}").encode())
    assert not scan([wanting], fill("acme_rocket_sha={{hex:32}}").encode())


def test_a_longer_secret_beats_a_part_of_it():
    found = scan(
        [rule(0, r"(?P<secret>tok_[a-d]{4})"), rule(1, r"(?P<secret>https://tok_[a-d]{4}@x)")],
        b"https://tok_abcd@x",
    )
    assert [match.rule_id for match in found] == ["rule-1"]


@pytest.fixture
def _base64_only(monkeypatch):
    # The other derivers' expressions take a second to compile.
    only = {"base64_runs": registry.DERIVERS["base64_runs"]}
    monkeypatch.setattr(registry, "DERIVERS", only)


@pytest.mark.usefixtures("_base64_only")
def test_an_encoded_token_has_the_line_of_its_encoded_run():
    import base64

    token = fill("ghp_{{alnum:36}}").encode()
    text = b"one\ntwo: " + base64.b64encode(b"x: " + token + b"\n") + b"\n"
    github = rule(0, r"(?<![A-Za-z0-9])(?P<secret>ghp_[A-Za-z0-9]{36})(?![A-Za-z0-9])")
    (match,) = scan([github], text, code=True)
    assert (match.document.decoded, match.position.line) == (("base64",), 2)
    assert match.secret.reveal() == token


@pytest.mark.usefixtures("_base64_only")
def test_a_generic_match_of_an_encoded_run_gives_way_to_what_is_in_it():
    import base64

    token = fill("ghp_{{alnum:36}}").encode()
    text = b"acme_rocket: " + base64.b64encode(token) + b"\n"
    github = rule(0, r"(?<![A-Za-z0-9])(?P<secret>ghp_[A-Za-z0-9]{36})(?![A-Za-z0-9])")
    found = scan([github, keyed("[A-Za-z0-9]{40,60}")], text, code=True)
    assert [match.rule_id for match in found] == ["rule-0"]


def test_a_decoder_that_breaks_costs_nobody_elses_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    from scanner.detect.decode import zip_members

    def broken(*_: object) -> object:
        raise IndexError("out of the archive")

    monkeypatch.setattr(type(zip_members.DERIVER), "derive", broken)
    scanner = Engine.from_rules([rule(0, PATTERNS[0])]).scanner()
    text = b"PK\x03\x04" + bytes(60) + b"\ntok_abcd "

    matches = scanner.scan(ListBatch([(Document(Place.FILE, b"a.zip"), text)]))

    assert [match.rule_id for match in matches] == ["rule-0"]
    assert "IndexError" in scanner.unread[0].reason
