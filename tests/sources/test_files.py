"""
The walk over files: everything is read or accounted for, and no link leads out.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from scanner.errors import TargetError
from scanner.model import Place
from scanner.sources import files
from scanner.sources.files import FileWalk


def texts(walk: FileWalk) -> list[tuple[Place, bytes | None, bytes]]:
    return [
        (batch.document(i).place, batch.document(i).path, bytes(batch.data[start:end]))
        for batch in walk.batches()
        for i, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True))
    ]


def test_a_folder_is_read_whole_but_for_git(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt", ".hidden", "node_modules/x.js", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    walk = FileWalk([str(tmp_path)])
    found = texts(walk)

    assert [path for place, path, _ in found if place is Place.FILE] == [
        b".hidden",
        b"a/c.txt",
        b"b.txt",
        b"node_modules/x.js",
    ]
    assert all(text == path for place, path, text in found)
    assert walk.coverage.kind("file").read == 4
    assert walk.coverage.kind("file").skipped == {"inside .git": 1}


def test_a_link_is_read_as_a_link_and_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").write_text("outside")
    os.symlink("../outside", root / "link")
    os.symlink("..", root / "folder")

    found = texts(FileWalk([str(root)]))

    assert {(place, text) for place, _, text in found if place is not Place.PATH} == {
        (Place.SYMLINK, b"../outside"),
        (Place.SYMLINK, b".."),
    }


def test_a_link_that_the_user_names_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("real")
    os.symlink("real", tmp_path / "link")

    found = texts(FileWalk([str(tmp_path / "link")]))

    assert (Place.FILE, b"link", b"real") in found


def test_names_that_are_not_utf8_come_through(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"n\xff\nx")).write_text("text")

    assert (Place.FILE, b"n\xff\nx", b"text") in texts(FileWalk([str(tmp_path)]))


def test_a_missing_root_is_told_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")

    with pytest.raises(TargetError, match="no such file"):
        list(FileWalk([str(tmp_path / "there"), str(tmp_path / "not")]).batches())


def test_what_cannot_be_opened_is_an_unread_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad").write_text("x")
    (tmp_path / "good").write_text("y")
    lstat = os.lstat

    def failing(path: str | bytes) -> os.stat_result:
        if os.fsencode(path).endswith(b"bad"):
            raise PermissionError(13, "Permission denied")
        return lstat(path)

    monkeypatch.setattr(files.os, "lstat", failing)
    walk = FileWalk([str(tmp_path)])

    assert [path for place, path, _ in texts(walk) if place is Place.FILE] == [b"good"]
    assert [(u.path, u.reason) for u in walk.unread] == [(b"bad", "permission denied")]
    assert walk.coverage.kind("file").unreadable == 1


def test_a_pipe_is_skipped_with_a_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    walk = FileWalk([str(tmp_path)])
    texts(walk)

    assert walk.coverage.kind("file").skipped == {"not a regular file": 1}


def test_standard_input_is_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from a pipe")))

    assert texts(FileWalk(["-"])) == [(Place.STDIN, None, b"from a pipe")]


def test_a_large_file_is_mapped_and_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_MAPPED_BYTES", 10)
    (tmp_path / "large").write_bytes(b"0123456789abc")

    walk = FileWalk([str(tmp_path)])

    assert (Place.FILE, b"large", b"0123456789abc") in texts(walk)
    assert walk.coverage.kind("file").bytes == 13


def test_several_roots_keep_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        Path(folder).mkdir()
        Path(folder, "x").write_text(folder)

    paths = [path for place, path, _ in texts(FileWalk(["one", "two"])) if place is Place.FILE]

    assert paths == [b"one/x", b"two/x"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(b"fix\n# comment\n", b"fix\n# comment\n", id="no scissors"),
        pytest.param(
            b"fix\n# " + b"-" * 24 + b" >8 " + b"-" * 24 + b"\n# do not\n-old\n",
            b"fix\n",
            id="cut at the scissors",
        ),
        pytest.param(b"-- >8 --\nfix\n", b"-- >8 --\nfix\n", id="shorter scissors"),
    ],
)
def test_a_commit_message_is_what_git_would_keep(tmp_path: Path, text: bytes, left: bytes) -> None:
    (tmp_path / "COMMIT_EDITMSG").write_bytes(text)

    found = texts(FileWalk([str(tmp_path / "COMMIT_EDITMSG")], commit_message=True))

    assert found == [(Place.COMMIT_MESSAGE, None, left)]
