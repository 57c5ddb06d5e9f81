"""
Standard streams that whoever started us has closed, a policy that is a link, a shallow clone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.runs import run
from tests.conftest import Repository
from tests.lookalikes import github_token

ROOT = Path(__file__).resolve().parents[2]


def closed(streams: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """
    Run the command with some streams closed by the shell.
    """
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "scanner", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "streams", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"], ids=lambda text: text
)
def test_a_closed_stream_leaves_the_exit_code_as_it_is(streams: str, tmp_path: Path) -> None:
    file = tmp_path / "leak.py"
    file.write_text(f"token = {github_token(1)!r}\n")

    done = closed(streams, "scan", str(file), "-f", "json")

    assert done.returncode == 1
    assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["scan", "-"], 3, id="scan"),
        pytest.param(["report", "-", "-f", "sarif"], 2, id="report"),
        pytest.param(["verify", "-", "--plan"], 2, id="verify"),
        pytest.param(["range", "--pre-receive"], 2, id="pre-receive"),
    ],
)
def test_a_closed_input_that_was_to_be_read_is_not_clean(arguments: list[str], code: int) -> None:
    done = closed("<&-", *arguments)

    assert done.returncode == code
    assert "is closed" in done.stdout + done.stderr


def test_a_policy_that_is_a_link_is_not_left_out_in_silence(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "elsewhere.yml").write_text("version: 1\n")
    (folder / ".unsealed.yml").symlink_to(tmp_path / "elsewhere.yml")

    assert run(tmp_path, "scan", str(folder)).code == 2


@pytest.mark.parametrize("shallow", [True, False], ids=["shallow", "whole"])
def test_an_audit_says_that_a_clone_is_shallow(
    shallow: bool, repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    repo.commit("first", README="x\n")
    repo.commit("second", README="y\n")
    depth = ["--depth=1"] if shallow else []
    repo.git("clone", "-q", "--no-local", *depth, str(repo.path), str(tmp_path / "clone"))

    notices = run(tmp_path, "audit", str(tmp_path / "clone")).summary["notices"]

    assert any("shallow" in notice for notice in notices) is shallow
