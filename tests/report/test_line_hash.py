"""
The hash that GitHub compares; the expected values are those of codeql-action's own tests.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.report.line_hash import LineHashes

_GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]
KNOWN = [
    pytest.param("", ["c129715d7a2bc9a3:1"], id="empty"),
    pytest.param(
        " a\nb\n  \t\tc\n d",
        ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        id="short lines",
    ),
    pytest.param(
        " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
        [
            "8b7cf3e952e7aeb2:1",
            "b1ae1287ec4718d9:1",
            "bff680108adb0fcc:1",
            "c6805c5e1288b612:1",
            "b86d3392aea1be30:1",
            "e6ceba753e1a442:1",
        ],
        id="no last line end",
    ),
    pytest.param(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", _GREETINGS, id="LF"),
    pytest.param(" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", _GREETINGS, id="CR"),
    pytest.param(
        " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", _GREETINGS, id="CRLF"
    ),
    pytest.param(
        " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", _GREETINGS, id="mixed line ends"
    ),
    pytest.param(
        "Lorem ipsum dolor sit amet.\n" * 10,
        [
            "a7f2ff13bc495cf2:1",
            "a7f2ff13bc495cf2:2",
            "a7f2ff13bc495cf2:3",
            "a7f2ff13bc495cf2:4",
            "a7f2ff13bc495cf2:5",
            "a7f2ff13bc495cf2:6",
            "a7f2ff1481e87703:1",
            "a9cf91f7bbf1862b:1",
            "55ec222b86bcae53:1",
            "cc97dc7b1d7d8f7b:1",
            "c129715d7a2bc9a3:1",
        ],
        id="equal lines are numbered",
    ),
]


@pytest.mark.parametrize(("text", "expected"), KNOWN)
def test_the_hashes_are_those_of_the_upload_action(text, expected):
    hashes = LineHashes(text.encode())

    assert [hashes.of(line) for line in range(1, len(expected) + 1)] == expected
    assert hashes.of(len(expected) + 1) is None
    assert hashes.of(0) is None


def rolling(text: str) -> list[str]:
    """
    Return the hashes the way the action goes: one unit at a time, over a ring of a hundred.
    """
    ring, numbers, raw, index, line = [0] * 100, [-1] * 100, 0, 0, 0
    start, after_cr, counts, found = True, False, {}, {}
    first = pow(37, 100, 1 << 64)

    def put() -> None:
        value = f"{raw:x}"
        counts[value] = counts.get(value, 0) + 1
        found[numbers[index]] = f"{value}:{counts[value]}"
        numbers[index] = -1

    def step(unit: int) -> None:
        nonlocal raw, index
        begin, ring[index] = ring[index], unit
        raw = (37 * raw + unit - first * begin) % (1 << 64)
        index = (index + 1) % 100

    data = text.encode("utf-16-le", errors="surrogatepass")
    units = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
    for unit in [*units, 65535]:
        if unit in (32, 9) or (after_cr and unit == 10):
            after_cr = False
            continue
        after_cr = unit == 13
        if numbers[index] != -1:
            put()
        if start:
            start, line = False, line + 1
            numbers[index] = line
        start = unit in (10, 13)
        step(10 if unit == 13 else unit)
    for _ in range(100):
        if numbers[index] != -1:
            put()
        step(0)
    return [found[number] for number in sorted(found)]


@given(st.text(alphabet="ab \t\r\né🔒", max_size=300))
def test_the_closed_form_equals_the_rolling_one(text):
    hashes, expected = LineHashes(text.encode()), rolling(text)

    assert [hashes.of(line) for line in range(1, len(expected) + 1)] == expected


@given(st.lists(st.sampled_from(["import os", "x = 1", ""]), max_size=20))
def test_lines_put_in_above_change_nothing(above):
    body = "token = lookup()\nother\n"
    before = LineHashes(body.encode()).of(1)
    after = LineHashes(("".join(f"{line}\n" for line in above) + body).encode())

    assert after.of(len(above) + 1) == before
