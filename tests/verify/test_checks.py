"""
Declared checks as data: what the loader takes, and what it refuses loudly.
"""

from __future__ import annotations

import pytest

from scanner.errors import RuleError
from scanner.model import Status
from scanner.verify.checks import parse_checks
from scanner.verify.checks_judge import fields, has, judge
from scanner.verify.checks_render import render
from scanner.verify.request import RefusedError, Reply
from scanner.verify.rights import danger, plain_words

GOOD = """
provider: acme
checks:
- id: acme-me
  credential: api key
  url: https://api.acme.example/me?key={secret}
  headers: {X-User: "{user|base64}"}
  active:
  - status: [200]
    json: {ok: "true"}
  inactive:
  - status: [401]
"""


def load(text: str) -> object:
    return parse_checks(text, origin="acme.yml", provider="acme")[0]


def test_a_check_is_read() -> None:
    (check,) = parse_checks(GOOD, origin="acme.yml", provider="acme")

    assert check.companions() == {"user"}
    assert check.host() == "api.acme.example"
    assert check.path() == "/me?key={secret}"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        pytest.param("credential:", "credentials:", "unknown: credentials", id="unknown key"),
        pytest.param("    json:", "    jsn:", "unknown: jsn", id="unknown condition"),
        pytest.param("  credential: api key\n", "", "missing: credential", id="missing key"),
        pytest.param("https://api", "http://api", "https", id="no encryption"),
        pytest.param("api.acme.example", "{host}", "found-host", id="a host from the finding"),
        pytest.param("api.acme.example", "x@evil", "https://host", id="user info"),
        pytest.param("[401]", "[403]", "401", id="a bare 403 as refusal"),
        pytest.param("[401]", "[404]", "401", id="a bare 404 as refusal"),
        pytest.param(
            "https://api.acme.example",
            "https://{host}",
            "found-host",
            id="a host from the finding without consent",
        ),
        pytest.param("[200]", "two hundred", "numbers", id="a status in words"),
        pytest.param('"true"', "true", "texts", id="a value that is no text"),
        pytest.param("  url:", "  method: DELETE\n  url:", "write", id="a method that writes"),
        pytest.param("  url:", "  needs: [luck]\n  url:", "needs", id="an unknown consent"),
        pytest.param("  url:", "  basis: hope\n  url:", "basis", id="an unknown basis"),
        pytest.param("provider: acme", "provider: other", "pack", id="another provider's pack"),
        pytest.param("checks:", "checks: [", "YAML", id="not YAML"),
        pytest.param("provider: acme", "- a", "YAML|mapping", id="not a mapping"),
    ],
)
def test_is_refused(old: str, new: str, word: str) -> None:
    assert old in GOOD

    with pytest.raises(RuleError, match=word):
        load(GOOD.replace(old, new))


def test_a_plain_401_of_a_found_host_is_refused() -> None:
    text = GOOD.replace("api.acme.example", "{host}").replace(
        "  url:", "  needs: [found-host]\n  url:"
    )

    with pytest.raises(RuleError, match="proves nothing"):
        load(text)


def test_two_checks_with_one_id_are_refused() -> None:
    entry = GOOD.partition("checks:\n")[2]

    with pytest.raises(RuleError, match="one id"):
        load(GOOD + entry)


def test_values_go_where_they_are_declared_encoded() -> None:
    (check,) = parse_checks(GOOD, origin="acme.yml", provider="acme")
    request = render(check, {"secret": "a&b=c/d e", "user": "ada"}, finding="f")

    assert request.path == "/me?key=a%26b%3Dc%2Fd%20e"
    assert request.headers["X-User"] == "YWRh"
    assert request.shown == "/me?key={secret}"
    assert "a&b" not in repr(request)


@pytest.mark.parametrize("value", ["", " a", "a\n", "a\r\nb", "a\0", "ä", "a" * 20_000])
def test_a_value_that_could_break_out_is_refused(value: str) -> None:
    (check,) = parse_checks(GOOD, origin="acme.yml", provider="acme")

    with pytest.raises(RefusedError):
        render(check, {"secret": value, "user": "ada"}, finding="f")


def test_a_missing_companion_is_told() -> None:
    (check,) = parse_checks(GOOD, origin="acme.yml", provider="acme")

    with pytest.raises(RefusedError, match="user was not found"):
        render(check, {"secret": "abc"}, finding="f")


def reply(body: str, status: int = 200, **headers: str) -> Reply:
    return Reply(status=status, headers=headers, body=body.encode())


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param('{"a": {"b": 1}}', "b", id="a key, however deep"),
        pytest.param('{"a": true}', "a:true", id="a pair"),
        pytest.param('{"e": "bad_token"}', "bad_token", id="a value"),
        pytest.param('{"m": "Bad credentials"}', "Bad credentials", id="words in JSON"),
        pytest.param("It is all  OK now", "all OK", id="words in text"),
    ],
)
def test_a_body_has(body: str, word: str) -> None:
    assert has(reply(body), word)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        pytest.param('{"message": "invalid"}', "id", id="a part of a word is no key"),
        pytest.param('{"data": null, "errors": []}', "data", id="a key without a value"),
        pytest.param('{"a": "no"}', "a:true", id="another value"),
        pytest.param("nothing", "something", id="other words"),
    ],
)
def test_a_body_has_not(body: str, word: str) -> None:
    assert not has(reply(body), word)


@pytest.mark.parametrize(
    "body",
    [
        '{"message": "two-factor authentication required"}',
        '{"message": "IP address not allowed"}',
        '{"error": "insufficient_scope"}',
        '{"error": "rate limit exceeded"}',
    ],
)
def test_a_refusal_for_another_reason_is_no_death(body: str) -> None:
    (check,) = parse_checks(GOOD, origin="acme.yml", provider="acme")

    assert judge(check, reply(body, 401))[0] is Status.UNKNOWN


def test_facts_of_a_reply_are_found_by_path_and_header() -> None:
    said = reply('{"user": {"name": "ada"}, "scopes": ["a", "b"]}', **{"x-scopes": "c, d"})

    assert fields(said, ("user.name", "none.such")) == ("ada",)
    assert fields(said, ("scopes",)) == ("a", "b")
    assert fields(said, ("header:X-Scopes",)) == ("c", "d")


def test_rights_are_told_dangerous_ones_first() -> None:
    words = plain_words("github", ("read:user", "repo", "never-heard-of"))

    assert words[0].startswith("read and write all repositories")
    assert "read the profile (read:user)" in words
    assert danger("github", ("read:user",)) < danger("github", ("repo",))


@pytest.mark.parametrize(
    ("scope", "least"),
    [("users:admin", 3), ("files:write", 3), ("files:read", 1), ("none-of-these", 1)],
)
def test_an_unknown_scope_is_judged_by_its_words(scope: str, least: int) -> None:
    assert danger("nobody", (scope,)) == least
