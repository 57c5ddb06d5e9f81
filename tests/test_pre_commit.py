"""
The hooks through the real `pre-commit`, installed from this repository as a user would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Repository
from tests.lookalikes import github_token

ROOT = Path(__file__).parents[1]
CONFIG = """\
repos:
  - repo: {root}
    rev: {rev}
    hooks:
      - id: unsealed
      - id: unsealed-commit-msg
      - id: unsealed-pre-push
"""

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def hooked(tmp_path: Path, cache: Path) -> Repository:
    source = tmp_path / "unsealed"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    rev = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True
    ).stdout.strip()
    repo = Repository(tmp_path / "repo")
    repo.write(".pre-commit-config.yaml", CONFIG.format(root=ROOT, rev=rev))
    done = pre_commit(
        repo, cache, "install", "-t", "pre-commit", "-t", "commit-msg", "-t", "pre-push"
    )
    assert done.returncode == 0, done.stderr
    return repo


def environment(cache: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cache / "home"),
        "PRE_COMMIT_HOME": str(cache / "store"),
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
    }  # fmt: skip


def pre_commit(repo: Repository, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("pre-commit", path=environment(cache)["PATH"])
    assert program, "pre-commit is not installed: pip install '.[test]'"
    return subprocess.run(
        [program, *arguments], cwd=repo.path, env=environment(cache),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def git(repo: Repository, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=repo.path, env=environment(cache),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_hooks_refuse_what_leaks_and_let_the_rest_pass(
    hooked: Repository, cache: Path, tmp_path: Path
) -> None:
    secret = github_token(1)
    hooked.write("ok.py", "x = 1\n")
    git(hooked, cache, "add", ".")
    done = git(hooked, cache, "commit", "-m", "first")
    assert done.returncode == 0, done.stdout + done.stderr

    hooked.write("leak.py", f"token = {secret!r}\n")
    git(hooked, cache, "add", ".")
    done = git(hooked, cache, "commit", "-m", "leak")
    assert done.returncode != 0
    assert "leak.py:1" in done.stdout + done.stderr
    assert secret not in done.stdout + done.stderr

    hooked.write("leak.py", "x = 2\n")  # a clean work tree hides nothing: the index counts
    assert git(hooked, cache, "commit", "-m", "leak").returncode != 0

    git(hooked, cache, "add", ".")
    assert git(hooked, cache, "commit", "-m", f"use {secret}").returncode != 0
    assert git(hooked, cache, "commit", "-m", "fine").returncode == 0

    git(hooked, cache, "rm", "-q", "ok.py")
    assert git(hooked, cache, "commit", "-m", "a deletion only").returncode == 0

    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    git(hooked, cache, "remote", "add", "origin", str(remote))
    assert git(hooked, cache, "push", "-q", "origin", "main").returncode == 0

    hooked.write("leak.py", f"token = {secret!r}\n")
    git(hooked, cache, "add", ".")
    assert git(hooked, cache, "commit", "--no-verify", "-m", "past the hook").returncode == 0
    assert git(hooked, cache, "push", "-q", "origin", "main").returncode != 0
