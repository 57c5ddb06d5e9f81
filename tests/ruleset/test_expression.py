"""
Patterns made weaker for the first pass.
"""

from __future__ import annotations

import re

import pytest

from scanner.ruleset.expression import weaken


@pytest.mark.parametrize(
    ("pattern", "expected", "before"),
    [
        pytest.param(rb"(?P<secret>abc[0-9]{5,})(?!x)", rb"(?:abc(?:[0-9]){5})", 8, id="open end"),
        pytest.param(rb"(?<![a-z])x?abc(?:\s+)?", rb"abc", 4, id="optional ends"),
        pytest.param(rb"abc(?:d|e+)", rb"abc(?:d|(?:e){1})", 4, id="branches"),
        pytest.param(rb"a.c", rb"a[^\n]c", 3, id="dot"),
        pytest.param(rb"(?s)a.c", rb"a[\x00-\xff]c", 3, id="dot that matches all"),
        pytest.param(rb"ab[a-z]{1,900}c", rb"ab(?:[a-z]){1,}c", 903, id="long repeat"),
        pytest.param(
            rb"a[\s\S]{1,90}c",
            rb"a(?:[\x09-\x0d\x20\x00-\x08\x0e-\x1f\x21-\xff]){1,90}c",
            92,
            id="over lines",
        ),
        pytest.param(
            rb"a[\s\S]{1,9000}c",
            rb"a(?:[\x09-\x0d\x20\x00-\x08\x0e-\x1f\x21-\xff]){1,}c",
            9002,
            id="far over lines",
        ),
    ],
)
def test_a_pattern_is_weakened(pattern, expected, before):
    weak = weaken(pattern)
    assert (weak.pattern, weak.before) == (expected, before)
    re.compile(weak.pattern)


def test_case_is_a_flag():
    assert weaken(rb"(?i)abc").caseless
    assert weaken(rb"abc(?i:D)").pattern == rb"abc(?i:D)"


@pytest.mark.parametrize("pattern", [rb"a?b*", rb"(?P<a>x+)abc(?P=a)"], ids=["optional", "back"])
def test_what_cannot_be_weakened_is_refused(pattern):
    with pytest.raises(ValueError, match=r"optional|cannot express"):
        weaken(pattern)


def test_behind_something_else_the_head_keeps_its_bounds():
    assert weaken(rb"[0-9]{3,9}-x").pattern == rb"(?:[0-9]){3}\x2dx"
    assert weaken(rb"[0-9]{3,9}-x", head=False).pattern == rb"(?:[0-9]){3,9}\x2dx"
