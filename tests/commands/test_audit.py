"""
The audit as a user runs it: places, attribution, coverage, seals, exit codes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from tests.commands.runs import run
from tests.conftest import Repository
from tests.lookalikes import github_token

LINE = f"token = {github_token(1)!r}\n"


def test_a_deleted_secret_is_found_where_and_when_it_came_in(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    repo.commit("first", README="hello\n")
    leak = repo.commit("leak", **{"src/app.py": "x = 1\n" + LINE})
    repo.commit("edit", **{"src/app.py": "y = 1\nx = 1\n" + LINE})
    repo.git("rm", "-q", "src/app.py")
    repo.git("commit", "-qm", "gone")

    report = run(tmp_path, "audit", str(repo.path))

    assert report.code == 1
    first = report.findings[0]["occurrences"][0]
    assert (first["path"], first["line"], first["commit"]) == ("src/app.py", 2, leak)
    assert first["author"]["name"] == "Ada"
    assert first["reachable"] is True
    assert first["in_head"] is False


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_secret_in_a_name_is_told_at_every_path_with_its_first_commit(
    repository: Callable[..., Repository], tmp_path: Path, packed: bool
) -> None:
    repo = repository()
    name = f"key-{github_token(3)}.txt"
    repo.commit("quiet", **{f"d/{n:02}.txt": f"{n}\n" for n in range(30)})
    leak = repo.commit("leak", **{f"d/{name}": "1\n"})
    for n in range(12):
        repo.commit(f"edit {n}", **{f"d/{name}": f"{n}\n" * 2, f"d/{n:02}.txt": "other\n"})
    copied = repo.commit("copy", **{f"e/{name}": "2\n"})
    if packed:
        repo.git("gc", "-q", "--aggressive")

    report = run(tmp_path, "audit", str(repo.path))

    (finding,) = [f for f in report.findings if f["rule"].startswith("github")]
    told = {(o["path"], o["commit"]) for o in finding["occurrences"]}
    assert told == {("d/key-********.txt", leak), ("e/key-********.txt", copied)}
    assert {o["place"] for o in finding["occurrences"]} == {"path"}


def test_the_account_equals_what_git_counts(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    for n in range(5):
        repo.commit(f"c{n}", **{f"d{n}/f.txt": f"{n}\n"})
    repo.git("tag", "-a", "v1", "-m", "one")
    repo.git("gc", "-q")
    repo.git("hash-object", "-w", "--stdin", stdin=b"loose\n")
    counted: dict[str, int] = {}
    for line in repo.git("cat-file", "--batch-all-objects", "--batch-check").splitlines():
        counted[line.split()[1]] = counted.get(line.split()[1], 0) + 1

    report = run(tmp_path, "audit", str(repo.path))

    kinds = report.summary["kinds"]
    assert {kind: kinds[kind]["read"] for kind in counted} == counted
    assert report.summary["complete"]


def test_a_vault_password_beside_its_vault_is_proven(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    from tests.detect.sealed import makers

    repo = repository()
    repo.write("group_vars/all/vault.yml", makers.vault())
    repo.write(".vault_pass", makers.PASSWORD + b"\n")
    repo.commit("both")

    report = run(tmp_path, "audit", str(repo.path))

    assert "key-beside-lock" in {finding["rule"] for finding in report.findings}


def test_a_file_that_must_be_sealed_is_found_in_history(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    repo.commit("plain", **{"group_vars/prod/vault.yml": "db_password: correct horse\n"})
    repo.git("rm", "-q", "-r", "group_vars")
    repo.git("commit", "-qm", "gone")

    report = run(tmp_path, "audit", str(repo.path))

    found = {f["rule"]: f["occurrences"][0]["path"] for f in report.findings}
    assert found["ansible-vault-plaintext"] == "group_vars/prod/vault.yml"


def test_an_audit_honours_a_comment_only_when_told(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    line = LINE.rstrip() + "  # unsealed:allow github-classic-token sample\n"
    repo.commit("allowed", **{"app.py": line})

    assert run(tmp_path, "audit", str(repo.path)).code == 1
    assert run(tmp_path, "audit", str(repo.path), "--honour-comments").code == 0


@pytest.mark.parametrize(("made", "code"), [("folder", 2), ("missing", 2), ("empty", 3)])
def test_what_holds_nothing_is_not_clean(
    made: str, code: int, repository: Callable[..., Repository], tmp_path: Path
) -> None:
    target = tmp_path / made
    if made == "folder":
        target.mkdir()
    elif made == "empty":
        repository(made)

    assert main(["audit", str(target)]) == code
