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


def leaking(number: int) -> str:
    return f"token = {github_token(number)!r}\n"


def commit(repo: Repository, cache: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return git(repo, cache, "commit", *(options or ("-m", "change")))


def test_what_is_staged_counts_and_not_what_lies_beside_it(hooked: Repository, cache: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(40))
    hooked.write("a.py", lines)
    git(hooked, cache, "add", ".")
    assert commit(hooked, cache).returncode == 0

    hooked.write("a.py", "good = 1\n" + lines)
    git(hooked, cache, "add", "a.py")
    hooked.write("a.py", "good = 1\n" + lines + leaking(2))
    assert commit(hooked, cache).returncode == 0, "the leak is not staged"

    git(hooked, cache, "add", "a.py")
    hooked.write("a.py", "good = 2\n" + lines)
    done = commit(hooked, cache)
    assert done.returncode != 0, "the leak is staged, the file is clean"
    assert "a.py:42" in done.stdout + done.stderr


def test_a_rename_brings_nothing_new_and_a_change_with_it_does(
    hooked: Repository, cache: Path
) -> None:
    body = "".join(f"line {number}\n" for number in range(40)) + leaking(3)
    hooked.write("old.py", body)
    git(hooked, cache, "add", ".")
    assert commit(hooked, cache, "--no-verify", "-m", "known").returncode == 0

    git(hooked, cache, "mv", "old.py", "new.py")
    assert commit(hooked, cache).returncode == 0

    git(hooked, cache, "mv", "new.py", "newer.py")
    hooked.write("newer.py", body + leaking(4))
    git(hooked, cache, "add", ".")
    assert commit(hooked, cache).returncode != 0


def test_a_merge_in_progress_answers_for_its_own_lines_alone(
    hooked: Repository, cache: Path
) -> None:
    hooked.write("a.py", "x = 1\n")
    git(hooked, cache, "add", ".")
    commit(hooked, cache)
    git(hooked, cache, "checkout", "-q", "-b", "topic")
    hooked.write("a.py", "x = 2\n")
    hooked.write("theirs.py", leaking(5))
    git(hooked, cache, "add", ".")
    commit(hooked, cache, "--no-verify", "-m", "theirs")
    git(hooked, cache, "checkout", "-q", "main")
    hooked.write("a.py", "x = 3\n")
    git(hooked, cache, "add", ".")
    commit(hooked, cache)
    assert git(hooked, cache, "merge", "topic").returncode != 0, "a conflict"

    hooked.write("a.py", "x = 4\n" + leaking(6))
    git(hooked, cache, "add", ".")
    done = commit(hooked, cache, "--no-edit")
    assert done.returncode != 0
    assert "a.py:2" in done.stdout + done.stderr
    assert "theirs.py" not in done.stdout + done.stderr

    hooked.write("a.py", "x = 4\n")
    git(hooked, cache, "add", ".")
    done = commit(hooked, cache, "--no-edit")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worktree_is_guarded_as_the_repository_is(
    hooked: Repository, cache: Path, tmp_path: Path
) -> None:
    hooked.write("a.py", "x = 1\n")
    git(hooked, cache, "add", ".")
    commit(hooked, cache)
    git(hooked, cache, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Repository.__new__(Repository)
    side.path = tmp_path / "side"

    side.write("b.py", leaking(7))
    git(side, cache, "add", ".")
    assert commit(side, cache).returncode != 0

    side.write("b.py", "x = 1\n")
    git(side, cache, "add", ".")
    assert commit(side, cache).returncode == 0


def test_a_commit_of_deletions_and_modes_alone_passes(hooked: Repository, cache: Path) -> None:
    hooked.write("a.py", "x = 1\n")
    hooked.write("b.sh", leaking(8))
    git(hooked, cache, "add", ".")
    commit(hooked, cache, "--no-verify", "-m", "known")
    git(hooked, cache, "rm", "-q", "a.py")
    git(hooked, cache, "update-index", "--chmod=+x", "b.sh")
    assert commit(hooked, cache).returncode == 0


def test_a_refusal_shows_the_way_out(hooked: Repository, cache: Path) -> None:
    hooked.write("leak.py", leaking(9))
    git(hooked, cache, "add", ".")

    done = commit(hooked, cache)

    for said in ("leak.py:1", "The way out", "secret store", "seal", "unsealed:allow"):
        assert said in done.stdout + done.stderr
    assert max(map(len, (done.stdout + done.stderr).splitlines())) <= 80
