"""
Where a secret came in: against real repositories, and against a slow reference.
"""

from __future__ import annotations

import contextlib
import heapq
import random
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from scanner.model import Document, Match, Occurrence, Place, Position
from scanner.secret import Secret
from scanner.sources.git import open_repository
from scanner.sources.objects import ObjectWalk
from scanner.triage.attribution import Attribution
from tests.conftest import Repository

MARK = b"MARK-"
Maker = Callable[..., Repository]


def matches_in(walk: ObjectWalk) -> list[Match]:
    """
    Every text that holds the mark, as an engine would report it.
    """
    found: list[Match] = []

    def look(batches: Iterable[object]) -> None:
        for batch in batches:
            for number, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
                text = bytes(batch.data[start:end])
                spot = text.find(MARK)
                while spot >= 0:
                    stop = spot + len(MARK) + 1
                    line = text.count(b"\n", 0, spot) + 1
                    column = spot - text.rfind(b"\n", 0, spot)
                    position = Position(line, column, line, column + stop - spot)
                    found.append(
                        Match(
                            rule_id="mark",
                            secret=Secret(text[spot:stop]),
                            document=batch.document(number),
                            position=position,
                            start=spot,
                            end=stop,
                        )
                    )
                    spot = text.find(MARK, stop)

    for kind in ("blob", "commit", "tag", "tree"):
        if kind == "tree":
            walk.want(m.document.blob for m in found if m.document.blob)
        for stream in walk.streams(kind):
            look(stream)
    look(walk.places())
    return found


def audit(path: Path) -> list[tuple[bytes, Occurrence]]:
    with contextlib.closing(ObjectWalk(open_repository(path))) as walk:
        matches = matches_in(walk)
        located = (a := Attribution(walk.history())).with_removals(a.locate(matches))
    return [(m.secret.reveal(), o) for m, occurrences in located for o in occurrences]


def only(path: Path, secret: bytes) -> Occurrence:
    (found,) = [o for s, o in audit(path) if s == secret and o.place is not Place.REFLOG]
    return found


def test_a_secret_is_where_it_first_came_in(repository: Maker) -> None:
    repo = repository()
    repo.commit("first", **{"a.txt": "nothing\n"})
    came = repo.commit("second", **{"dir/b.txt": "line\nx = MARK-1\n"})
    repo.commit("third", **{"dir/b.txt": "line\nx = MARK-1\nmore\n"})
    repo.commit("fourth", **{"dir/b.txt": "clean\n"})

    found = only(repo.path, b"MARK-1")

    assert (found.path, found.commit) == (b"dir/b.txt", came)
    assert (found.position.line, found.position.column) == (2, 5)
    assert found.author.email == "ada@example.org"
    assert found.date == "2020-09-13T12:32:40Z"
    assert (found.reachable, found.in_head) == (True, False)


def test_what_head_still_holds_is_said(repository: Maker) -> None:
    repo = repository()
    repo.commit(**{"kept.txt": "MARK-1"})
    repo.commit(**{"kept.txt": "# MARK-1"})

    assert [o.in_head for _, o in audit(repo.path)] == [True, True]


def test_a_copy_is_an_occurrence_of_its_own(repository: Maker) -> None:
    repo = repository()
    first = repo.commit(**{"a.txt": "MARK-1"})
    second = repo.commit(**{"copy/of/a.txt": "MARK-1"})

    assert {(o.path, o.commit) for _, o in audit(repo.path)} == {
        (b"a.txt", first),
        (b"copy/of/a.txt", second),
    }


def test_a_rename_and_a_re_addition_name_the_first_commit_of_each_path(repository: Maker) -> None:
    repo = repository()
    first = repo.commit(**{"old.txt": "MARK-1"})
    repo.git("mv", "old.txt", "new.txt")
    renamed = repo.commit("rename")
    repo.git("rm", "-q", "new.txt")
    repo.commit("gone")
    repo.commit("again", **{"old.txt": "MARK-1"})

    assert {(o.path, o.commit) for _, o in audit(repo.path)} == {
        (b"old.txt", first),
        (b"new.txt", renamed),
    }


def test_an_evil_merge_is_to_blame_itself(repository: Maker) -> None:
    repo = repository()
    repo.commit(**{"a.txt": "a"})
    repo.git("checkout", "-qb", "side")
    repo.commit(**{"b.txt": "b"})
    repo.git("checkout", "-q", "main")
    repo.commit(**{"c.txt": "c"})
    repo.git("merge", "-q", "--no-ff", "--no-commit", "side")
    repo.write("evil.txt", "MARK-1")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "merge")
    merge = repo.git("rev-parse", "HEAD")
    repo.commit(**{"d.txt": "d"})

    assert only(repo.path, b"MARK-1").commit == merge


def test_a_type_change_is_seen_on_both_sides(repository: Maker) -> None:
    repo = repository()
    (repo.path / "thing").symlink_to("/opt/MARK-1")
    link = repo.commit("link")
    (repo.path / "thing").unlink()
    file = repo.commit("file", thing="MARK-2")

    found = {s: (o.place, o.path, o.commit) for s, o in audit(repo.path)}
    assert found == {
        b"MARK-1": (Place.SYMLINK, b"thing", link),
        b"MARK-2": (Place.BLOB, b"thing", file),
    }


def orphan(repo: Repository, text: str) -> tuple[str, str, str]:
    blob = repo.git("hash-object", "-w", "--stdin", stdin=text.encode())
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\tlost.txt\n".encode())
    return blob, tree, repo.git("commit-tree", tree, "-m", "orphan")


def test_an_unreachable_commit_is_named_and_said_to_be_unreachable(repository: Maker) -> None:
    repo = repository()
    repo.commit()
    _, _, commit = orphan(repo, "MARK-1")

    found = only(repo.path, b"MARK-1")

    assert (found.path, found.commit, found.reachable) == (b"lost.txt", commit, False)


def test_a_commit_that_only_a_reflog_holds_is_unreachable(repository: Maker) -> None:
    repo = repository()
    repo.commit()
    lost = repo.commit(**{"x.txt": "MARK-1"})
    repo.git("reset", "-q", "--hard", "HEAD~1")

    found = only(repo.path, b"MARK-1")

    assert (found.commit, found.reachable, found.in_head) == (lost, False, False)


def test_a_stash_is_reachable(repository: Maker) -> None:
    repo = repository()
    repo.commit(**{"x.txt": "clean"})
    repo.write("x.txt", "MARK-1")
    repo.git("stash")

    found = only(repo.path, b"MARK-1")

    assert (found.path, found.reachable) == (b"x.txt", True)


def test_a_loose_blob_has_neither_path_nor_commit(repository: Maker) -> None:
    repo = repository()
    repo.commit()
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"MARK-1")

    found = only(repo.path, b"MARK-1")

    assert (found.blob, found.path, found.commit, found.reachable) == (blob, None, None, False)


def test_a_blob_that_is_only_staged_has_its_path(repository: Maker) -> None:
    repo = repository()
    repo.commit()
    repo.write("dir/staged.txt", "MARK-1")
    repo.git("add", "-A")

    found = only(repo.path, b"MARK-1")

    assert (found.path, found.commit, found.in_head) == (b"dir/staged.txt", None, False)


def test_a_tag_on_a_blob_or_tree_makes_it_reachable_without_a_commit(repository: Maker) -> None:
    repo = repository()
    repo.commit()
    repo.git("tag", "b", repo.git("hash-object", "-w", "--stdin", stdin=b"MARK-1"))
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"MARK-2")
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\tt.txt\n".encode())
    repo.git("tag", "-a", "t", "-m", "on a tree", tree)

    found = {s: (o.path, o.commit, o.reachable) for s, o in audit(repo.path)}

    assert found == {b"MARK-1": (None, None, True), b"MARK-2": (b"t.txt", None, True)}


def test_every_place_outside_blobs_is_told_apart(repository: Maker) -> None:
    repo = repository()
    repo.commit(**{"a.txt": "a"})
    said = repo.commit("message with MARK-1")
    repo.git("tag", "-a", "v1", "-m", "tagged MARK-2")
    repo.git("notes", "add", "-m", "note MARK-3")
    repo.write("b.txt", "b")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "who", GIT_AUTHOR_NAME="MARK-4")
    named = repo.commit(**{"dir/x MARK-5.txt": "x"})
    repo.git("branch", "leak/MARK-6")
    repo.git("config", "remote.origin.url", "https://u:MARK-7@example.org/")
    repo.git("branch", "-D", "leak/MARK-6")
    repo.git("branch", "other/MARK-8")

    found = {(s, o.place): o for s, o in audit(repo.path) if o.place is not Place.REFLOG}

    places = {(s.decode(), p.value) for s, p in found}
    assert places == {
        ("MARK-1", "commit-message"),
        ("MARK-2", "tag-message"),
        ("MARK-3", "note"),
        ("MARK-4", "commit-identity"),
        ("MARK-5", "path"),
        ("MARK-7", "git-config"),
        ("MARK-8", "ref-name"),
    }
    message = found[b"MARK-1", Place.COMMIT_MESSAGE]
    assert (message.commit, message.position.line, message.position.column) == (said, 1, 14)
    assert found[b"MARK-2", Place.TAG_MESSAGE].commit == said
    name = found[b"MARK-5", Place.PATH]
    assert (name.path, name.commit) == (b"dir/x MARK-5.txt", named)
    assert (name.position.line, name.position.column, name.position.end_column) == (1, 7, 13)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"new\nline", id="newline"),
        pytest.param(b"40000 folder", id="looks like a mode"),
        pytest.param(b"caf\xe9 \x1b[31m", id="not UTF-8"),
        pytest.param(b"n" * 255, id="long"),
        pytest.param("ünï".encode(), id="UTF-8"),
    ],
)
def test_odd_names_come_back_byte_for_byte(repository: Maker, name: bytes) -> None:
    repo = repository()
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"MARK-1")
    inner = repo.git("mktree", "-z", stdin=b"100644 blob " + blob.encode() + b"\t" + name + b"\0")
    outer = repo.git("mktree", "-z", stdin=b"040000 tree " + inner.encode() + b"\t" + name + b"\0")
    commit = repo.git("commit-tree", outer, "-m", "odd")
    repo.git("update-ref", "refs/heads/odd", commit)

    found = only(repo.path, b"MARK-1")

    assert (found.path, found.commit) == (name + b"/" + name, commit)


def test_one_tree_at_two_paths_gives_two_occurrences(repository: Maker) -> None:
    repo = repository()
    commit = repo.commit(**{"one/s.txt": "MARK-1", "two/s.txt": "MARK-1"})

    assert {(o.path, o.commit) for _, o in audit(repo.path)} == {
        (b"one/s.txt", commit),
        (b"two/s.txt", commit),
    }


def test_a_tree_that_holds_itself_many_times_over_is_cut_and_said(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.triage.attribution_paths.MAX_STATES", 50)
    repo = repository()
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b"MARK-1")
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\ts\n".encode())
    for _ in range(6):
        tree = repo.git(
            "mktree", stdin="".join(f"040000 tree {tree}\td{n}\n" for n in range(8)).encode()
        )
    repo.git("update-ref", "refs/heads/bomb", repo.git("commit-tree", tree, "-m", "bomb"))

    with contextlib.closing(ObjectWalk(open_repository(repo.path))) as walk:
        matches = matches_in(walk)
        attribution = Attribution(walk.history())
        located = attribution.locate(matches)

    assert [limit.name for limit in attribution.limits] == ["paths"]
    assert 1 <= sum(len(occurrences) for _, occurrences in located) <= 50


def test_many_objects_are_found_in_two_processes(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository()
    for number in range(8):
        repo.write(f"d{number % 3}/f{number}", f"MARK-{number}")
        repo.commit()
    alone = audit(repo.path)

    monkeypatch.setattr("scanner.triage.attribution._MANY", 2)

    assert audit(repo.path) == alone
    assert {o.path for _, o in alone} == {b"d%d/f%d" % (n % 3, n) for n in range(8)}


def test_trees_may_be_read_by_two_at_a_time(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.sources.trees._AT_ONCE", 2)
    repo = repository()
    for number in range(3):
        repo.write(f"d{number}/f", f"MARK-{number}")
        repo.commit()
    with contextlib.closing(ObjectWalk(open_repository(repo.path))) as walk:
        matches_in(walk)
        trees = walk.history().trees
        one, other = trees.entries(), trees.entries()

        pairs = list(zip(one, other, strict=True))

    assert len(pairs) > 1
    assert all(a.tobytes() == b.tobytes() for a, b in pairs)


def random_history(path: Path, seed: int) -> list[tuple[list[int], int, dict[str, bytes]]]:
    """
    Make a repository of random merges, dates and files; return each commit's parents, date, files.
    """
    dice = random.Random(seed)
    commits: list[tuple[list[int], int, dict[str, bytes]]] = []
    stream: list[bytes] = []
    names = ["a", "b", "d/a", "d/b", "d/e/a", "e/a", "d a", "40000 x/y"]
    for number in range(dice.randint(5, 30)):
        parents = sorted(dice.sample(range(number), min(number, dice.choice([0, 1, 1, 1, 2, 3]))))
        files = dict(commits[parents[0]][2]) if parents else {}
        for _ in range(dice.randint(0, 3)):
            name = dice.choice(names)
            if dice.random() < 0.3:
                files.pop(name, None)
            else:
                files[name] = b"MARK-%d\n" % dice.randint(0, 3)
        date = 1_600_000_000 + dice.choice([number * 60, dice.randint(0, 3000), 7])
        commits.append((parents, date, files))
        stream += [
            b"commit refs/heads/c%d" % number,
            b"mark :%d" % (number + 1),
            b"author A <a@x> %d +0000" % date,
            b"committer A <a@x> %d +0000" % date,
            b"data 3\n%03d" % number,  # two equal commits would be one
        ]
        stream += [
            b"%s :%d" % (b"merge" if place else b"from", parent + 1)
            for place, parent in enumerate(parents)
        ]
        stream.append(b"deleteall")
        for name, text in sorted(files.items()):
            quoted = b'"' + name.encode() + b'"'
            stream.append(b"M 644 inline %s\ndata %d\n%s" % (quoted, len(text), text))
    repo = Repository(path)
    repo.git("fast-import", "--quiet", "--force", stdin=b"\n".join(stream) + b"\n")
    return commits


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("packed", [False, True], ids=["as imported", "repacked"])
def test_first_commits_are_those_of_a_slow_reference(
    tmp_path: Path, seed: int, packed: bool
) -> None:
    commits = random_history(tmp_path / "repo", seed)
    repo = tmp_path / "repo"

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=repo, check=True, capture_output=True, text=True
        ).stdout.strip()

    ids = [git("rev-parse", f"refs/heads/c{number}") for number in range(len(commits))]
    if packed:
        git("repack", "-adfq")
    waiting = {number: set(parents) for number, (parents, _, _) in enumerate(commits)}
    heap = [(commits[n][1], ids[n], n) for n in waiting if not waiting[n]]
    heapq.heapify(heap)
    expected: dict[tuple[bytes, bytes], str] = {}
    while heap:
        _, name, number = heapq.heappop(heap)
        for path, text in commits[number][2].items():
            expected.setdefault((text.strip(), path.encode()), name)
        for other, left in waiting.items():
            if number in left:
                left.discard(number)
                if not left:
                    heapq.heappush(heap, (commits[other][1], ids[other], other))

    found = {(s, o.path): o.commit for s, o in audit(repo) if o.place is Place.BLOB}

    assert found == expected


def test_positions_in_one_path_go_to_the_earliest_commit_each(repository: Maker) -> None:
    repo = repository()
    first = repo.commit(**{"a.txt": "MARK-1\n"})
    moved = repo.commit(**{"a.txt": "\nMARK-1\n"})
    repo.commit(**{"a.txt": "MARK-1\n# back\n"})

    found = {(o.position.line, o.commit) for _, o in audit(repo.path)}

    assert found == {(1, first), (2, moved)}


def test_a_document_without_an_owner_stays_as_it_is(repository: Maker) -> None:
    repo = repository()
    repo.commit()
    match = Match(
        rule_id="r",
        secret=Secret(b"x"),
        document=Document(Place.GIT_CONFIG, b"config"),
        position=Position(1, 1, 1, 2),
    )

    with contextlib.closing(ObjectWalk(open_repository(repo.path))) as walk:
        for kind in ("blob", "commit", "tag", "tree"):
            for stream in walk.streams(kind):
                list(stream)
        ((_, (occurrence,)),) = Attribution(walk.history()).locate([match])

    assert (occurrence.place, occurrence.path, occurrence.commit) == (
        Place.GIT_CONFIG,
        b"config",
        None,
    )
