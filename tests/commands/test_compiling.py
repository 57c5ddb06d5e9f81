"""
A first run takes seconds, and says why.
"""

from __future__ import annotations

import time

import pytest

from scanner.commands import compiling


def test_a_long_compilation_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "_PATIENCE_S", 0.01)
    with compiling.compile_progress(bar=False) as step:
        step(0, 0)
        step(5, 10)
        time.sleep(0.2)

    assert capsys.readouterr().err.splitlines() == [compiling._LINE]


def test_a_short_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with compiling.compile_progress(bar=False) as step:
        step(0, 0)

    assert capsys.readouterr().err == ""


def test_in_a_terminal_a_bar_is_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes rich take it for a terminal
    with compiling.compile_progress(bar=True) as step:
        step(0, 0)
        step(10, 10)

    assert "compiling the rules" in capsys.readouterr().err
