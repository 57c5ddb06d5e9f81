"""
Our own library takes commits apart as Python does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.native import library
from scanner.sources.commit_columns import commit_columns
from scanner.sources.commits import CommitLog
from scanner.sources.stream import ObjectBatch

TREE = b"tree " + b"0123456789abcdef" * 2 + b"01234567\n"
PARENT = b"parent " + b"fedcba9876543210" * 2 + b"fedcba98\n"
PEOPLE = b"author A <a@b> 1 +0000\ncommitter C <c@d> 1700000000 +0100"

line = st.sampled_from(
    [
        TREE, PARENT, b"parent short\n", b"author A <a@b> 1 +0000\n", b"committer C 12 +0000\n",
        b"committer C <c@d> -5 -0700\n", b"committer C <c@d> 99999999999999 +0000\n",
        b"committer C <c@d> soon +0000\n", b"committer \n", b"committer C <c@d> 5 +0000",
        b"encoding x\n", b"gpgsig -----BEGIN\n committer X 9 +0000\n -----END\n", b"\n",
        b"\nA message\n", b"committer 4\n", b"\xff\0 \n", TREE.upper(),
    ]
)  # fmt: skip
odd = st.lists(line, max_size=9).map(b"".join)
written = st.builds(
    lambda parents, rest, text: TREE + PARENT * parents + PEOPLE + rest + text,
    st.integers(0, 3),
    st.sampled_from([b"", b"\n", b"\nencoding x\ngpgsig a\n b\n"]),
    st.sampled_from([b"", b"\n", b"\n\n", b"\n\nText", b"\n\nText\n\nand more\n", b"\n\n\n\n"]),
)


def batch_of(texts: Sequence[bytes]) -> ObjectBatch:
    data, starts, ends = bytearray(b"header\n"), [], []
    for text in texts:
        starts.append(len(data))
        data += text
        ends.append(len(data))
        data += b"\nheader\n"
    ids = np.arange(len(texts) * 20, dtype=np.uint8).reshape(len(texts), 20)
    return ObjectBatch(memoryview(data), starts, ends, "commit", ids, np.arange(len(texts)))


def told(texts: Sequence[bytes], *, pure: bool) -> tuple[object, ...]:
    log = CommitLog(20)
    with pytest.MonkeyPatch.context() as patch:
        if pure:
            patch.setattr("scanner.sources.commits.library", lambda: None)
        parts = [
            (list(one.starts), list(one.ends), one.owners, one.parts)
            for one in log.split([batch_of(texts), batch_of(texts[:1])])
        ]
    graph = log.commits()
    columns = graph.trees, graph.times, graph.child_rows, graph.parent_keys, graph.ids
    return parts, [column.tolist() for column in columns]


@given(st.lists(written | odd, max_size=4))
def test_both_say_the_same(texts: list[bytes]) -> None:
    assert told(texts, pure=False) == told(texts, pure=True)


@pytest.mark.skipif(library() is None, reason="the library was not built")
@given(st.lists(written, min_size=1, max_size=4))
def test_what_git_writes_is_not_left_to_python(texts: list[bytes]) -> None:
    built = library()
    assert built is not None
    assert commit_columns(built, batch_of(texts), 20) is not None
