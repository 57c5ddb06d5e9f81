"""
Large and hostile manifests: time that grows with the size, and no faster.
"""

from __future__ import annotations

import time

import pytest

from scanner.detect.sealed.registry import seal_records
from tests.detect.sealed import makers

SECRET = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: n\n"


def bomb() -> bytes:
    lines = [b"a: &a [" + b",".join([b"x"] * 9) + b"]"]
    for number in range(12):
        name, before = b"%c" % (98 + number), b"*%c" % (97 + number)
        lines.append(name + b": &" + name + b" [" + b",".join([before] * 9) + b"]")
    return SECRET + b"\n".join([*lines, b"data: *m\n"])


@pytest.mark.parametrize(
    ("path", "data"),
    [
        pytest.param(
            b"vars.yml",
            b"\n".join(makers.inline(f"k{n}", seed=n % 9) for n in range(40)) * 150,
            id="thousands of inline vaults",
        ),
        pytest.param(b"m.yaml", bomb(), id="a bomb of aliases"),
        pytest.param(b"m.yaml", SECRET + b"data: &a\n  b: *a\n", id="an alias of itself"),
        pytest.param(b"m.yaml", SECRET + b"data: " + b"[" * 1_000_000, id="nested without end"),
        pytest.param(b"m.yaml", SECRET + b"data:\n  k: " + b"a" * 5_000_000, id="a long line"),
        pytest.param(b"m.yaml", b"kind: Secret\n" + b"---\n" * 500_000, id="empty documents"),
        pytest.param(
            b"m.yaml",
            SECRET + b"stringData:\n" + b"  a: {{ x }}\n" * 100_000,
            id="templates without end",
        ),
        pytest.param(b"m.yaml", (b"---\n" + SECRET + b"data:\n  p: aHVudGVyMg==\n") * 10_000,
                     id="thousands of documents"),
        pytest.param(b"m.yaml", b"kind: Config\n" + b"a: b\n" * 400_000, id="no users follow"),
    ],
)  # fmt: skip
def test_time_is_bounded(path: bytes, data: bytes) -> None:
    begun = time.process_time()

    seal_records(data, path)

    # Far from what a busy machine takes; what grows faster than the text takes hours.
    assert time.process_time() - begun < 60
