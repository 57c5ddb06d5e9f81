"""
A damaged object costs a range what it holds, and nothing beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.runs import Report, run
from tests.conftest import Repository
from tests.lookalikes import github_token

NUMBERS = range(6)


@pytest.fixture
def repo(repository: Callable[..., Repository]) -> Repository:
    made = repository()
    made.commit("first", README="hello\n")
    for number in NUMBERS:
        made.commit("leak", **{f"d{number}/app.py": f"t = {github_token(number + 1)!r}\n"})
    return made


def damage(repo: Repository, revision: str) -> None:
    name = repo.git("rev-parse", revision)
    file = repo.path / ".git" / "objects" / name[:2] / name[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-6])


def ranged(repo: Repository, tmp_path: Path) -> Report:
    return run(tmp_path, "range", f"HEAD~{len(NUMBERS)}", "HEAD", "--repo", str(repo.path))


def paths(report: Report) -> set[str | None]:
    return {path for path, _ in report.places()}


def test_a_damaged_blob_is_told_and_those_behind_it_are_read(
    repo: Repository, tmp_path: Path
) -> None:
    damage(repo, "HEAD:d2/app.py")

    report = ranged(repo, tmp_path)

    assert report.code == 1
    assert paths(report) == {f"d{number}/app.py" for number in NUMBERS if number != 2}
    assert [entry["path"] for entry in report.of("unread")] == ["d2/app.py"]
    assert report.summary["kinds"]["blob"]["unreadable"] == 1


def test_a_damaged_tree_is_told_and_the_other_commits_are_read(
    repo: Repository, tmp_path: Path
) -> None:
    commits = repo.git("rev-list", "--reverse", "HEAD").splitlines()
    damage(repo, f"{commits[3]}^{{tree}}")

    report = ranged(repo, tmp_path)

    assert report.code == 1
    # Of the damaged commit and of its child it is not known what they add.
    assert paths(report) == {f"d{number}/app.py" for number in (0, 1, 4, 5)}
    assert {entry["blob"] for entry in report.of("unread")} == set(commits[3:5])


def test_a_head_that_cannot_be_listed_is_told(repo: Repository, tmp_path: Path) -> None:
    damage(repo, "HEAD:d0")

    report = ranged(repo, tmp_path)

    assert report.code == 1
    assert "d5/app.py" in paths(report)
    assert any("head still holds" in entry["reason"] for entry in report.of("unread"))
