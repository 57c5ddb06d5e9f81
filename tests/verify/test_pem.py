"""
Keys and certificates in the forms of repositories.
"""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.verify.pem import certificate_for, pem_of
from tests.verify.clients import Clients

CLIENTS = Clients()
CERTIFICATE, KEY = CLIENTS.issue("web")
FORMS = {
    "as it is": CERTIFICATE,
    "indented": "".join(f"      {line}\n" for line in CERTIFICATE.splitlines()),
    "escaped": CERTIFICATE.replace("\n", "\\n"),
    "Windows": CERTIFICATE.replace("\n", "\r\n"),
    "base64": base64.b64encode(CERTIFICATE.encode()).decode(),
    "with words around it": f"Bag attributes: none\n{CERTIFICATE}\nthe end",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_is_read(text: str) -> None:
    assert pem_of(text) == CERTIFICATE.encode()


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----", "aGVsbG8=", "-----BEGIN X-----" + "a" * 200_000 + "-----END X-----"])  # fmt: skip
def test_is_no_pem(text: str) -> None:
    assert pem_of(text) is None


@given(st.text(max_size=200))
def test_nothing_breaks_it(text: str) -> None:
    pem_of(text)
    pem_of("-----BEGIN " + text)


def test_the_certificate_of_a_key_is_found_among_others() -> None:
    others = [CLIENTS.issue("other")[0].encode(), b"-----BEGIN CERTIFICATE-----"]

    assert certificate_for(KEY.encode(), [*others, CERTIFICATE.encode()]) == CERTIFICATE.encode()
    assert certificate_for(KEY.encode(), others) is None
    assert certificate_for(b"no key", [CERTIFICATE.encode()]) is None
