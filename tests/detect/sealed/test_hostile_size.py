"""
Large and hostile manifests: work that grows with the size, and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from scanner.detect.sealed.registry import CHECKERS, seal_records
from tests.conftest import calls_of
from tests.detect.sealed import makers

SECRET = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: n\n"
ITEM = b"- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: n\n  data:\n    p: aHVudGVyMg==\n"
LIST = b"apiVersion: v1\nkind: List\nitems:\n"
VAULTS = b"\n".join(makers.inline(f"k{n}", seed=n % 9) for n in range(5))


def bomb(depth: int) -> bytes:
    lines = [b"a: &a [" + b",".join([b"x"] * 9) + b"]"]
    for number in range(depth):
        name, before = b"%c" % (98 + number), b"*%c" % (97 + number)
        lines.append(name + b": &" + name + b" [" + b",".join([before] * 9) + b"]")
    return SECRET + b"\n".join([*lines, b"data: *%c\n" % (97 + depth)])


@pytest.mark.parametrize(
    ("path", "made"),
    [
        pytest.param(b"vars.yml", lambda n: VAULTS * n, id="inline vaults"),
        pytest.param(b"vars.yml", lambda n: b"$ANSIBLE_VAULT;x" * n, id="headers on one line"),
        pytest.param(b"vars.yml", lambda n: b'!vault "x" ' * n, id="tags on one line"),
        pytest.param(b"m.yaml", lambda n: SECRET + b"data: " + b"[" * 50 * n, id="nested"),
        pytest.param(b"m.yaml", lambda n: b"kind: Secret\n" + b"---\n" * 50 * n,
                     id="empty documents"),
        pytest.param(b"m.yaml", lambda n: SECRET + b"stringData:\n" + b"  a: {{ x }}\n" * 9 * n,
                     id="templates"),
        pytest.param(b"m.yaml", lambda n: (b"---\n" + SECRET + b"data:\n  p: aHVudA==\n") * n,
                     id="documents"),
        pytest.param(b"m.yaml", lambda n: LIST + ITEM * n, id="a list of Secrets"),
        pytest.param(
            b"m.yaml",
            lambda n: b"a: &a\n  p: aHVudA==\n" + LIST
            + b"- {apiVersion: v1, kind: Secret, data: *a}\n" * n,
            id="aliases",
        ),
        pytest.param(b"m.yaml", lambda n: b"kind: Config\n" + b"a: b\n" * 50 * n,
                     id="no users follow"),
    ],
)  # fmt: skip
def test_work_grows_with_the_size_and_no_faster(path: bytes, made: Callable[[int], bytes]) -> None:
    seal_records(made(2), path)  # what is compiled or loaded once is no work of a text
    small, large = (calls_of(lambda n=n: seal_records(made(n), path)) for n in (40, 160))

    assert large <= small * 4.4


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(bomb(12), id="a bomb of aliases"),
        pytest.param(SECRET + b"data: &a\n  b: *a\n", id="an alias of itself"),
        pytest.param(SECRET + b"data:\n  k: " + b"a" * 5_000_000, id="a long line"),
    ],
)
def test_what_would_unfold_is_left_folded(data: bytes) -> None:
    assert calls_of(lambda: seal_records(data, b"m.yaml")) < 20_000


def test_what_aliases_reach_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.detect.sealed.structure.MAX_LEAVES", 1_000)
    values = b"a: &a\n" + b"".join(b"  k%d: aHVudA==\n" % n for n in range(100))
    aliases = b"- {apiVersion: v1, kind: Secret, data: *a}\n"

    records = seal_records(values + LIST + aliases * 50, b"m.yaml")

    assert [one.state for one in records].count("plaintext") == 10


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda one: one.name)
def test_the_words_of_a_checker_stand_in_whatever_its_literals_fit(checker) -> None:
    for literal in checker.literals:
        bare = re.sub(rb"\\(.)", rb"\1", literal)
        assert any(word in bare for word in checker.words), literal
