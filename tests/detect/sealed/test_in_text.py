"""
Keys and secrets as they stand in code, in comments and beside what is public.
"""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization

from scanner.detect.sealed import private_key
from scanner.detect.sealed.registry import seal_records
from tests.detect.sealed import makers

_KEY = (
    makers.rsa_key()
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(makers.PASSWORD),
    )
    .decode()
)
_PLUS = " +\n    ".join(f'"{line}\\n"' for line in _KEY.strip().split("\n"))
_DOTS = "\n    . ".join(f"'{line}\\n'" for line in _KEY.strip().split("\n"))


@pytest.mark.parametrize("text", [_KEY, f"KEY = {_PLUS};\n", f"$key = {_DOTS};\n"])
def test_a_sealed_key_is_sealed_however_its_literals_are_joined(text: str) -> None:
    assert [record.state for record in seal_records(text.encode(), b"Key.java")] == ["sealed"]


@pytest.mark.parametrize("leader", [" *   ", "// ", "# "])
def test_a_comment_that_tells_what_a_sealed_key_looks_like_is_none(leader: str) -> None:
    kind = "ENCRYPTED PRIVATE KEY"
    lines = [f"-----BEGIN {kind}-----", "Base64 private key", f"-----END {kind}-----"]
    text = "".join(f"{leader}{line}\n" for line in lines)
    assert seal_records(text.encode(), b"Parser.java") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "starts with a `{}` or `-----BEGIN PRIVATE KEY-----` header", id="code in a text"
        ),
        pytest.param(
            "expected = re.compile(r'{}.*-----END ENCRYPTED PRIVATE KEY-----')", id="pattern"
        ),
        pytest.param('if "{}" in text:\n    return True\n', id="comparison"),
        pytest.param('return "{}\\r\\n" .\n    chunk_split(encode($key), 64);\n', id="assembled"),
    ],
)
def test_a_line_that_only_speaks_of_a_sealed_key_is_none(text: str) -> None:
    data = text.format("-----BEGIN ENCRYPTED PRIVATE KEY-----").encode()
    assert private_key.check(data) == []


def test_plain_text_in_the_dress_of_a_sealed_key_is_still_fake() -> None:
    text = (
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nin here is no key, but a text\n"
        b"-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    assert [record.state for record in private_key.check(text)] == ["fake"]


def _secret(**data: bytes) -> bytes:
    lines = [f"  {name}: {base64.b64encode(value).decode()}\n" for name, value in data.items()]
    return ("apiVersion: v1\nkind: Secret\ndata:\n" + "".join(lines)).encode()


def test_the_place_of_an_open_secret_is_that_of_what_opens_something() -> None:
    found = seal_records(_secret(database=b"orders", password=b"correct horse"), b"secret.yaml")
    assert [(record.state, record.line) for record in found] == [("plaintext", 5)]


@pytest.mark.parametrize(
    "data",
    [{"username": b"ada"}, {"server": b"-----BEGIN CERTIFICATE-----\nMIIB"}],
    ids=["user name", "certificate"],
)
def test_what_is_public_lies_open_to_nobodys_harm(data: dict[str, bytes]) -> None:
    found = seal_records(_secret(**data), b"secret.yaml")
    assert [record.state for record in found] == ["reference"]
