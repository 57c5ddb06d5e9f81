"""
The range is judged commit by commit: what a later commit removes is in the history all the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.triage import baseline as baselines
from tests.commands.runs import Report, run
from tests.conftest import Repository
from tests.lookalikes import github_token

TOKEN = github_token(1)
LINE = f"token = {TOKEN!r}\n"
OTHER = f"token = {github_token(2)!r}\n"


@pytest.fixture
def repo(repository: Callable[..., Repository]) -> Repository:
    made = repository()
    made.commit("first", README="hello\n")
    return made


def ranged(repo: Repository, tmp_path: Path, base: str, head: str = "HEAD") -> Report:
    return run(tmp_path, "range", base, head, "--repo", str(repo.path))


def test_what_a_later_commit_removes_is_found_with_its_commit(
    repo: Repository, tmp_path: Path
) -> None:
    base = repo.git("rev-parse", "HEAD")
    leak = repo.commit("leak", **{"app.py": "x\n" + LINE})
    repo.commit("oops", **{"app.py": "x\n"})

    report = ranged(repo, tmp_path, base)

    assert report.code == 1
    assert report.places() == [("app.py", 2)]
    occurrence = report.findings[0]["occurrences"][0]
    assert occurrence["commit"] == leak
    assert occurrence["author"] == {"name": "Ada", "email": "ada@example.org"}
    assert occurrence["date"].endswith("Z")


def test_what_base_has_already_is_not_added(repo: Repository, tmp_path: Path) -> None:
    base = repo.commit("old", **{"app.py": LINE})
    repo.commit("edit", **{"app.py": "x = 1\n" + LINE})
    repo.git("mv", "app.py", "moved.py")
    repo.commit("rename")

    assert ranged(repo, tmp_path, base).code == 0


def test_a_secret_put_back_is_one_occurrence(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    first = repo.commit("leak", **{"app.py": LINE})
    repo.commit("oops", **{"app.py": "x\n"})
    repo.commit("again", **{"app.py": LINE})

    report = ranged(repo, tmp_path, base)

    assert [o["commit"] for o in report.findings[0]["occurrences"]] == [first]


def test_messages_identities_and_names_are_read(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit(f"use {github_token(3)}")
    repo.write("x", "1")
    repo.git("add", ".")
    repo.git("commit", "-qm", "x", GIT_AUTHOR_EMAIL=f"{github_token(4)}@example.org")
    repo.commit("name", **{f"{github_token(5)}.txt": "1"})

    report = ranged(repo, tmp_path, base)

    places = {o["place"] for f in report.findings for o in f["occurrences"]}
    assert places == {"commit-message", "commit-identity", "path"}
    assert all(
        o.get("commit") for f in report.findings for o in f["occurrences"] if o["place"] != "path"
    )


def test_a_tag_that_is_pushed_is_read_with_those_it_names(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.git("tag", "-a", "inner", "-m", f"use {TOKEN}")
    repo.git("tag", "-a", "outer", "-m", "clean", "inner",
             GIT_COMMITTER_NAME=github_token(2))  # fmt: skip
    outer = repo.git("rev-parse", "outer")

    report = ranged(repo, tmp_path, base, "outer")

    found = {o["place"]: o["blob"] for f in report.findings for o in f["occurrences"]}
    assert found == {"tag-identity": outer, "tag-message": repo.git("rev-parse", "inner")}
    assert report.summary["kinds"]["tag"]["read"] == 2
    line = f"refs/tags/outer {outer} refs/tags/outer {'0' * 40}\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(line))
    assert run(tmp_path, "range", "--pre-push", "--repo", str(repo.path)).code == 1


def test_a_clean_merge_adds_nothing_and_an_evil_one_does(repo: Repository, tmp_path: Path) -> None:
    repo.git("checkout", "-qb", "side")
    repo.commit("side", **{"side.py": LINE})
    repo.git("checkout", "-q", "main")
    repo.commit("main", **{"main.py": "x\n"})
    base = repo.git("rev-parse", "HEAD")
    repo.git("merge", "-q", "--no-ff", "side", "-m", "clean")

    assert ranged(repo, tmp_path, base).places() == [("side.py", 1)]
    assert run(tmp_path, "range", "side", "--repo", str(repo.path)).code == 0

    repo.git("checkout", "-q", "side")
    repo.commit("more", **{"more.py": "x\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "side")
    repo.write("evil.py", OTHER)
    evil = repo.commit("evil")

    report = ranged(repo, tmp_path, "HEAD^1")
    assert report.places() == [("evil.py", 1)]
    assert report.findings[0]["occurrences"][0]["commit"] == evil


def test_unrelated_histories_and_a_new_branch_are_read_whole(
    repo: Repository, tmp_path: Path
) -> None:
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("orphan", **{"app.py": LINE})

    assert ranged(repo, tmp_path, "main", "other").places() == [("app.py", 1)]
    assert ranged(repo, tmp_path, "0" * 40, "other").places() == [("app.py", 1)]


def test_an_empty_range_and_one_of_deletions_are_clean(repo: Repository, tmp_path: Path) -> None:
    base = repo.commit("old", **{"app.py": LINE})

    assert ranged(repo, tmp_path, base).code == 0

    repo.git("rm", "-q", "app.py")
    repo.git("commit", "-qm", "gone")

    assert ranged(repo, tmp_path, base).code == 0


def test_a_shallow_clone_says_what_it_lacks(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    for n in range(3):
        repo.commit(f"c{n}", **{f"f{n}": "x\n"})
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    shallow = Repository.__new__(Repository)
    shallow.path, shallow.clock = tmp_path / "shallow", repo.clock

    assert ranged(shallow, tmp_path, base).code == 3

    shallow.git("fetch", "-q", "--depth=1", "origin", base)
    report = ranged(shallow, tmp_path, base)
    assert report.code == 3
    assert "shallow" in report.of("unread")[0]["reason"]
    assert not report.summary["complete"]


@pytest.mark.parametrize("revision", ["nonsense", "--all", "a..b", "HEAD:README"])
def test_what_is_no_revision_is_an_error(revision: str, repo: Repository) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repo.path)
        assert main(["range", "--repo", str(repo.path), "--", revision]) == 2


def test_a_change_cannot_excuse_itself(repo: Repository, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.commit(
        "leak",
        **{"app.py": LINE.rstrip() + "  # unsealed:allow github-classic-token it is fine\n"},
    )
    report = ranged(repo, tmp_path, base)

    assert report.code == 1
    assert any("cannot excuse itself" in notice for notice in report.summary["notices"])

    made = baselines.new_baseline()
    keyed = tmp_path / "key"
    keyed.write_text(baselines.render(made))
    name = run(
        tmp_path, "range", base, "--repo", str(repo.path), "--baseline", str(keyed)
    ).findings[0]["fingerprint"]
    accepted = baselines.Baseline(made.key, (baselines.Entry(fingerprint=name, reason="r"),))
    repo.commit("baseline", **{baselines.FILE_NAME: baselines.render(accepted)})

    assert ranged(repo, tmp_path, base).code == 1

    on_base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-qb", "later", on_base)
    repo.commit("copy", **{"copy.py": LINE})
    assert ranged(repo, tmp_path, on_base).code == 0


def test_the_push_hook_reads_gits_lines(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repo.git("rev-parse", "HEAD")
    head = repo.commit("leak", **{"app.py": LINE})
    zero = "0" * 40

    def push(*lines: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return run(tmp_path, "range", "--pre-push", "--repo", str(repo.path)).code

    assert push(f"refs/heads/main {head} refs/heads/main {base}") == 1
    assert push(f"refs/heads/main {head} refs/heads/main {zero}") == 1
    assert push(f"refs/heads/main {base} refs/heads/main {base}") == 0
    assert push(f"(delete) {zero} refs/heads/main {head}") == 0


def test_pre_commit_hands_the_push_over_in_its_environment(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", repo.git("rev-parse", "HEAD"))
    monkeypatch.setenv("PRE_COMMIT_TO_REF", repo.commit("leak", **{"app.py": LINE}))

    assert run(tmp_path, "range", "--pre-push", "--repo", str(repo.path)).code == 1


@pytest.mark.slow
def test_a_push_is_refused_by_the_receiving_side(repo: Repository, tmp_path: Path) -> None:
    server = tmp_path / "server.git"
    repo.git("init", "-q", "--bare", str(server))
    assert main(["install-hook", str(server), "--type", "pre-receive"]) == 0
    repo.git("push", "-q", str(server), "main", PYTHONPATH=str(Path(__file__).parents[2]))
    repo.commit("leak", **{"app.py": LINE})

    with pytest.raises(AssertionError):
        repo.git("push", "-q", str(server), "main", PYTHONPATH=str(Path(__file__).parents[2]))

    received = repo.git("--git-dir", str(server), "log", "--format=%s", "main")
    assert "leak" not in received
