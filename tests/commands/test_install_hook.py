"""
The plain git hook: it refuses what holds a secret, and asks nobody but us.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from tests.conftest import Repository
from tests.lookalikes import github_token

ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def repo(repository: Callable[..., Repository]) -> Repository:
    made = repository()
    made.commit("first", README="hello\n")
    assert main(["install-hook", str(made.path)]) == 0
    return made


def commit(repo: Repository, **env: str) -> subprocess.CompletedProcess[str]:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a", "EMAIL": "a@example.org"}
    return subprocess.run(
        ["git", "commit", "-qm", "next"],
        cwd=repo.path, check=False, capture_output=True, text=True,
        env={**os.environ, **names, "PYTHONPATH": ROOT, **env},
    )  # fmt: skip


def test_a_commit_with_a_secret_is_refused_and_a_clean_one_is_not(repo: Repository) -> None:
    repo.write("app.py", f"token = {github_token(1)!r}\n")
    repo.git("add", ".")

    assert commit(repo).returncode == 1

    repo.write("app.py", "token = load()\n")
    repo.git("add", ".")
    done = commit(repo)

    assert done.returncode == 0, done.stderr
    assert "nothing found" in done.stderr


def test_a_repository_with_our_name_in_it_is_not_asked(repo: Repository, tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    evil = f"open({str(canary)!r}, 'w'); raise SystemExit(0)\n"
    for name in ("scanner/__init__.py", "scanner/__main__.py", "sitecustomize.py", "typing.py"):
        repo.write(name, evil)
    repo.write("app.py", f"token = {github_token(1)!r}\n")
    repo.git("add", ".")

    assert commit(repo).returncode == 1
    assert not canary.exists()


def test_without_the_package_a_commit_is_refused(repo: Repository, tmp_path: Path) -> None:
    hook = repo.path / ".git" / "hooks" / "pre-commit"
    hook.write_text(hook.read_text().replace("from scanner.", "from scanner_gone."))
    repo.write("app.py", "x = 1\n")
    repo.git("add", ".")

    done = commit(repo)

    assert done.returncode == 1
    assert "run `unsealed install-hook` again" in done.stderr
