"""
Every object is read or accounted for, whatever state the repository is in.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.model import Coverage, Place, Unread
from scanner.sources import stream
from scanner.sources.git import open_repository
from scanner.sources.objects import ObjectWalk
from tests.conftest import Repository

Maker = Callable[..., Repository]
KINDS = ("blob", "commit", "tag", "tree")


def read(path: Path, *, jobs: int = 2) -> tuple[dict[str, bytes], Coverage, list[Unread]]:
    """
    The text of every blob by id, the account, and what was not read.
    """
    blobs: dict[str, bytes] = {}
    with contextlib.closing(ObjectWalk(open_repository(path), jobs=jobs)) as walk:
        for kind in KINDS:
            for each in walk.streams(kind):
                for batch in each:
                    if kind == "blob":
                        for number, (start, end) in enumerate(
                            zip(batch.starts, batch.ends, strict=True)
                        ):
                            blob = batch.document(number).blob
                            assert blob not in blobs
                            blobs[blob] = bytes(batch.data[start:end])
        for batch in walk.places():
            assert len(batch.starts) == len(batch.ends)
        walk.history()
        return blobs, walk.coverage, walk.unread


def according_to_git(path: Path) -> dict[str, tuple[int, int]]:
    """
    Number and bytes of objects by kind, as git counts them.
    """
    output = subprocess.run(
        [
            "git",
            "cat-file",
            "--batch-all-objects",
            "--batch-check=%(objecttype) %(objectsize)",
        ],
        cwd=path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    numbers: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for line in output.splitlines():
        kind, size = line.split()
        numbers[kind] += 1
        sizes[kind] += int(size)
    return {kind: (numbers[kind], sizes[kind]) for kind in KINDS}


def counts(coverage: Coverage) -> dict[str, tuple[int, int]]:
    return {kind: (coverage.kind(kind).read, coverage.kind(kind).bytes) for kind in KINDS}


def filled(repo: Repository) -> Repository:
    lines = []
    for number in range(30):
        text = b"line\n" * 50 + b"%d\n" % number
        lines += [
            b"commit refs/heads/main",
            b"committer A <a@x> %d +0000" % (1_600_000_000 + number),
            b"data 1\nc",
            b"M 644 inline a.txt\ndata %d\n%s" % (len(text), text),
            b"M 644 inline d/%d.txt\ndata 2\n%02d" % (number, number),
        ]
    # Imported small histories stay loose objects.
    repo.git("-c", "fastimport.unpackLimit=1000", "fast-import", "--quiet", stdin=b"\n".join(lines))
    repo.git("reset", "-q", "--hard")
    repo.git("tag", "-a", "v1", "-m", "one")
    repo.write("empty", b"")
    repo.write("nul", bytes(1000))
    repo.commit("odd ones")
    return repo


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="sha1"),
        pytest.param(("--object-format=sha256",), id="sha256"),
    ],
)
@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param([], id="loose"),
        pytest.param([["repack", "-adq"]], id="packed"),
        pytest.param([["repack", "-adq", "--depth=50", "--window=50", "-f"]], id="deep deltas"),
        pytest.param([["repack", "-q"]], id="packed and loose twice over"),
        pytest.param([["repack", "-adq"], ["pack-refs", "--all"]], id="packed refs"),
        pytest.param(
            [["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"]], id="deltas by name"
        ),
        pytest.param([["-c", "pack.indexVersion=1", "repack", "-adfq"]], id="index of version 1"),
    ],
)
def test_counts_are_those_of_git(
    repository: Maker, options: tuple[str, ...], prepare: list[list[str]]
) -> None:
    repo = filled(repository("repo", *options))
    for command in prepare:
        repo.git(*command)

    blobs, coverage, unread = read(repo.path)

    assert counts(coverage) == according_to_git(repo.path)
    assert not unread
    assert b"" in blobs.values()
    assert bytes(1000) in blobs.values()


def test_a_blob_larger_than_a_buffer_comes_whole(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BUFFER_BYTES", 512)
    repo = filled(repository())
    text = bytes(range(256)) * 100
    repo.write("large", text)
    repo.write("small", b"s" * 300)
    repo.commit()

    blobs, coverage, unread = read(repo.path)

    assert text in blobs.values()
    assert counts(coverage) == according_to_git(repo.path)
    assert not unread


def test_a_huge_blob_goes_through_a_file(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BUFFER_BYTES", 512)
    monkeypatch.setattr(stream, "_SPOOLED_BYTES", 1000)
    repo = repository()
    repo.write("huge", b"h" * 5000)
    repo.commit()

    blobs, _, _ = read(repo.path)

    assert b"h" * 5000 in blobs.values()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(["clone", "-q", "--bare"], id="bare"),
        pytest.param(["clone", "-q", "--mirror"], id="mirror"),
        pytest.param(["clone", "-q", "--shared"], id="alternates"),
        pytest.param(["clone", "-q", "--no-local", "--depth=2"], id="shallow"),
    ],
)
def test_clones_of_every_kind_are_read(repository: Maker, tmp_path: Path, make: list[str]) -> None:
    repo = filled(repository())
    repo.git(
        *make,
        f"file://{repo.path}" if "--depth=2" in make else str(repo.path),
        str(tmp_path / "copy"),
    )

    _, coverage, unread = read(tmp_path / "copy")

    assert counts(coverage) == according_to_git(tmp_path / "copy")
    assert coverage.kind("blob").read
    assert not unread


def test_a_worktree_shows_its_whole_repository(repository: Maker, tmp_path: Path) -> None:
    repo = filled(repository())
    repo.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "other")

    with contextlib.closing(ObjectWalk(open_repository(tmp_path / "tree"))) as walk:
        texts = [
            (batch.document(n).place, batch.document(n).path)
            for batch in walk.places()
            for n in range(len(batch.starts))
        ]
    _, coverage, _ = read(tmp_path / "tree")

    assert counts(coverage) == according_to_git(repo.path)
    assert (Place.GIT_CONFIG, b"config") in texts
    assert (Place.REFLOG, b"worktrees/tree/logs/HEAD") in texts


def test_what_replace_and_grafts_hide_is_read(repository: Maker) -> None:
    repo = filled(repository())
    secret = repo.commit(**{"hidden.txt": "hidden"})
    good = repo.git("commit-tree", f"{secret}~1^{{tree}}", "-p", f"{secret}~1", "-m", "clean")
    repo.git("replace", secret, good)
    blob = repo.git("hash-object", "hidden.txt")
    repo.git("replace", blob, repo.git("hash-object", "-w", "--stdin", stdin=b"clean"))
    (repo.path / ".git/info/grafts").write_text(f"{secret}\n")

    blobs, coverage, _ = read(repo.path)

    assert blobs[blob] == b"hidden"
    assert coverage.kind("commit").read == 33


def loose(repo: Repository, name: str) -> Path:
    path = repo.path / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    return path


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: b"not zlib at all", id="not zlib"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut short"),
        pytest.param(lambda data: data[:-6] + b"\0\0\0\0\0\0", id="wrong checksum"),
    ],
)
@pytest.mark.parametrize("kind", ["blob", "tree", "commit", "tag"])
def test_a_corrupt_object_is_told_and_the_others_are_read(
    repository: Maker, damage: Callable[[bytes], bytes], kind: str
) -> None:
    repo = filled(repository())
    name = repo.git(
        "rev-parse",
        {"blob": "HEAD:nul", "tree": "HEAD^{tree}", "commit": "HEAD", "tag": "v1"}[kind],
    )
    total = sum(number for number, _ in according_to_git(repo.path).values())
    path = loose(repo, name)
    path.write_bytes(damage(path.read_bytes()))

    _, coverage, unread = read(repo.path)

    assert [entry.blob for entry in unread if entry.blob == name] == [name]
    assert sum(c.read for k, c in coverage.kinds.items() if k in KINDS) == total - 1
    assert sum(count.unreadable for count in coverage.kinds.values()) == 1


def test_a_truncated_pack_is_told_and_the_others_are_read(repository: Maker) -> None:
    repo = filled(repository())
    repo.git("repack", "-adq")
    (pack,) = (repo.path / ".git/objects/pack").glob("*.pack")
    repo.commit(**{"later.txt": "later"})
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-500])

    blobs, coverage, unread = read(repo.path)

    assert b"later" in blobs.values()
    assert any(entry.path and entry.path.endswith(b".pack") for entry in unread)
    assert sum(count.unreadable for count in coverage.kinds.values()) > 0


def test_a_byte_that_flipped_in_a_pack_costs_what_depends_on_it_alone(repository: Maker) -> None:
    repo = filled(repository())
    repo.write("incompressible", bytes((n * n * 31 + n // 7) % 256 for n in range(3000)))
    repo.commit()
    repo.git("repack", "-adq")
    (pack,) = (repo.path / ".git/objects/pack").glob("*.pack")
    data = bytearray(pack.read_bytes())
    total = sum(number for number, _ in according_to_git(repo.path).values())
    pack.chmod(0o644)
    for spot in range(len(data) // 2, len(data) // 2 + 40):
        data[spot] ^= 0xFF
    pack.write_bytes(data)

    _, coverage, unread = read(repo.path)

    lost = sum(count.unreadable for count in coverage.kinds.values())
    assert 0 < lost < total
    assert sum(c.read for k, c in coverage.kinds.items() if k in KINDS) == total - lost
    assert len([entry for entry in unread if entry.blob]) >= lost


def test_a_broken_pack_index_is_told(repository: Maker) -> None:
    repo = filled(repository())
    repo.git("repack", "-adq")
    (index,) = (repo.path / ".git/objects/pack").glob("*.idx")
    index.chmod(0o644)
    index.write_bytes(index.read_bytes()[:1500])
    later = repo.git("hash-object", "-w", "--stdin", stdin=b"later")

    blobs, _, unread = read(repo.path)

    assert later in blobs
    assert any(entry.path and entry.path.endswith(b".idx") for entry in unread)


def test_a_missing_pack_is_told(repository: Maker) -> None:
    repo = filled(repository())
    repo.git("repack", "-adq")
    (pack,) = (repo.path / ".git/objects/pack").glob("*.pack")
    pack.unlink()

    _, _, unread = read(repo.path)

    assert any(entry.reason == "the pack is missing" for entry in unread)


@pytest.mark.parametrize("what", ["blob", "tree", "parent", "ref"])
def test_an_object_that_is_missing_is_told(repository: Maker, what: str) -> None:
    repo = filled(repository())
    spec = {"blob": "HEAD:d/3.txt", "tree": "HEAD:d", "parent": "HEAD~3", "ref": "refs/tags/v1"}
    name = repo.git("rev-parse", spec[what])
    loose(repo, name).unlink()

    _, _, unread = read(repo.path)

    assert [entry.blob for entry in unread] == [name]
    assert "missing" in unread[0].reason


def test_a_pack_without_an_index_is_told(repository: Maker) -> None:
    repo = filled(repository())
    repo.git("gc", "-q")
    (pack,) = (repo.path / ".git" / "objects" / "pack").glob("*.idx")
    pack.unlink()

    _, _, unread = read(repo.path)

    assert any("the pack has no index" in entry.reason for entry in unread)


def test_an_alternate_that_is_gone_is_told(repository: Maker, tmp_path: Path) -> None:
    repo = filled(repository())
    alternates = repo.path / ".git" / "objects" / "info" / "alternates"
    alternates.write_text(f"{tmp_path}/gone\n")

    _, coverage, unread = read(repo.path)

    assert [entry.reason for entry in unread] == ["an alternate object folder is not there"]
    assert coverage.kind("blob").read


@pytest.mark.parametrize(
    ("what", "place"),
    [("HEAD^{tree}", Place.PATH), ("HEAD~1", Place.COMMIT_MESSAGE)],
    ids=["tree", "parent"],
)
def test_what_a_commit_names_and_is_missing_is_told_by_kind(
    repository: Maker, what: str, place: Place
) -> None:
    repo = repository()
    repo.commit("one", a="1\n")
    repo.commit("two", a="2\n")
    name = repo.git("rev-parse", what)
    loose(repo, name).unlink()

    _, _, unread = read(repo.path)

    assert [(entry.place, entry.blob) for entry in unread] == [(place, name)]


def test_an_empty_repository_has_nothing(repository: Maker) -> None:
    _, coverage, unread = read(repository().path)

    assert not unread
    assert sum(coverage.kind(kind).read for kind in KINDS) == 0


def test_nothing_of_a_scanned_repository_runs(repository: Maker, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    script = tmp_path / "touch.sh"
    script.write_text(f"#!/bin/sh\necho ran >> {canary}\ncat\n")
    script.chmod(0o755)
    repo = filled(repository())
    repo.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "attributes")
    for key in (
        "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass",
        "core.gitProxy", "diff.external", "diff.evil.textconv", "diff.evil.command",
        "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.driver",
        "core.alternateRefsCommand", "credential.helper", "gpg.program", "pager.cat-file",
        "pager.rev-parse", "uploadpack.packObjectsHook", "remote.origin.uploadpack",
    ):  # fmt: skip
        repo.git("config", key, str(script))
    repo.git("config", "alias.cat-file", f"!{script}")
    repo.git("config", "extensions.partialClone", "origin")
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "remote.origin.url", f"ext::{script}")
    repo.git("config", "remote.origin.promisor", "true")
    hooks = repo.path / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(script, hooks / hook)
    canary.unlink(missing_ok=True)
    loose(repo, repo.git("rev-parse", "HEAD:nul")).unlink()

    read(repo.path)

    assert not canary.exists()
