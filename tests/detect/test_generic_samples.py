"""
What says of itself that it opens nothing, beside what only looks like it.
"""

from __future__ import annotations

import pytest

from scanner.detect.generic_forms import values_on
from scanner.detect.generic_samples import made_up, public
from tests.lookalikes import fill


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("token", "def456", id="two runs"),
        pytest.param("api_key", "mnopqr987", id="two runs, one down"),
        pytest.param("secret", "654321", id="a run"),
        pytest.param("secretAccessKey", "fdsa", id="home row"),
        pytest.param("KEY", "ajklasdf0ojaisdf", id="home row and more"),
        pytest.param("token", "t0k3n", id="in disguise"),
        pytest.param("client", "my-s3cr3t", id="in disguise, of somebody"),
    ],
)
def test_what_was_made_up_while_writing_says_so(name: str, value: str) -> None:
    assert made_up(name.encode(), value.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("password", "def456", id="people choose it"),
        pytest.param("db_pass", "s3cr3t", id="people choose that too"),
        pytest.param("password", "654321", id="people choose a run"),
        pytest.param("token", "dfe456", id="no run"),
        pytest.param("pin", "651432", id="no run at all"),
        pytest.param("token", "def4956", id="no run of digits"),
        pytest.param("token", "secret", id="no disguise"),
        pytest.param("token", "{{lower:24}}", id="letters"),
        pytest.param("token", "{{base64:40}}asdf{{base64:40}}", id="long"),
    ],
)
def test_what_only_looks_like_it_stays(name: str, value: str) -> None:
    assert not made_up(name.encode(), fill(value).encode())


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('want: PublicKey{ID: nil, Key: String("{{base64:43}}=")},', id="public key"),
        pytest.param('tokens.FieldUID: []byte("{{alnum:24}}"),', id="id"),
        pytest.param('"token_uid": "{{alnum:24}}"', id="id, apart"),
        pytest.param("MaxTokenTTL: '3600s'", id="time"),
        pytest.param("E_NO_KEY = -0x3f8b9d62", id="number below nought"),
        pytest.param("authorizedClientIds = ['{{alnum:12}}'];", id="ids"),
        pytest.param('"password": "sha1$1b11b${{hex:40}}"', id="hash"),
    ],
)
def test_what_is_public_is_no_candidate(line: str) -> None:
    assert values_on(fill(line).encode()) == []


@pytest.mark.parametrize(
    ("name", "before"),
    [
        pytest.param("Key", 'PublicKey{ID: "a"}, Signer{', id="another type"),
        pytest.param("Secret", "PublicKey{", id="another part"),
        pytest.param("fluid", "", id="the end of a word"),
    ],
)
def test_what_stands_near_it_is_not(name: str, before: str) -> None:
    assert not public(name.encode(), b"value", before.encode(), b"")


COMMIT = fill("{{hex:40}}").encode()


@pytest.mark.parametrize(
    ("before", "value", "line"),
    [
        pytest.param(b"- `for of ", COMMIT, b"[" + COMMIT + b"](/o/r/commit/" + COMMIT + b")", id="link"),
        pytest.param(b"emoji[", rb"\U1F5DD\UFE0F", b"", id="sign"),
        pytest.param(b"# Example ", b"nz5ej2kypkvcw0rn5cvhs6qxtm", b"", id="called an example"),
    ],
)  # fmt: skip
def test_what_is_shown_to_everybody_is_no_secret(before: bytes, value: bytes, line: bytes) -> None:
    assert public(b"key", value, before, line)


@pytest.mark.parametrize(
    ("before", "value", "line"),
    [
        pytest.param(b"", COMMIT, b"key = " + COMMIT + b" # see /commit/x", id="another commit"),
        pytest.param(b"", rb"\U1F5DDx", b"", id="more than signs"),
        pytest.param(b"# in this example the ", b"nz5ej2kypkvcw0rn5cvhs", b"", id="a word between"),
    ],
)
def test_what_only_stands_near_such_words_stays(before: bytes, value: bytes, line: bytes) -> None:
    assert not public(b"key", value, before, line)
