"""
What decoding may cost, and what is told of what it finds twice.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator

import pytest

from scanner.detect import texts
from scanner.detect.deriving import derived_texts
from scanner.detect.engine import Engine
from scanner.detect.registry import Derived
from scanner.detect.texts import Purse, Source, View
from scanner.model import Document, Match, Place
from scanner.ruleset.shipped import shipped_packs
from scanner.sources.batch import ListBatch
from tests.lookalikes import github_token

TOKEN = github_token(3)
LINE = f"token = '{TOKEN}'\n".encode()
RULE = "github-classic-token"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield Engine.load((shipped_packs() / "github.yml",))


def found(engine: Engine, data: bytes) -> list[Match]:
    scanner = engine.scanner()
    matches = scanner.scan(ListBatch([(Document(Place.FILE, b"x"), data)]))
    return [match for match in matches if match.rule_id == RULE]


def tarred(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            item = tarfile.TarInfo(name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(tarred(a=LINE), [("a",)], id="tar"),
        pytest.param(zipped(a=LINE), [("a",)], id="stored zip"),
        pytest.param(tarred(a=LINE, b=LINE), [("a",), ("b",)], id="two members"),
        pytest.param(tarred(a=zipped(b=LINE)), [("a", "b")], id="one in another"),
        pytest.param(b"#!/bin/sh\n" + LINE + zipped(a=LINE), [(), (), ("a",)], id="a launcher"),
        pytest.param(LINE, [()], id="no archive"),
    ],
)
def test_what_an_archive_stores_as_it_is_is_told_once(
    data: bytes, expected: list[tuple[str, ...]], engine: Engine
) -> None:
    assert sorted(match.document.inner_path for match in found(engine, data)) == expected


def notebook(*lines: str, ascii_only: bool = True) -> bytes:
    cells = [
        {"cell_type": "markdown", "source": ["Grüße\n", "words and words\n"]},
        {"cell_type": "code", "source": list(lines), "outputs": []},
    ]
    return json.dumps({"cells": cells}, indent=1, ensure_ascii=ascii_only).encode()


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_cut_in_two_lines_of_a_cell_has_the_line_of_its_text(
    ascii_only: bool,
    engine: Engine,
) -> None:
    data = notebook(
        f"before = 'ä'; token = '{TOKEN[:20]}", f"{TOKEN[20:]}'\n", ascii_only=ascii_only
    )
    line = data.count(b"\n", 0, data.index(b"before")) + 1

    (match,) = found(engine, data)

    assert match.document.decoded == ("notebook",)
    assert match.document.inner_path == ()
    assert match.position is not None
    assert match.position.line == line


def test_a_secret_on_one_line_of_a_cell_is_told_once(engine: Engine) -> None:
    data = notebook("import os\n", LINE.decode())

    (match,) = found(engine, data)

    assert match.position is not None
    assert match.position.line == data.count(b"\n", 0, data.index(TOKEN.encode())) + 1


class _Slow:
    expressions = ()

    def derive(self, *_: object) -> Iterator[Derived]:
        while True:
            sum(range(20_000))
            yield Derived(data=b"x")


def test_a_document_that_takes_too_long_is_cut_off_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(texts, "MAX_SECONDS", 0.05)
    source = Source(ListBatch([(Document(Place.FILE, b"slow"), b"abc")]), 0)
    view, purse = View(source), Purse(source)

    assert list(derived_texts(_Slow(), view, purse))
    assert list(derived_texts(_Slow(), view, Purse(source))) == []
    assert [(limit.name, limit.path) for limit in purse.taken_limits()] == [
        ("decoding-time", b"slow")
    ]
