"""
The registry of report formats; a format's module is imported when it is chosen.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from typing import cast

from scanner.model import Report
from scanner.report.options import Options, Renderer, RuleText
from scanner.report.scrub import scrubbed, scrubbed_rules

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
    "github": ("github", "render"),
}

NAMES = tuple(_MODULES)
MAY_SHOW_SECRETS = frozenset({"terminal", "json", "jsonl"})


def renderer(name: str) -> Renderer:
    """
    Return the format called `name`, which scrubs what it is given unless it shows secrets.

    Raise `KeyError` if there is none.
    """
    module, function = _MODULES[name]
    # rich and sarif-om cost more than the whole hook may: only who asks pays.
    found = importlib.import_module(f"scanner.report.{module}")
    bare = cast("Renderer", getattr(found, function))

    def render(report: Report, rules: Mapping[str, RuleText], options: Options) -> str:
        if options.show_secrets and name in MAY_SHOW_SECRETS:
            return bare(report, rules, options)
        hidden = dataclasses.replace(options, show_secrets=False)
        return bare(scrubbed(report), scrubbed_rules(report, rules), hidden)

    return render
