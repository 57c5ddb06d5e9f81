"""
The hook reads what the next commit would add: the index, and nothing that HEAD has already.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from tests.commands.runs import run
from tests.conftest import Repository
from tests.lookalikes import github_token

LINE = f"token = {github_token(1)!r}\n"
OTHER = f"token = {github_token(2)!r}\n"


@pytest.fixture
def repo(repository: Callable[..., Repository]) -> Repository:
    made = repository()
    made.commit("first", README="hello\n")
    return made


def staged(repo: Repository, tmp_path: Path, *options: str):
    return run(tmp_path, "staged", str(repo.path), *options)


def test_a_staged_secret_is_found_on_its_line(repo: Repository, tmp_path: Path) -> None:
    repo.write("app.py", "x = 1\n" + LINE)
    repo.git("add", ".")

    report = staged(repo, tmp_path)

    assert report.code == 1
    assert report.places() == [("app.py", 2)]
    assert report.findings[0]["occurrences"][0]["place"] == "index"


def test_the_index_counts_and_not_the_work_tree(repo: Repository, tmp_path: Path) -> None:
    repo.write("app.py", LINE)
    repo.git("add", ".")
    repo.write("app.py", "x = 1\n")
    repo.write("untracked.py", OTHER)

    assert staged(repo, tmp_path).places() == [("app.py", 1)]


def test_a_secret_only_in_the_work_tree_does_not_block(repo: Repository, tmp_path: Path) -> None:
    repo.write("app.py", "x = 1\n")
    repo.git("add", ".")
    repo.write("app.py", LINE)

    assert staged(repo, tmp_path).code == 0


def test_what_head_has_in_the_same_file_is_not_added(repo: Repository, tmp_path: Path) -> None:
    repo.commit("old", **{"app.py": LINE})
    repo.write("app.py", "x = 1\n" + LINE + OTHER)
    repo.git("add", ".")

    assert staged(repo, tmp_path).places() == [("app.py", 3)]


def test_a_second_copy_in_the_same_file_is_added(repo: Repository, tmp_path: Path) -> None:
    repo.commit("old", **{"app.py": LINE})
    repo.write("app.py", LINE + LINE)
    repo.git("add", ".")

    assert staged(repo, tmp_path).code == 1


def test_a_rename_adds_nothing_and_a_copy_does(repo: Repository, tmp_path: Path) -> None:
    repo.commit("old", **{"app.py": "y = 2\n" * 20 + LINE})
    repo.git("mv", "app.py", "moved.py")

    assert staged(repo, tmp_path).code == 0

    repo.write("copy.py", LINE)
    repo.git("add", ".")

    assert staged(repo, tmp_path).places() == [("copy.py", 1)]


def test_a_deletion_adds_nothing(repo: Repository, tmp_path: Path) -> None:
    repo.commit("old", **{"app.py": LINE})
    repo.git("rm", "-q", "app.py")

    assert staged(repo, tmp_path).code == 0


def test_an_unborn_head_is_no_excuse(repository: Callable[..., Repository], tmp_path: Path) -> None:
    repo = repository("unborn")
    repo.write("app.py", LINE)
    repo.git("add", ".")

    assert staged(repo, tmp_path).places() == [("app.py", 1)]


def test_no_identity_is_needed(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    repo.write("app.py", LINE)
    repo.git("add", ".")

    assert staged(repo, tmp_path).code == 1


def test_a_worktree_has_its_own_index(repo: Repository, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    side = Repository.__new__(Repository)
    side.path, side.clock = tmp_path / "tree", repo.clock
    side.write("app.py", LINE)
    side.git("add", ".")

    assert staged(side, tmp_path).places() == [("app.py", 1)]
    assert staged(repo, tmp_path).code == 0


def test_the_index_that_git_hands_to_a_hook_is_read(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("app.py", LINE)
    index = repo.path / ".git" / "next-index"
    repo.git("add", ".", GIT_INDEX_FILE=str(index))
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))

    assert staged(repo, tmp_path).places() == [("app.py", 1)]


def test_what_a_merge_brings_from_the_other_side_is_not_added(
    repo: Repository, tmp_path: Path
) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side", **{"side.py": LINE})
    repo.git("checkout", "-q", "main")
    repo.commit("main", **{"main.py": "x\n"})
    repo.git("merge", "-q", "--no-commit", "--no-ff", "side")

    assert staged(repo, tmp_path).code == 0

    repo.write("evil.py", OTHER)
    repo.git("add", ".")

    assert staged(repo, tmp_path).places() == [("evil.py", 1)]


def test_attributes_and_configuration_hide_nothing_and_run_nothing(
    repo: Repository, tmp_path: Path
) -> None:
    canary = tmp_path / "ran"
    for name in ("diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "diff.external"):
        repo.git("config", name, f"touch {canary}")
    repo.git("config", "core.fsmonitor", f"touch {canary}")
    repo.write(".gitattributes", "*.py -diff diff=evil binary\n")
    repo.write("app.py", LINE)
    repo.git("-c", "core.fsmonitor=", "add", ".")
    canary.unlink(missing_ok=True)

    assert staged(repo, tmp_path).places() == [("app.py", 1)]
    assert not canary.exists()


def test_a_secret_in_a_name_or_a_link_is_found(repo: Repository, tmp_path: Path) -> None:
    os.symlink(f"/opt/{github_token(3)}", repo.path / "link")
    repo.write(f"dir/{github_token(4)}.txt", "x\n")
    repo.git("add", ".")

    report = staged(repo, tmp_path)

    assert {o["place"] for f in report.findings for o in f["occurrences"]} == {"symlink", "path"}


def test_a_comment_with_a_reason_allows_its_line(repo: Repository, tmp_path: Path) -> None:
    line = LINE.rstrip() + "  # unsealed:allow github-classic-token revoked sample\n"
    repo.write("app.py", line)
    repo.git("add", ".")

    report = staged(repo, tmp_path)

    assert report.code == 0
    assert report.findings[0]["suppressed"]["reason"] == "revoked sample"
    assert report.summary["suppressed"] == 1


def test_a_missing_blob_makes_it_incomplete(repo: Repository, tmp_path: Path) -> None:
    repo.write("app.py", "x = 1\n")
    repo.git("add", ".")
    blob = repo.git("rev-parse", ":app.py")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    report = staged(repo, tmp_path)

    assert report.code == 3
    assert report.of("unread")[0]["path"] == "app.py"


def test_a_broken_index_refuses(
    repo: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write(".git/index", b"DIRC" + b"\xff" * 40)

    assert main(["staged", str(repo.path)]) == 3
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["missing", "file", "folder", "bare"])
def test_what_has_no_index_is_an_error(
    kind: str, tmp_path: Path, repository: Callable[..., Repository]
) -> None:
    target = tmp_path / kind
    if kind == "file":
        target.write_text("x")
    elif kind == "folder":
        target.mkdir()
    elif kind == "bare":
        target = repository("bare", "--bare").path

    assert main(["staged", str(target)]) == 2
