"""
When a secret left HEAD.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from scanner.sources.git import open_repository
from scanner.sources.objects import ObjectWalk
from scanner.triage.attribution import Attribution
from tests.conftest import Repository
from tests.triage.test_attribution import audit, matches_in, only

Maker = Callable[..., Repository]


def date_of(repo: Repository, commit: str) -> str:
    return repo.git("log", "-1", "--format=%ad", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", commit)


def edited(repo: Repository) -> str:
    return repo.commit("clean", **{"d/a.txt": "clean\n"})


def deleted(repo: Repository) -> str:
    repo.git("rm", "-qr", "d")
    return repo.commit("delete")


def moved(repo: Repository) -> str:
    repo.git("mv", "d", "e")
    return repo.commit("move")


def replaced_by_a_folder(repo: Repository) -> str:
    repo.git("rm", "-qr", "d")
    return repo.commit("folder", **{"d/a.txt/b": "x\n"})


@pytest.mark.parametrize("remove", [edited, deleted, moved, replaced_by_a_folder])
def test_it_left_with_the_commit_that_removed_it(
    remove: Callable[[Repository], str], repository: Maker
) -> None:
    repo = repository()
    repo.commit("one", **{"d/a.txt": "x = MARK-1\n"})
    repo.commit("two", **{"d/a.txt": "more\nx = MARK-1\n", "other.txt": "1\n"})
    gone = remove(repo)
    repo.commit("later", **{"other.txt": "2\n"})
    if remove is moved:
        # The copy that lives on is another occurrence, with no end.
        ends = {o.path: o.removed_at for _, o in audit(repo.path)}
        assert ends == {b"d/a.txt": date_of(repo, gone), b"e/a.txt": None}
    else:
        assert {o.removed_at for o in _all(repo)} == {date_of(repo, gone)}


def _all(repo: Repository) -> list:
    return [o for s, o in audit(repo.path) if s == b"MARK-1"]


def test_it_left_for_good_only_the_last_time(repository: Maker) -> None:
    repo = repository()
    repo.commit("one", **{"a.txt": "x = MARK-1\n"})
    repo.commit("clean", **{"a.txt": "\n"})
    repo.commit("again", **{"a.txt": "x = MARK-1\n"})
    gone = repo.commit("clean again", **{"a.txt": "\n"})

    assert only(repo.path, b"MARK-1").removed_at == date_of(repo, gone)


def test_a_late_merge_of_an_old_branch_does_not_make_it_live_longer(repository: Maker) -> None:
    repo = repository()
    repo.commit("one", **{"a.txt": "x = MARK-1\n"})
    repo.git("branch", "old")
    gone = repo.commit("clean", **{"a.txt": "\n"})
    repo.git("checkout", "-q", "old")
    repo.commit("beside", **{"b.txt": "\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "old")

    assert only(repo.path, b"MARK-1").removed_at == date_of(repo, gone)


def test_what_came_and_went_within_a_merged_branch_left_there(repository: Maker) -> None:
    repo = repository()
    repo.commit("base", **{"b.txt": "\n"})
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit("leak", **{"a.txt": "x = MARK-1\n"})
    gone = repo.commit("clean", **{"a.txt": "\n"})
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "topic")

    assert only(repo.path, b"MARK-1").removed_at == date_of(repo, gone)


@pytest.mark.parametrize("state", ["still there", "on another branch", "in no commit"])
def test_what_head_holds_or_never_held_has_not_left(state: str, repository: Maker) -> None:
    repo = repository()
    repo.commit("base", **{"b.txt": "\n"})
    if state == "on another branch":
        repo.git("checkout", "-q", "-b", "topic")
    if state == "in no commit":
        repo.git("hash-object", "-w", "--stdin", stdin=b"x = MARK-1\n")
    else:
        repo.commit("leak", **{"a.txt": "x = MARK-1\n"})
    repo.git("checkout", "-q", "main")

    assert only(repo.path, b"MARK-1").removed_at is None


def test_what_was_foreseen_gives_way_to_what_is_found_later(repository: Maker) -> None:
    repo = repository()
    repo.commit("first", **{"a.txt": "x = MARK-1\n", "deep/b.txt": "x = MARK-2\n"})
    gone = repo.commit("second", **{"a.txt": "clean\n", "deep/b.txt": "clean\n"})
    date = date_of(repo, gone)
    for foreseen in ("1", "12"):
        with contextlib.closing(ObjectWalk(open_repository(repo.path))) as walk:
            matches = matches_in(walk)
            attribution = Attribution(walk.history())
            located = attribution.locate(matches)
            attribution.foresee_removals(
                [one for one in located if one[0].secret.reveal()[-1:].decode() in foreseen]
            )
            told = attribution.with_removals(located)
        assert {o.removed_at for _, places in told for o in places} == {date}
