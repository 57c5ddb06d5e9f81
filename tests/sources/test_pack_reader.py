"""
Our own reader of packs says what git says, also of packs that are damaged.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scanner import native
from scanner.native import library
from scanner.sources import stream
from scanner.sources.git import open_repository
from scanner.sources.objects import ObjectWalk
from scanner.sources.pack_reader import PackReader
from scanner.sources.packs import CODES, take_inventory
from tests.conftest import Repository

Maker = Callable[..., Repository]
KINDS = ("blob", "commit", "tag", "tree")
WORDS = [b"alpha", b"beta", b"gamma", b"delta", b"the quick brown fox", b"0123456789", b""]

built = pytest.mark.skipif(library() is None, reason="there is no C compiler")


def read(path: Path) -> tuple[dict[tuple[str, str], bytes], set[int], int]:
    """
    Every object, the rows of what was lost, and how many batches say what is shared.
    """
    objects: dict[tuple[str, str], bytes] = {}
    lost: set[int] = set()
    sharing = 0
    with contextlib.closing(ObjectWalk(open_repository(path), jobs=1)) as walk:
        inventory = walk.inventory
        for kind in KINDS:
            queue = stream.Queue(inventory.of_kind(kind), inventory.weights, 1)
            with contextlib.closing(queue):
                objects_of = walk.object_stream(kind, queue)
                for batch in objects_of:
                    sharing += batch.shared is not None
                    for row, start, end in zip(batch.ids, batch.starts, batch.ends, strict=True):
                        objects[kind, row.tobytes().hex()] = bytes(batch.data[start:end])
                lost.update(objects_of.lost)
    return objects, lost, sharing


def without_reader(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], bytes]:
    with monkeypatch.context() as patch:
        patch.setattr(stream, "library", lambda: None)
        objects, _, sharing = read(path)
    assert not sharing
    return objects


def filled(repo: Repository, versions: int = 60) -> Repository:
    """
    Files that change in several places from version to version, some of them much.
    """
    chance = random.Random(7)
    lines = [[chance.choice(WORDS) + b" %d" % n for n in range(size)] for size in (5, 80, 600)]
    told: list[bytes] = []
    for number in range(versions):
        told += [
            b"commit refs/heads/main",
            b"committer A <a@x> %d +0000" % (1_600_000_000 + number),
            b"data 1\nc",
        ]
        for file, text in enumerate(lines):
            for _ in range(chance.randrange(4)):
                at = chance.randrange(len(text))
                text[at : at + chance.randrange(3)] = [chance.choice(WORDS) + b"!"] * 2
            data = b"\n".join(text)
            told.append(b"M 644 inline d%d/f.txt\ndata %d\n%s" % (file, len(data), data))
    repo.git("fast-import", "--quiet", stdin=b"\n".join(told))
    repo.git("reset", "-q", "--hard")
    repo.write("empty", b"")
    repo.commit("an empty file")
    repo.git("tag", "-a", "v1", "-m", "one")
    repo.git("repack", "-adfq", "--depth=30", "--window=30")
    return repo


def test_it_is_built_where_there_is_a_compiler() -> None:
    if shutil.which("cc") and sys.platform.startswith("linux"):
        assert library() is not None


def test_a_library_of_another_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_VERSION", -1)

    assert library.__wrapped__() is None


@built
@pytest.mark.parametrize(
    "options", [pytest.param((), id="sha1"), pytest.param(("--object-format=sha256",), id="sha256")]
)
@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param([], id="deltas by distance"),
        pytest.param(
            [["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"]], id="deltas by name"
        ),
        pytest.param([["repack", "-adfq", "--depth=4000", "--window=9"]], id="long chains"),
        pytest.param([["repack", "-adfq", "--depth=0"]], id="no deltas"),
        pytest.param([["-c", "core.compression=0", "repack", "-adFq"]], id="not compressed"),
    ],
)
def test_it_reads_what_git_reads(
    repository: Maker,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    prepare: list[list[str]],
) -> None:
    repo = filled(repository("repo", *options))
    for command in prepare:
        repo.git(*command)

    objects, lost, sharing = read(repo.path)

    assert objects == without_reader(repo.path, monkeypatch)
    assert len(objects) > 150
    assert sharing
    assert not lost
    assert {kind for kind, _ in objects} == set(KINDS)


@built
def test_what_does_not_fit_is_left_to_git(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.sources.pack_reader._TEXT_BYTES", 3_000)
    repo = filled(repository())

    objects, lost, sharing = read(repo.path)

    assert objects == without_reader(repo.path, monkeypatch)
    assert sharing
    assert not lost


@built
def test_several_packs_and_loose_objects_come_together(
    repository: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = filled(repository())
    repo.write("second", b"second\n" * 100)
    repo.commit()
    repo.git("repack", "-q")
    repo.write("third", b"third\n" * 100)
    repo.commit()

    objects, lost, _ = read(repo.path)

    assert objects == without_reader(repo.path, monkeypatch)
    assert b"third\n" * 100 in objects.values()
    assert not lost


@built
@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_pack_loses_no_more_than_it_does_with_git(
    repository: Maker, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    repo = filled(repository(), versions=20)
    damage(pack_of(repo), random.Random(seed), 12)

    objects, lost, _ = read(repo.path)
    git = without_reader(repo.path, monkeypatch)

    assert objects.items() >= git.items()
    assert lost


def pack_of(repo: Repository) -> Path:
    (pack,) = (repo.path / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    return pack


def damage(pack: Path, chance: random.Random, times: int) -> None:
    data = bytearray(pack.read_bytes())
    for _ in range(times):
        data[chance.randrange(12, len(data) - 20)] ^= 1 << chance.randrange(8)
    pack.write_bytes(data)


@built
def test_whatever_a_pack_holds_it_returns_texts_or_leaves_them(repository: Maker) -> None:
    repo = filled(repository(), versions=20)
    pack = pack_of(repo)
    inventory = take_inventory(repo.path / ".git/objects", 20)
    offsets = np.sort(inventory.offsets[inventory.of_kind("blob")])
    whole = pack.read_bytes()
    chance = random.Random(11)
    failed = 0
    for _ in range(400):
        pack.write_bytes(whole)
        damage(pack, chance, chance.randrange(1, 40))
        if chance.random() < 0.2:
            pack.write_bytes(pack.read_bytes()[: chance.randrange(len(whole))])
        with contextlib.closing(PackReader(pack, 20, cutting=True)) as reader:
            at = 0
            while at < len(offsets):
                told = reader.read(offsets[at:], CODES["blob"])
                at += told.done
                failed += len(told.failed)

                assert told.done == len(told.places) + len(told.failed)
                assert all(
                    0 <= a <= b <= len(told.text)
                    for a, b in zip(told.starts, told.ends, strict=True)
                )
                assert told.shared is not None
                for pieces in told.shared.passes:
                    assert len(pieces.owners) == len(pieces.places) == len(pieces.shifts)
                    assert all(0 <= owner < len(told.starts) for owner in pieces.owners)
    assert failed > 400


@built
def test_pieces_and_what_is_repeated_cover_every_byte(repository: Maker) -> None:
    repo = filled(repository())
    inventory = take_inventory(repo.path / ".git/objects", 20)
    offsets = np.sort(inventory.offsets[inventory.of_kind("blob")])
    texts: dict[int, bytes] = {}
    based = 0
    with contextlib.closing(PackReader(pack_of(repo), 20, cutting=True)) as reader:
        at = 0
        while at < len(offsets):
            told = reader.read(offsets[at:], CODES["blob"])
            at += told.done
            shared = told.shared
            assert shared is not None
            seen = [
                bytearray(end - start) for start, end in zip(told.starts, told.ends, strict=True)
            ]
            near = shared.passes[0]
            edges = [*near.places, len(near.text)]
            for place, shift, owner, behind in zip(
                near.places, near.shifts, near.owners, edges[1:], strict=True
            ):
                piece = bytes(near.text[place : behind - 1])
                start = told.starts[owner] + place + shift
                assert bytes(told.text[start : start + len(piece)]) == piece
                seen[owner][place + shift : place + shift + len(piece)] = b"x" * len(piece)
            first = 0
            for index, stop in enumerate(shared.stops):
                text = bytes(told.text[told.starts[index] : told.ends[index]])
                texts[shared.first + index] = text
                numbers = iter(shared.blocks[3 * first : 3 * stop])
                for old, new, size in zip(numbers, numbers, numbers, strict=True):
                    base = texts[shared.bases[index]]
                    assert base[old : old + size] == text[new : new + size]
                    seen[index][new : new + size] = b"x" * size
                based += shared.bases[index] >= 0
                first = stop

            assert all(set(one) <= {ord("x")} for one in seen)
    assert based > 60
