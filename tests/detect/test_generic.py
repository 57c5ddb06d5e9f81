"""
From hits of the first pass to scored candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import hyperscan
import pytest

from scanner.detect.features import CONTENT_NAMES
from scanner.detect.generic import DETECTOR
from scanner.detect.generic_lines import candidates
from scanner.detect.generic_triggers import EXPRESSIONS
from scanner.detect.registry import Candidate
from scanner.model import Document, Place
from tests.lookalikes import fill

SECRET = fill("{{alnum:32}}").encode()
HEX = fill("{{hex:32}}").encode()


@dataclass
class Sheet:
    """A `Text`."""

    data: bytes
    document: Document
    hits: list[tuple[int, int]]


@pytest.fixture(scope="module")
def database() -> hyperscan.Database:
    database = hyperscan.Database()
    caseless = hyperscan.HS_FLAG_CASELESS
    database.compile(
        expressions=[e.pattern for e in EXPRESSIONS],
        ids=list(range(len(EXPRESSIONS))),
        elements=len(EXPRESSIONS),
        flags=[hyperscan.HS_FLAG_DOTALL | (caseless if e.caseless else 0) for e in EXPRESSIONS],
    )
    return database


def sheet(database: hyperscan.Database, data: bytes, path: bytes | None = None) -> Sheet:
    hits: set[tuple[int, int]] = set()
    database.scan(
        data,
        match_event_handler=lambda i, _, end, *__: hits.add((end, int(EXPRESSIONS[i].tag))),
    )
    return Sheet(data, Document(place=Place.FILE, path=path), sorted(hits))


def found(database: hyperscan.Database, data: bytes, path: bytes | None = None) -> list[Candidate]:
    return list(DETECTOR.detect([sheet(database, data, path)]))


@pytest.mark.parametrize(
    "text",
    [
        b'password = "%s"\n',
        b"password: %s",
        b"DB_PASSWORD=%s\n",
        b"run -e API_TOKEN=%s -d\n",
        b"API_KEY=%s \\\n",
        b"<token>%s</token>\n",
        b"postgres://app:%s@db.internal/app\n",
        b'{"kty": "oct",\n "k": "%s"}\n',
        b"tool --token %s\n",
        b"coverage -repotoken %s\n",
        b"tool /credpassword:%s /out:a.txt\n",
        b"'USER=ada\\nPASS=%s'\n",
        b'if session.token != "%s":\n',
        b"server.password                    = %s\r\n",
        b"CREATE USER a IDENTIFIED BY '%s';",
        b"create user a identified by %s temporary",
        b"header = btoa('ada:%s')",
        b"CREATE ROLE app WITH LOGIN PASSWORD %s;",
        b"\\set ADMIN_PASS %s\n",
        b"# The password is '%s' for now\n",
        b"# Salt:               %s\n",
    ],
)
def test_the_first_pass_leads_to_the_value(database: hyperscan.Database, text: bytes) -> None:
    data = b"first line\n" + text % SECRET
    values = [item.candidate.value for item in candidates(data, sheet(database, data).hits)]
    assert SECRET in values


def test_the_factors_of_a_key_are_told_by_its_exponent(database: hyperscan.Database) -> None:
    data = b'{"kty": "RSA",\n "d": "%s",\n "p": "Z%s",\n "dp": "Y%s"}\n' % ((SECRET,) * 3)
    values = [item.candidate.value for item in candidates(data, sheet(database, data).hits)]
    assert values == [SECRET]


def test_a_candidate_tells_where_it_stands_and_what_it_needs_for_its_path(
    database: hyperscan.Database,
) -> None:
    data = b'name = "x"\napi_key = "' + SECRET + b'"\n'
    (item,) = found(database, data)
    assert data[item.start : item.end] == item.secret == SECRET
    assert item.rule_id == "generic-api-key"
    assert item.generic
    assert item.features


def test_a_placeholder_is_not_worth_keeping(database: hyperscan.Database) -> None:
    assert found(database, b'password = "changeme"\n') == []


@pytest.mark.parametrize(
    "path", [b"tests/test_login.py", b"docs/example.md", b"spec/fixtures/a.json"]
)
def test_a_path_lowers_a_score_and_never_silences(
    database: hyperscan.Database, path: bytes
) -> None:
    (item,) = found(database, b'api_key = "' + SECRET + b'"\n', path)
    assert item.score > 0.05


def test_the_versions_of_a_line_are_judged_alike(database: hyperscan.Database) -> None:
    line = b'secret_key = "' + SECRET + b'"\n'
    one, two = (found(database, b"a\n" * n + line) for n in (1, 5))
    assert [item.score for item in one] == [item.score for item in two]


def test_a_phrase_may_begin_with_a_short_word(database: hyperscan.Database) -> None:
    value = SECRET[:2] + b" " + SECRET[2:14]
    data = b"user: app\n  password: '" + value + b"'\n"
    assert [c.candidate.value for c in candidates(data, sheet(database, data).hits)] == [value]


def test_an_error_beside_a_name_is_no_list(database: hyperscan.Database) -> None:
    one, two = (
        found(database, b'key%s := hex.DecodeString("%s")\n' % (also, HEX))[0]
        for also in (b"", b", err")
    )
    separator = CONTENT_NAMES.index("separator")
    assert one.features[separator] == two.features[separator]


def test_a_line_too_long_to_read_whole_is_read_around_the_hit(database: hyperscan.Database) -> None:
    data = b"x" * 50_000 + b';password="' + SECRET + b'";' + b"y" * 50_000
    assert SECRET in [item.secret for item in found(database, data)]


def test_two_hits_on_one_line_give_each_value_once(database: hyperscan.Database) -> None:
    data = b'password = "' + SECRET + b'", password_again = "' + SECRET + b'"\n'
    starts = [item.start for item in found(database, data)]
    assert len(starts) == len(set(starts)) == 2


@pytest.mark.parametrize("sign", [b"]", b"}"])
def test_a_plain_scalar_of_yaml_may_hold_brackets(
    database: hyperscan.Database, sign: bytes
) -> None:
    value = b"Abc" + sign + SECRET[:9] + sign
    data = b"user: app\n  password: " + value + b"\nhost: db\n"
    assert [c.candidate.value for c in candidates(data, sheet(database, data).hits)] == [value]
