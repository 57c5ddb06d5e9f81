"""
How the process ends.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGUN = "import atexit, sys; sys.argv[1:] = {arguments!r}; {before}; from scanner.__main__ import run; run()"


def ended(arguments: list[str], before: str = "pass") -> subprocess.CompletedProcess[str]:
    code = BEGUN.format(arguments=arguments, before=before)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--version"], 0, "unsealed ", id="well"),
        pytest.param([], 2, "usage", id="without a command"),
        pytest.param(["rules", "list"], 0, "aws-access-key-id", id="with much to say"),
    ],
)
def test_what_was_said_arrives_with_the_code(arguments: list[str], code: int, said: str):
    done = ended(arguments)
    assert done.returncode == code
    assert said in done.stdout


def test_what_was_asked_for_at_exit_is_done():
    done = ended(["--version"], before="atexit.register(print, 'at exit')")
    assert "at exit" in done.stdout


def test_nothing_is_taken_apart_for_nobody():
    # A class variable is let go of when the interpreter is, or not at all.
    left = "import builtins; builtins.left = type('Left', (), {'__del__': lambda self: print('gone')})()"
    assert "gone" not in ended(["--version"], before=left).stdout
    kept = f"{left}; atexit.register(int)"
    assert "gone" in ended(["--version"], before=kept).stdout
