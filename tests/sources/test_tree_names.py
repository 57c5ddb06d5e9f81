"""
Names in trees: each is told where it came in, and only there.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.history import name_hash
from scanner.sources.packs import Bytes
from scanner.sources.stream import ObjectBatch
from scanner.sources.tree_names import NameLog, NamePatterns, fresh, names_of
from scanner.sources.trees import parse

IDS = st.integers(0, 5).map(lambda n: bytes([n * 40 % 256] * 20))
NAMES = st.sampled_from(["a", "readme", "a-rather-long-name-of-a-file-in-a-folder.txt", "key"])
TREES = st.lists(
    st.lists(st.tuples(st.sampled_from([b"100644", b"40000", b"120000"]), NAMES, IDS), max_size=6),
    min_size=1,
    max_size=6,
)


def batch_of(trees: list[list[tuple[bytes, str, bytes]]]) -> ObjectBatch:
    data, starts, ends = b"", [], []
    for tree in trees:
        data += b"header\n"
        starts.append(len(data))
        for mode, name, child in tree:
            data += mode + b" " + name.encode() + b"\0" + child
        ends.append(len(data))
        data += b"\n"
    ids = np.arange(len(trees) * 20, dtype=np.uint8).reshape(-1, 20)
    return ObjectBatch(memoryview(data), starts, ends, "tree", ids, np.arange(len(trees)))


def taken_apart(batch: ObjectBatch):
    data: Bytes = np.frombuffer(batch.data, np.uint8)
    words = np.ndarray((len(data) - 7,), ">u8", buffer=data, strides=(1,))
    entries = parse(data, np.array(batch.starts), np.array(batch.ends), 20)
    return words, entries


@given(TREES)
def test_an_entry_is_fresh_unless_the_tree_before_has_it_in_its_place(trees) -> None:
    batch = batch_of(trees)
    words, entries = taken_apart(batch)

    found = set(fresh(words, entries).tolist())

    expected, row = set(), 0
    for number, tree in enumerate(trees):
        before = trees[number - 1] if number else []
        for at, entry in enumerate(tree):
            from_end = len(tree) - at
            same = at < len(before) and before[at][1:] == entry[1:]
            same |= from_end <= len(before) and before[-from_end][1:] == entry[1:]
            if not same:
                expected.add(row)
            row += 1
    # The mode is no part of it: the kind of a child is that of its id.
    assert expected <= found
    assert len(found) - len(expected) <= sum(
        a[1:] == b[1:] and a[0] != b[0] for t in trees for a in t for u in trees for b in u
    )


@given(TREES)
def test_names_are_handed_over_whole_with_where_they_stand(trees) -> None:
    batch = batch_of(trees)
    words, entries = taken_apart(batch)
    rows = fresh(words, entries)

    names = names_of(batch, entries, rows)

    flat = [(number, name) for number, tree in enumerate(trees) for _, name, _ in tree]
    for index, row in enumerate(rows.tolist()):
        number, name = flat[row]
        document = names.document(index)
        start = batch.starts[number] + document.offset
        assert names.data[names.starts[index] : names.ends[index]] == name.encode()
        assert bytes(batch.data[start : start + len(name)]) == name.encode()
        assert document.blob == batch.ids[number].tobytes().hex()
        assert names.hashes[index] >> np.uint64(32) == name_hash(name.encode())


@given(TREES)
def test_patterns_find_whole_names(trees) -> None:
    batch = batch_of(trees)
    _, entries = taken_apart(batch)
    rows = np.arange(len(entries.nuls))
    names = names_of(batch, entries, rows)

    found = NamePatterns([b"read[^\\x00]*", b"ey"]).rows(names).tolist()

    flat = [name for tree in trees for _, name, _ in tree]
    assert found == [row for row, name in enumerate(flat) if name == "readme"]


def test_a_name_is_met_once_unless_it_matters() -> None:
    log = NameLog()
    names = np.array([1 << 60, 2 << 60, 1 << 60], np.uint64)

    assert log.unmet(names).tolist() == [0, 1, 2]
    assert log.unmet(names).tolist() == []
    log.mark(names[:1])
    assert log.unmet(names).tolist() == [0, 2]
    assert log.marked(names).tolist() == [True, False, True]
