"""
Jupyter notebooks: sources and outputs, whose lines are JSON strings in a list.

Format: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scanner.detect.registry import Budget, Derived, Expression, Text

_LARGEST = 64 << 20
_DEEPEST = 20
_TELLING = 4  # letters; shorter pieces stand everywhere


class NotebookDeriver:
    """
    Joins the lines of each cell and of each of its outputs.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [Expression(pattern=rb"\"cell_type\"")]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if len(data) > _LARGEST:
            budget.limit("member-size", f"a notebook of {len(data)} bytes was not read as one")
            return
        try:
            notebook: Any = json.loads(data)
        except (ValueError, RecursionError):
            return
        if not isinstance(notebook, dict):
            return
        cells = notebook.get("cells")
        worksheets = notebook.get("worksheets")
        if cells is None and isinstance(worksheets, list):
            cells = [
                cell
                for sheet in worksheets
                if isinstance(sheet, dict)
                for cell in _list(sheet.get("cells"))
            ]
        cursor = 0
        for cell in _list(cells):
            for pieces in _joined(_strings(cell, 0)):
                plain = "".join(pieces).encode("utf-8", errors="replace")
                if len(plain) > budget.bytes_left:
                    budget.limit("derived-bytes", "cells of a notebook were not read")
                    return
                start = _start(data, pieces, cursor)
                cursor = cursor if start is None else start
                if plain:
                    # Without an end: the raw text beside it knows its lines better.
                    yield Derived(data=plain, decoded=("notebook",), start=start)


def _joined(texts: Iterable[list[str]]) -> Iterator[list[str]]:
    # Texts cut into lines stand alone; single strings of a cell share one text.
    single: list[str] = []
    for pieces in texts:
        if len(pieces) > 1:
            yield pieces
        elif pieces:
            single += [*pieces, "\n"]
    yield single


def _start(data: bytes, pieces: Iterable[str], cursor: int) -> int | None:
    """
    Return where the first telling piece stands in the notebook's own text.
    """
    first = next((piece for piece in pieces if len(piece.strip()) >= _TELLING), None)
    if first is None:
        return None
    for ascii_only in (False, True):
        needle = json.dumps(first, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "replace")
        at = data.find(needle, cursor)
        if at >= 0:
            return at
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any, depth: int) -> Iterator[list[str]]:
    # A list of strings alone is a text that was cut into lines.
    if isinstance(value, str):
        yield [value]
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield value
    elif depth < _DEEPEST:
        children = value.items() if isinstance(value, dict) else enumerate(_list(value))
        for name, child in children:
            # Images are base64 of pixels.
            if not (isinstance(name, str) and name.startswith("image/")):
                yield from _strings(child, depth + 1)


DERIVER = NotebookDeriver()
