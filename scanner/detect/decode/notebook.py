"""
Jupyter notebooks: sources and outputs, whose lines are JSON strings in a list.

Format: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from scanner.detect.registry import Budget, Derived, Expression, Text

_LARGEST = 64 << 20
_DEEPEST = 20


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
        for number, cell in enumerate(_list(cells), start=1):
            plain = "\n".join(_strings(cell, 0)).encode("utf-8", errors="replace")
            if len(plain) > budget.bytes_left:
                budget.limit("derived-bytes", "cells of a notebook were not read")
                return
            if plain:
                yield Derived(data=plain, decoded=("notebook",), inner_path=(f"cell {number}",))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any, depth: int) -> Iterator[str]:
    # A list of strings alone is a text that was cut into lines.
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield "".join(value)
    elif depth < _DEEPEST:
        children = value.items() if isinstance(value, dict) else enumerate(_list(value))
        for name, child in children:
            # Images are base64 of pixels.
            if not (isinstance(name, str) and name.startswith("image/")):
                yield from _strings(child, depth + 1)


DERIVER = NotebookDeriver()
