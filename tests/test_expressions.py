"""
Expressions that were compiled in an earlier run.
"""

from __future__ import annotations

import marshal
import re
import subprocess
import sys

import pytest

from scanner import expressions
from scanner.detect.compiled import load_plan
from scanner.detect.databases import EXPRESSIONS
from scanner.detect.plan import Plan
from scanner.ruleset.shipped import shipped_packs

COUNTED = """
import re, sys
from scanner import expressions
from scanner.commands import staged_glance

compiled = []
real = re.compile
re.compile = lambda *given: compiled.append(given) or real(*given)
parts = staged_glance._parts()
expressions.provide(parts.read(staged_glance.EXPRESSIONS))
import scanner.detect.engine, scanner.detect.generic, scanner.detect.score
print(len(compiled), len(expressions._made))
"""


@pytest.fixture
def nothing_kept(monkeypatch):
    monkeypatch.setattr(expressions, "_kept", {})
    monkeypatch.setattr(expressions, "_made", {})


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    ("pattern", "flags"),
    [
        pytest.param(rb"(?P<name>a+)-(?P<other>[b-z]{2,})(?P=name)", 0, id="groups"),
        pytest.param(r"(?i)stra\u00dfe|\w+", re.MULTILINE, id="text"),
        pytest.param(rb"a.b", re.DOTALL | re.IGNORECASE, id="flags"),
        pytest.param(rb"(?<!x)[\x00-\x7f]*?(?=y)|[^\W\d_]", 0, id="classes"),
    ],
)
def test_a_kept_expression_equals_a_compiled_one(pattern, flags, monkeypatch):
    assert expressions.expression(pattern, flags) == re.compile(pattern, flags)
    rows = expressions.rows_of_all()
    monkeypatch.setattr(expressions, "_made", {})
    expressions.provide(rows)
    monkeypatch.setattr(re, "compile", None)
    kept = expressions.expression(pattern, flags)
    monkeypatch.undo()
    real = re.compile(pattern, flags)
    assert kept == real
    assert (kept.groups, kept.groupindex, kept.flags) == (real.groups, real.groupindex, real.flags)


@pytest.mark.usefixtures("nothing_kept")
def test_an_interpreter_with_other_insides_keeps_nothing(monkeypatch):
    expressions.expression(b"a+")
    monkeypatch.setattr(expressions, "_row", lambda *_: (0, [1, 2, 3], 0, {}, ()))
    assert marshal.loads(expressions.rows_of_all()) == {}


@pytest.mark.parametrize("rows", [b"", b"\xff", marshal.dumps(3)])
def test_what_is_nothing_of_ours_is_refused(rows):
    with pytest.raises(ValueError, match=r"rows|marshal"):
        expressions.provide(rows)


def test_a_plan_keeps_those_of_the_engine():
    rows = marshal.loads(Plan.make([]).parts.read(EXPRESSIONS))
    assert len(rows) > 100
    for (pattern, flags), row in rows.items():
        assert expressions._thawed(pattern, row) == re.compile(pattern, flags)


def test_the_hook_compiles_none_of_the_engines():
    load_plan([shipped_packs()])  # whose file the other process opens
    code = subprocess.run(
        [sys.executable, "-c", COUNTED], check=True, capture_output=True, text=True
    )
    compiled, made = map(int, code.stdout.split())
    assert compiled == 0
    assert made > 50
