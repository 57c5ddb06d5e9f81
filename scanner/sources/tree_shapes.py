"""
Trees of one shape behind one another: of most, only what changed is looked at.

Neighbours in a pack are versions of one folder.  Where one is as long as the one before
it and differs from it in ids alone, its names and modes are known, and so is every entry whose
id is the same.  Only the first of such a row, its *leader*, is taken apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scanner.history import Ints
from scanner.sources.packs import Bytes
from scanner.sources.tree_names import Entries

_ROUNDS = 8
Parse = Callable[[Bytes, Ints, Ints, int], Entries]
_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Buffer:
    """
    Whole trees with git's headers between them.
    """

    data: Bytes
    starts: Ints
    ends: Ints
    id_size: int


def sparse_entries(buffer: Buffer, parse: Parse) -> tuple[Entries, Entries]:
    """
    Return the entries of the trees of a buffer, each once for as many trees as it stays in its
    place (`Entries.lasts`): first those of leaders, then those that changed.  Also return
    the leaders' by themselves, their trees numbered by leader.

    `parse` takes trees apart, given their text, starts, ends, and the size of an id.
    """
    starts = buffer.starts
    leads = _leads(starts, buffer.ends)
    firsts, lasts = _differences(buffer, leads)
    trees = np.searchsorted(starts, firsts, side="right") - 1
    entries = _parsed(buffer, np.flatnonzero(leads), parse)
    slots = moved = firsts
    for round_ in range(1, _ROUNDS + 1):
        lead = np.flatnonzero(leads)[(np.cumsum(leads) - 1)[trees]]
        moved = starts[trees] - starts[lead]
        slots = np.searchsorted(entries.starts, firsts - moved, side="right") - 1
        known = _known(entries, slots, lead, np.stack([firsts, lasts]) - moved, buffer.id_size)
        if known.all():
            break
        # Names or modes changed: it is taken apart itself, and what follows compared with it.
        more = np.unique(trees if round_ == _ROUNDS else trees[~known])
        leads[more] = True
        entries = _merged(entries, _parsed(buffer, more, parse))
        left = ~leads[trees]
        firsts, lasts, trees, slots, moved = (
            firsts[left], lasts[left], trees[left], slots[left], moved[left],
        )  # fmt: skip
    once = np.ones(len(slots), bool)
    once[1:] = (slots[1:] != slots[:-1]) | (trees[1:] != trees[:-1])
    return _joined(entries, leads, slots[once], trees[once], moved[once])


def _joined(
    entries: Entries, leads: _Flags, slots: Ints, trees: Ints, moved: Ints
) -> tuple[Entries, Entries]:
    leading = np.cumsum(leads)[entries.trees] - 1
    until = (np.append(np.flatnonzero(leads)[1:], len(leads)) - 1)[leading]
    every = Entries(
        starts=np.concatenate([entries.starts, entries.starts[slots] + moved]),
        nuls=np.concatenate([entries.nuls, entries.nuls[slots] + moved]),
        trees=np.concatenate([entries.trees, trees]),
        lasts=_lasts(len(entries.starts), slots, trees, until),
        names=np.concatenate([entries.names, entries.names[slots] + moved]),
        hashes=np.concatenate([entries.hashes, entries.hashes[slots]]),
    )
    return every, replace(entries, trees=leading)


def _leads(starts: Ints, ends: Ints) -> _Flags:
    """
    Tell which trees are not as long, and as far from the one before, as that is from its own.
    """
    leads = np.ones(len(starts), bool)
    sizes, steps = ends - starts, starts[1:] - starts[:-1]
    leads[1:] = sizes[1:] != sizes[:-1]
    # Where git had nothing to say of an object between them, the way is longer.
    leads[2:] |= ~leads[1:-1] & (steps[1:] != steps[:-1])
    return leads


def _differences(buffer: Buffer, leads: _Flags) -> tuple[Ints, Ints]:
    """
    Return the first and last byte of each stretch that differs from the tree before.
    """
    data, starts, ends = buffer.data, buffer.starts, buffer.ends
    leaders = np.flatnonzero(leads)
    many = np.append(leaders[1:], len(starts)) - leaders
    found: list[Ints] = []
    rows = leaders[many > 1]
    for at, count, size, step in zip(
        starts[rows].tolist(),
        many[many > 1].tolist(),
        (ends - starts)[rows].tolist(),
        (starts[rows + 1] - starts[rows]).tolist(),
        strict=True,
    ):
        table = np.ndarray((count, size), np.uint8, buffer=data, offset=at, strides=(step, 1))
        spots = np.flatnonzero(table[1:] != table[:-1])
        found.append(spots + (spots // size) * (step - size) + (at + step))
    every = np.concatenate([*found, np.zeros(0, np.int64)])
    if not len(every):
        return every, every
    edges = np.flatnonzero(every[1:] != every[:-1] + 1)
    return every[np.append(0, edges + 1)], every[np.append(edges, len(every) - 1)]


def _parsed(buffer: Buffer, some: Ints, parse: Parse) -> Entries:
    """
    Return the entries of some of the trees, where they stand in the buffer.
    """
    data, id_size = buffer.data, buffer.id_size
    starts, ends = buffer.starts[some], buffer.ends[some]
    # With git's header before each, so that no id is near to another tree's.
    froms = np.maximum(starts - 2 * id_size, 0)
    pieces = [data[a:b] for a, b in zip(froms.tolist(), ends.tolist(), strict=True)]
    stops = np.cumsum(ends - froms)
    sizes = ends - starts
    entries = parse(np.concatenate([*pieces, data[:0]]), stops - sizes, stops, id_size)
    moved = (ends - stops)[entries.trees]
    return replace(
        entries,
        starts=entries.starts + moved,
        nuls=entries.nuls + moved,
        names=entries.names + moved,
        trees=some[entries.trees],
    )


def _merged(one: Entries, other: Entries) -> Entries:
    starts = np.concatenate([one.starts, other.starts])
    # Two rows in order each: sorting them is joining them.
    order = np.argsort(starts, kind="stable")
    return Entries(
        starts[order],
        np.concatenate([one.nuls, other.nuls])[order],
        np.concatenate([one.trees, other.trees])[order],
        np.concatenate([one.lasts, other.lasts])[order],
        np.concatenate([one.names, other.names])[order],
        np.concatenate([one.hashes, other.hashes])[order],
    )


def _known(entries: Entries, slots: Ints, leads: Ints, spans: Ints, id_size: int) -> _Flags:
    """
    Tell which spans lie within the id of the entry in their slot.
    """
    if not len(entries.starts):
        return np.zeros(len(slots), bool)
    nuls = entries.nuls[slots]
    inside: _Flags = (spans[0] > nuls) & (spans[1] <= nuls + id_size)
    inside &= (slots >= 0) & (entries.trees[slots] == leads)
    return inside


def _lasts(leading: int, slots: Ints, trees: Ints, until: Ints) -> Ints:
    """
    Return the last tree up to which each entry holds: leaders' entries first, then changes.
    """
    every = np.concatenate([np.arange(leading), slots])
    order = np.argsort(every, kind="stable")
    # A slot's changes stand in the order of their trees, behind the leader's own entry.
    same = every[order][1:] == every[order][:-1]
    result: Ints = until[every]
    behind = order[1:][same]
    result[order[:-1][same]] = trees[behind - leading] - 1
    return result
