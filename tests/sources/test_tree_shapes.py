"""
Trees of one shape: what is not looked at twice is known all the same.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.history import long_hashes
from scanner.native import library
from scanner.sources.packs import Bytes
from scanner.sources.tree_entries import TreeReader
from scanner.sources.tree_names import Entries
from scanner.sources.tree_shapes import Buffer, sparse_entries
from scanner.sources.trees import parse

SIZE = 20
Tree = list[tuple[bytes, bytes, bytes]]

# Ids with NULs, blanks and digits in them look like names and modes.
IDS = st.sampled_from(
    [b"\0" * 20, b"40000 a\0" * 2 + b"\0\0\0\0", b"x" * 20, b"x" * 19 + b"\0", b"\0" + b"y" * 19]
)
ENTRIES = st.tuples(
    st.sampled_from([b"100644", b"100755", b"40000"]), st.sampled_from([b"a", b"b", b"long"]), IDS
)
CHANGES = st.lists(st.tuples(st.integers(0, 5), ENTRIES, st.booleans()), max_size=3)


def versions(first: Tree, steps: list[list[tuple[int, tuple[bytes, bytes, bytes], bool]]]):
    trees = [first]
    for changes in steps:
        tree = list(trees[-1])
        for at, entry, whole in changes:
            if at < len(tree):
                tree[at] = entry if whole else (*tree[at][:2], entry[2])
        trees.append(tree)
    return trees


TREES = st.lists(
    st.builds(versions, st.lists(ENTRIES, max_size=5), st.lists(CHANGES, max_size=6)),
    min_size=1,
    max_size=4,
).map(lambda groups: [tree for group in groups for tree in group])


def buffer_of(trees: list[Tree], gaps: set[int]) -> tuple[Bytes, list[int], list[int]]:
    data, starts, ends = b"", [], []
    for number, tree in enumerate(trees):
        if number in gaps:
            data += b"f" * 40 + b" missing\n"
        text = b"".join(mode + b" " + name + b"\0" + child for mode, name, child in tree)
        data += b"f" * 40 + b" tree %d\n" % len(text)
        starts.append(len(data))
        data += text
        ends.append(len(data))
        data += b"\n"
    return np.frombuffer(data, np.uint8), starts, ends


def spelled(data: Bytes, entries: Entries) -> list[tuple[int, bytes, bytes]]:
    return sorted(
        (
            tree,
            data[start:nul].tobytes(),
            data[nul + 1 : nul + 1 + SIZE].tobytes(),
        )
        for start, nul, first, last in zip(
            entries.starts, entries.nuls, entries.trees, entries.lasts, strict=True
        )
        for tree in range(first, last + 1)
    )


@given(TREES, st.sets(st.integers(0, 8), max_size=2))
def test_every_entry_of_every_tree_is_known(trees: list[Tree], gaps: set[int]) -> None:
    data, starts, ends = buffer_of(trees, gaps)

    every, _ = sparse_entries(Buffer(data, np.array(starts), np.array(ends), SIZE), parse)

    assert spelled(data, every) == sorted(
        (number, mode + b" " + name, child)
        for number, tree in enumerate(trees)
        for mode, name, child in tree
    )
    assert [data[a:b].tobytes() for a, b in zip(every.names, every.nuls, strict=True)] == [
        data[a:b].tobytes().partition(b" ")[2]
        for a, b in zip(every.starts, every.nuls, strict=True)
    ]


@pytest.mark.skipif(library() is None, reason="there is no C compiler")
@given(TREES, st.sets(st.integers(0, 8), max_size=2), st.booleans())
def test_the_library_knows_every_entry_too(
    trees: list[Tree], gaps: set[int], in_order: bool
) -> None:
    if in_order:
        trees = [sorted(tree, key=lambda entry: entry[1]) for tree in trees]
    data, starts, ends = buffer_of(trees, gaps)
    every = reader().entries(data, np.array(starts), np.array(ends))

    assert spelled(data, every) == sorted(
        (number, mode + b" " + name, child)
        for number, tree in enumerate(trees)
        for mode, name, child in tree
    )
    names = [data[a:b].tobytes() for a, b in zip(every.names, every.nuls, strict=True)]
    assert names == [
        data[a:b].tobytes().partition(b" ")[2]
        for a, b in zip(every.starts, every.nuls, strict=True)
    ]
    assert every.hashes.tolist() == [hashed(name) for name in names]


def reader(most: int = 16) -> TreeReader:
    built = library()
    assert built is not None
    made = TreeReader(built, SIZE)
    made._make_room(most)
    return made


def hashed(name: bytes) -> int:
    padded = np.frombuffer(name + bytes(16), np.uint8)
    return int(long_hashes(padded, np.array([0]), np.array([len(name)]))[0])


@pytest.mark.skipif(library() is None, reason="there is no C compiler")
def test_the_library_tells_once_what_stays() -> None:
    names = [b"file-%02d" % n for n in range(50)]
    first = [(b"100644", name, b"\1" * 20) for name in names]
    steps = [[(number, (*first[0][:2], b"\2" * 20), False)] for number in (3, 3, 7)]
    trees = [*versions(first, steps), [e for e in first if e[1] != b"file-20"]]
    data, starts, ends = buffer_of(trees, set())

    every = reader(most=64).entries(data, np.array(starts), np.array(ends))

    told = list(zip(every.trees.tolist(), every.lasts.tolist(), strict=True))
    assert told[50:] == [(1, 3), (3, 3), (4, 4), (4, 4)]
    assert sorted(told[:50]) == sorted([(0, 0), (0, 2), (0, 3)] + [(0, 4)] * 47)


@pytest.mark.skipif(library() is None, reason="there is no C compiler")
@given(st.lists(st.binary(max_size=90), min_size=1, max_size=5))
def test_the_library_gets_through_anything(texts: list[bytes]) -> None:
    data = np.frombuffer(b"f" * 48 + (b"\n" * 48).join(texts) + b"\n" * 48, np.uint8)
    sizes = np.array([len(text) for text in texts])
    starts = 48 + np.cumsum(sizes + 48) - sizes - 48

    every = reader().entries(data, starts, starts + sizes)

    assert (every.starts >= starts[every.trees]).all()
    assert (every.nuls < (starts + sizes)[every.trees]).all()
    assert (every.names <= every.nuls).all()
    assert (every.lasts >= every.trees).all()
    assert (every.lasts < len(texts)).all()


def test_of_versions_only_what_changed_is_told() -> None:
    names = [b"file-%d" % n for n in range(50)]
    first = [(b"100644", name, b"\1" * 20) for name in names]
    steps = [[(number, (*first[0][:2], b"\2" * 20), False)] for number in (3, 3, 7)]
    data, starts, ends = buffer_of(versions(first, steps), set())

    every, leading = sparse_entries(Buffer(data, np.array(starts), np.array(ends), SIZE), parse)

    assert len(leading.starts) == 50
    # The second step changed nothing.
    assert [(int(a), int(b)) for a, b in zip(every.trees[50:], every.lasts[50:], strict=True)] == [
        (1, 3),
        (3, 3),
    ]
