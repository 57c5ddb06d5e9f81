"""
What stands for a credential and is none.
"""

from __future__ import annotations

import base64

import pytest

from scanner.detect import well_known
from scanner.detect.placeholder import placeholder
from tests.lookalikes import fill


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"https://hooks.acme.dev/catch/12345/" + b"abcdefghijk", id="run at the end"),
        pytest.param(base64.b64encode(b"user:pass"), id="taught pair"),
        pytest.param(base64.b64encode(b"username:password"), id="taught pair, longer"),
        pytest.param(
            b"9fQ2z" + b"abcdefghijklm" + b"T7x" * 11, id="a run that chance does not make"
        ),
        pytest.param(b"your_api_key_here", id="says so"),
        pytest.param(b"CHANGE-THIS! VERY IMPORTANT!", id="asks for it"),
        pytest.param(b"<token>", id="brackets"),
        pytest.param(b"service_account_token_string", id="its own name"),
        pytest.param(b"foobar", id="a word of samples"),
        pytest.param(b"deadbeef" * 5, id="a word of hex, again and again"),
        pytest.param(b"random_password", id="says how it would be made"),
        pytest.param(b"TlRM" + b"A" * 120, id="noughts alone"),
        pytest.param(b"AC" + b"a" * 32, id="one letter"),
    ],
)
def test_a_placeholder_is_known(value: bytes):
    assert placeholder(value) is not None


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("https://hooks.acme.dev/catch/12345/{{lower:11}}", id="an address"),
        pytest.param("{{base64:28}}", id="another pair"),
        pytest.param("{{alnum:32}}", id="a key"),
        pytest.param("{{hex:64}}", id="a long key"),
        pytest.param(
            "TlRM{{base64:40}}" + "A" * 12 + "{{base64:30}}" + "A" * 20 + "{{base64:40}}",
            id="a message with noughts in it",
        ),
    ],
)
def test_a_value_is_none(template: str):
    assert placeholder(fill(template).encode()) is None


def test_a_long_value_is_no_repetition_because_its_lines_are_indented():
    lines = [fill("{{base64:64}}") for _ in range(20)]
    assert placeholder((" " * 16).join(f'"{line}\\n" +\n' for line in lines).encode()) is None
    assert placeholder(b"\n".join([b"A" * 64] * 20)) is not None


def test_a_value_its_vendor_published_is_known_by_its_hash(monkeypatch: pytest.MonkeyPatch):
    value = fill("{{alnum:32}}").encode()
    assert not well_known.well_known(value)
    code = well_known.blake2b(value, digest_size=8).digest()
    monkeypatch.setattr(well_known, "_HASHES", frozenset({code}))
    assert well_known.well_known(value)
    assert placeholder(value) == "its vendor has published it as an example"
