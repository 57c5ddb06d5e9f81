"""
Packs read by code of our own, where it was built: texts, and what each has in common with its base.

`packs.c` does the work and says why; this is how it is called.  Where it was not built, and for
whatever it leaves alone, git reads.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scanner.native import NUMBER, POINTER, address, column, library
from scanner.ruleset.reach import FAR, REACH
from scanner.sources.batch import Pieces, Shared
from scanner.sources.packs import Ints

_KEPT = 1 << 15
"""So many documents back one may be the base of another."""

_TEXT_BYTES = 4 << 20
_DOCS = 1 << 13
_BLOCKS = 1 << 16
_HELD_BYTES = 12 << 20
"""Of texts that may be bases: more would not stay in the processor's own memory."""
_LEAST_BLOCK = 256
"""Bytes: a shorter stretch in common is looked at anyway, for what stands around it."""


class _Batch(ctypes.Structure):
    _fields_ = [
        ("text", POINTER),
        *(
            (name, NUMBER)
            for name in ("text_most", "docs_most", "blocks_most", "pieces_most", "gap")
        ),
        *((name, POINTER) for name in ("starts", "ends", "rows", "bases", "block_stops")),
        *((name, POINTER) for name in ("blocks", "failed")),
        *((name, NUMBER) for name in ("docs", "used", "failures", "blocks_count", "first")),
    ]


class _Pieces(ctypes.Structure):
    _fields_ = [
        ("text", POINTER),
        ("reach", NUMBER),
        ("far", NUMBER),
        *((name, POINTER) for name in ("places", "shifts", "owners")),
        *((name, NUMBER) for name in ("size", "count")),
    ]


@dataclass(frozen=True, slots=True)
class Read:
    """
    Some objects, whole, behind one another.
    """

    text: memoryview
    starts: Sequence[int]
    ends: Sequence[int]
    places: Ints
    """Where each stands among the offsets asked for."""

    failed: Ints
    """Which of them were left to git."""

    done: int
    """How many were dealt with."""

    shared: Shared | None


class PackReader:
    """
    Reads one pack; what it returns is valid until it is asked again.
    """

    def __init__(self, pack: Path, id_size: int, *, cutting: bool) -> None:
        """
        With `cutting`, it says what each object has in common with its base; without, objects
        stand as far apart as git's headers keep them.

        Raise `OSError` where the pack cannot be opened or there is no library.
        """
        loaded = library()
        if loaded is None:
            raise OSError("no library")
        self._library, self._zlib = loaded
        self._reader = None
        self._file = pack.open("rb", buffering=0)
        self._text = bytearray(_TEXT_BYTES)
        self._columns = {
            name: column(_DOCS)
            for name in ("starts", "ends", "rows", "bases", "block_stops", "failed")
        }
        self._blocks = np.zeros((_BLOCKS, 3), np.int64)
        self._passes = [_Pass(REACH), _Pass(FAR)] if cutting else []
        self._batch = _Batch(
            text=address(self._text),
            text_most=_TEXT_BYTES,
            docs_most=_DOCS,
            blocks_most=_BLOCKS,
            pieces_most=_BLOCKS,
            gap=1 if cutting else 2 * id_size + 1,
            blocks=self._blocks.ctypes.data,
            **{name: one.ctypes.data for name, one in self._columns.items()},
        )
        end = os.fstat(self._file.fileno()).st_size - id_size
        self._reader = self._library.unsealed_open(
            self._file.fileno(), end, _TEXT_BYTES // 2, _HELD_BYTES, _KEPT, ctypes.byref(self._zlib)
        )
        if not self._reader:
            self._file.close()
            raise OSError("no memory")

    def read(self, offsets: Ints, kind: int) -> Read:
        """
        Read objects of one kind (a code of `packs.KINDS`) at ascending offsets, as many as fit.
        """
        batch = self._batch
        # A call deals with no more than the columns have room for.
        asked = np.ascontiguousarray(offsets[:_DOCS], np.int64)
        passes = (_Pieces * len(self._passes))(*(one.told for one in self._passes))
        done = self._library.unsealed_read(
            self._reader,
            ctypes.byref(batch),
            asked.ctypes.data,
            len(asked),
            kind,
            _LEAST_BLOCK,
            passes,
            len(passes),
        )
        docs = batch.docs
        filled = {name: one[:docs] for name, one in self._columns.items()}
        shared = None
        if passes:
            shared = Shared(
                first=batch.first,
                kept=_KEPT,
                bases=filled["bases"].tolist(),
                stops=filled["block_stops"].tolist(),
                blocks=self._blocks[: batch.blocks_count].ravel().tolist(),
                passes=tuple(
                    one.pieces(told) for one, told in zip(self._passes, passes, strict=True)
                ),
            )
        return Read(
            text=memoryview(self._text)[: batch.used],
            starts=filled["starts"].tolist(),
            ends=filled["ends"].tolist(),
            places=filled["rows"].copy(),
            failed=self._columns["failed"][: batch.failures].copy(),
            done=done,
            shared=shared,
        )

    def close(self) -> None:
        """
        Let go of the pack and of all texts.
        """
        if self._reader:
            self._library.unsealed_close(self._reader)
            self._reader = None
        self._file.close()


class _Pass:
    """
    Room for the pieces that one pass looks at.
    """

    def __init__(self, reach: int) -> None:
        # A separator behind each piece, and no byte twice.
        self._text = bytearray(_TEXT_BYTES + _BLOCKS)
        self._columns = [column(_BLOCKS) for _ in range(3)]
        self.told = _Pieces(
            address(self._text), reach, FAR, *(one.ctypes.data for one in self._columns), 0, 0
        )

    def pieces(self, told: _Pieces) -> Pieces:
        places, shifts, owners = (one[: told.count].tolist() for one in self._columns)
        return Pieces(
            text=memoryview(self._text)[: told.size],
            places=places,
            shifts=shifts,
            owners=owners,
        )
