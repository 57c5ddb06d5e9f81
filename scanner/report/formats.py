"""
The registry of report formats; a format's module is imported when it is chosen.
"""

from __future__ import annotations

import importlib
from typing import cast

from scanner.report.options import Renderer

_MODULES = {
    "terminal": ("terminal", "render"),
    "json": ("json_v1", "render"),
    "jsonl": ("json_v1", "render_lines"),
    "sarif": ("sarif", "render"),
    "html": ("html_page", "render"),
    "csv": ("csv_table", "render"),
    "junit": ("junit", "render"),
    "gitlab": ("gitlab", "render"),
    "markdown": ("markdown", "render"),
}

NAMES = tuple(_MODULES)
MAY_SHOW_SECRETS = frozenset({"terminal", "json", "jsonl"})


def renderer(name: str) -> Renderer:
    """
    Return the format called `name`.  Raise `KeyError` if there is none.
    """
    module, function = _MODULES[name]
    # rich and sarif-om cost more than the whole hook may: only who asks pays.
    return cast("Renderer", getattr(importlib.import_module(f"scanner.report.{module}"), function))
