"""
What users see, format by format; read the difference after `pytest --update-golden`.
"""

from __future__ import annotations

import pytest

from scanner.report import formats
from scanner.report.options import Options
from tests.report.samples import RULES, full_report, report

SUFFIXES = {
    "terminal": "txt",
    "json": "json",
    "jsonl": "jsonl",
    "sarif": "sarif",
    "html": "html",
    "csv": "csv",
    "junit": "xml",
    "gitlab": "gitlab.json",
    "markdown": "md",
    "github": "github.txt",
}


@pytest.mark.parametrize("name", formats.NAMES)
def test_every_format_looks_as_it_did(name, golden):
    golden(f"full.{SUFFIXES[name]}", formats.renderer(name)(full_report(), RULES, Options()))


@pytest.mark.parametrize("name", ["terminal", "markdown"])
def test_a_clean_report_looks_as_it_did(name, golden):
    golden(f"clean.{SUFFIXES[name]}", formats.renderer(name)(report(), RULES, Options()))


@pytest.mark.parametrize("name", formats.NAMES)
def test_the_same_report_gives_the_same_bytes_whatever_the_order_of_findings(name):
    whole = full_report()
    turned = full_report().__class__(
        **{
            field: getattr(whole, field)
            for field in whole.__dataclass_fields__
            if field != "findings"
        },
        findings=whole.findings[::-1],
    )

    render = formats.renderer(name)

    assert render(whole, RULES, Options()) == render(turned, RULES, Options())
