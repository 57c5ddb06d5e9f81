"""
What is a piece of something larger, and what stands by itself.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.larger import piece_of_larger
from tests.lookalikes import fill


def told(text: str) -> bool:
    """
    `text` has the value in `⟦⟧`.
    """
    before, _, rest = fill(text).partition("⟦")
    value, _, after = rest.partition("⟧")
    data = (before + value + after).encode()
    start = len(before.encode())
    return piece_of_larger(data, start, start + len(value.encode()))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{{alnum:64}}\n⟦{{alnum:44}}⟧\n-----END", id="last line of a certificate"),
        pytest.param('"{{alnum:64}}\\n" +\n  "⟦{{alnum:40}}⟧"', id="a certificate in code"),
        pytest.param("{{alnum:30}}/⟦{{alnum:32}}⟧/ab", id="inside a line of base64"),
        pytest.param('"eyJ{{alnum:20}}.⟦{{alnum:32}}⟧.{{alnum:20}}"', id="body of a token"),
        pytest.param('"⟦eyJ{{alnum:17}}⟧.{{alnum:32}}.{{alnum:20}}"', id="head of a token"),
        pytest.param('hash = "sha256:⟦{{hex:64}}⟧"', id="a lock of Python"),
        pytest.param("acme-1.0.tgz#⟦{{hex:40}}⟧", id="a lock of JavaScript"),
        pytest.param("sha512-{{alnum:30}}/⟦{{alnum:20}}⟧", id="an integrity of the web"),
        pytest.param("acme v1.0 h1:⟦{{alnum:43}}⟧=", id="a sum of Go"),
        pytest.param("/packages/6d/12/⟦{{hex:60}}⟧/acme.whl", id="the path of a wheel"),
    ],
)
def test_a_piece_is_told(text: str):
    assert told(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("ACME_KEY=⟦{{alnum:64}}⟧", id="given to a name"),
        pytest.param("ACME_KEY=⟦{{alnum:64}}⟧==", id="padded"),
        pytest.param("https://acme.test/api/⟦{{hex:32}}⟧/send", id="in a path"),
        pytest.param("acme:\n  '⟦{{alnum:64}}⟧'", id="on a line of its own"),
        pytest.param("token\n⟦eyJ{{alnum:20}}.{{alnum:20}}.{{alnum:20}}⟧", id="a whole token"),
        pytest.param("{{alnum:64}}\nkey: ⟦{{alnum:40}}⟧", id="named, behind a long line"),
    ],
)
def test_what_stands_by_itself_is_no_piece(text: str):
    assert not told(text)


_RUN_BEFORE = re.compile(rb"[A-Za-z0-9+/]*\Z")
_RUN_AFTER = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
_DIGEST = re.compile(
    rb"(?i)(?:\b(?:sha-?(?:1|224|256|384|512)|md5|blake2b|h1)(?:[:=@-]|[\"']?\s?[:=]\s?[\"'])"
    rb"|\.t(?:ar\.)?gz#|/packages/[0-9a-f]{2}/[0-9a-f]{2}/)[A-Za-z0-9+/]*\Z"
)
_PIECES = st.sampled_from(
    [b"sha256", b"SHA-1", b"h1", b":", b"='", b'" = "', b"@", b"-", b".tgz#", b".TAR.GZ#", b"/",
     b"/packages/ab/0F/", b"ab/", b"x", b" ", b"=", b"==", b"Zm9v" * 16, b"0+/", b"xsha256", b"."]
)  # fmt: skip


def plainly(before: bytes, value: bytes, after: bytes) -> bool:
    """
    One pattern for each question, and each asked of all that stands there.
    """
    ahead, behind = _RUN_BEFORE.search(before), _RUN_AFTER.match(after)
    assert ahead
    assert behind
    beside = len(ahead[0]) + len(behind[0].rstrip(b"="))
    return bool(_DIGEST.search(before)) or (beside > 0 and beside + len(value) >= 60)


@given(
    before=st.lists(_PIECES, max_size=6).map(b"".join),
    value=st.sampled_from([b"v" * 8, b"v" * 30, b"v" * 60]),
    after=st.lists(_PIECES, max_size=3).map(b"".join),
)
def test_what_is_asked_of_the_ends_alone_is_as_true_of_the_whole(
    before: bytes, value: bytes, after: bytes
):
    data = before + value + after
    start = len(before)
    assert piece_of_larger(data, start, start + len(value)) == plainly(before, value, after)
