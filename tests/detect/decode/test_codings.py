"""
Which codings are undone, and what is left alone.
"""

from __future__ import annotations

import base64
import re
import textwrap
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.decode.escapes import unbackslash, unpercent
from tests.detect.decode.driving import Drive, Purse
from tests.lookalikes import fill

TOKEN = fill("ghp_{{alnum:36}}", seed=3)
LINE = f'github_token = "{TOKEN}"\n'
DRIVE = Drive()


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def each(form: str, text: str = LINE.strip()) -> str:
    return "".join(form % ord(character) for character in text)


FOUND = [
    pytest.param(f"data: {b64(LINE)}\n", ("base64",), id="base64"),
    pytest.param(f"data: {b64(LINE).rstrip('=')}\n", ("base64",), id="base64 without padding"),
    pytest.param(
        base64.urlsafe_b64encode(("~~~???" + LINE).encode()).decode(),
        ("base64",),
        id="URL alphabet",
    ),
    pytest.param(f"data: {b64(b64(LINE))}\n", ("base64", "base64"), id="base64 twice"),
    pytest.param(
        "key: |\n" + textwrap.indent("\n".join(textwrap.wrap(b64("x" * 70 + LINE), 64)), "  "),
        ("base64",),
        id="base64, wrapped and indented",
    ),
    pytest.param(
        "const key = '" + "' +\n  '".join(textwrap.wrap(b64("x" * 70 + LINE), 60)) + "';\n",
        ("base64",),
        id="base64, wrapped in joined literals",
    ),
    pytest.param(f"{LINE.encode().hex()}\n", ("hex",), id="hex"),
    pytest.param(f"{LINE.encode().hex().upper()}\n", ("hex",), id="upper-case hex"),
    pytest.param(
        "\n".join(textwrap.wrap(("x" * 20 + LINE).encode().hex(), 60)), ("hex",), id="wrapped hex"
    ),
    pytest.param("q=" + each("%%%02X"), ("percent",), id="percent, every character"),
    pytest.param("q=" + urllib.parse.quote(LINE), ("percent",), id="percent, as URLs have it"),
    pytest.param('{"t":"' + each(r"\u%04x") + '"}', ("json-escape",), id="escapes of JSON"),
    pytest.param('t = "' + each(r"\x%02x") + '"', ("json-escape",), id="escapes of C"),
    pytest.param(
        '{"log": "first\\n' + TOKEN + '\\n"}', ("json-escape",), id="an escaped line end before it"
    ),
    pytest.param(each("&#%d;"), ("html-entity",), id="decimal entities"),
    pytest.param(each("&#x%x;"), ("html-entity",), id="hexadecimal entities"),
    pytest.param(f'"{TOKEN[:20]}" \\\n    "{TOKEN[20:]}"', ("string-concatenation",), id="Python"),
    pytest.param(f"'{TOKEN[:9]}' +\n  '{TOKEN[9:]}';", ("string-concatenation",), id="JavaScript"),
    pytest.param(f'"{TOKEN[:9]}"\n + "{TOKEN[9:]}";', ("string-concatenation",), id="Java"),
    pytest.param(f"'{TOKEN[:9]}' . '{TOKEN[9:]}';", ("string-concatenation",), id="PHP"),
    pytest.param(
        f'"{TOKEN[:9]}" + "{TOKEN[9:20]}" + "{TOKEN[20:]}"', ("string-concatenation",), id="three"
    ),
    pytest.param(f'"{TOKEN[:9]}" & _\n  "{TOKEN[9:]}"', ("string-concatenation",), id="Basic"),
]


@pytest.mark.parametrize(("text", "decoded"), FOUND)
def test_a_coded_token_is_found(text: str, decoded: tuple[str, ...]) -> None:
    assert decoded in [one.decoded for one in DRIVE.finds(TOKEN, text.encode())]


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", [pytest.param("\ufeff", id="marked"), pytest.param("", id="bare")])
def test_wide_text_is_found(coding: str, mark: str) -> None:
    data = (mark + "Grüße\n" + LINE).encode(coding)

    assert [one.decoded for one in DRIVE.finds(TOKEN, data)] == [(coding,)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LINE, id="plain"),
        pytest.param("def docFileReader(): return theSecretTokenReader", id="camel case"),
        pytest.param("sha256:" + "0123456789abcdef" * 4, id="a digest"),
        pytest.param(
            "data: " + b64("nothing to see, move on please, as there is nothing"), id="b64"
        ),
        pytest.param("width: 50%; margin: 10%", id="percent signs"),
        pytest.param("https://example.org/?q=a%20b%26c", id="an ordinary query"),
        pytest.param(r'print("one\ntwo\n")', id="line ends in a literal"),
        pytest.param('["one",\n "two"]', id="a list of literals"),
        pytest.param("&amp;&#8212;&quot;", id="ordinary entities"),
        pytest.param(
            "kind: SecretStore\ndata:\n  a: aGVsbG8gd29ybGQ=\n", id="no Kubernetes Secret"
        ),
        pytest.param("", id="empty"),
    ],
)
def test_what_hides_nothing_costs_nothing(text: str) -> None:
    assert DRIVE.texts(text.encode()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "kind: Secret\ndata:\n  password: aHVudGVyMjIyMg==\n",
            b"password: hunter2222\n",
            id="yaml",
        ),
        pytest.param(
            '{"kind": "Secret", "data": {\n "password": "aHVudGVyMjIyMg=="\n}}',
            b"password: hunter2222\n",
            id="json",
        ),
        pytest.param(
            '{"kind":"Secret","data":{"password":"aHVudGVyMjIyMg=="}}',
            b"password: hunter2222\n",
            id="compact json",
        ),
        pytest.param(
            "Authorization: Basic YWRhOmh1bnRlcjIyMjI=",
            b'username = "ada"\npassword = "hunter2222"\n',
            id="basic authentication",
        ),
        pytest.param(
            '{"auths": {"r.example": {"auth": "YWRhOmh1bnRlcjIyMjI="}}}',
            b'username = "ada"\npassword = "hunter2222"\n',
            id="docker",
        ),
        pytest.param(
            "//r.example/:_password=aHVudGVyMjIyMg==", b'password = "hunter2222"\n', id="npm"
        ),
    ],
)
def test_a_value_that_must_be_base64_keeps_its_name(text: str, expected: bytes) -> None:
    found = [one for one in DRIVE.texts(text.encode()) if one.data == expected]

    assert [one.decoded for one in found] == [("base64",)]
    assert found[0].start is not None


@given(before=st.binary(max_size=40), after=st.binary(max_size=40), width=st.integers(20, 90))
def test_base64_is_found_at_any_alignment_and_wrapping(
    before: bytes, after: bytes, width: int
) -> None:
    data = before + b"\n" + TOKEN.encode() + b"\n" + after
    # Where a line ends inside the coded prefix, nothing tells that it is one.
    wrapped = "\n".join(textwrap.wrap(b64(data), width - width % 4))
    at = (len(before) + 1) * 4 // 3
    broken = any(c % (width - width % 4) == 0 for c in range(at, at + 8))

    assert broken or DRIVE.finds(TOKEN, f"value:\n{wrapped}\n".encode())


@given(before=st.binary(max_size=30), after=st.binary(max_size=30))
def test_hex_is_found_between_any_bytes(before: bytes, after: bytes) -> None:
    data = before + b"\n" + TOKEN.encode() + b"\n" + after

    assert DRIVE.finds(TOKEN, b"<" + data.hex().encode() + b">")


@given(text=st.text(max_size=60), coding=st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_marked_wide_text_is_found_between_any_characters(text: str, coding: str) -> None:
    marked = f"\ufeff {TOKEN} {text}".encode(coding, errors="replace")

    assert DRIVE.finds(TOKEN, marked)


def test_base64_for_ever_ends() -> None:
    text = LINE.encode()
    for _ in range(12):
        text = base64.b64encode(text)

    assert len(DRIVE.texts(text, purse=Purse(), most_depth=8)) <= 8


_ESCAPE_PIECES = st.sampled_from(
    [rb"\x4", rb"\x41", rb"\x4g", rb"\u0041", rb"\u{1f600}", rb"\U0001f600", rb"\101", rb"\9", rb"\n", b"\\",
     rb"\/", b"%", b"%4", b"%41", b"%4G", b"%e9", b"a", b"1", b"F", b"\n"]
)  # fmt: skip
_SIMPLY = {b"n": b"\n", b"a": b"\a", b"b": b"\b", b"f": b"\f"}


def character(digits: bytes) -> bytes:
    return chr(int(digits, 16)).encode()


@given(st.lists(_ESCAPE_PIECES, max_size=12).map(b"".join))
def test_each_escape_is_undone_once_from_left_to_right(text: bytes):
    percent = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), text)
    assert unpercent(text) == percent
    plain, at = b"", 0
    while at < len(text):
        rest = text[at:]
        for form, undone in (
            (rb"\\x([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)])),
            (rb"\\u([0-9A-Fa-f]{4})", lambda m: character(m[1])),
            (rb"\\u\{([0-9A-Fa-f]{1,6})\}", lambda m: character(m[1])),
            (rb"\\U([0-9A-Fa-f]{8})", lambda m: character(m[1])),
            (rb"\\([0-3][0-7]{2})", lambda m: bytes([int(m[1], 8)])),
            (rb"\\([abefnrtv\"'/\\])", lambda m: _SIMPLY.get(m[1], m[1])),
        ):
            found = re.match(form, rest)
            if found:
                plain, at = plain + undone(found), at + found.end()
                break
        else:
            plain, at = plain + rest[:1], at + 1
    assert unbackslash(text) == plain
