"""
What a pack says of the versions of a file spares looking, and loses nothing.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from scanner.model import Document, Match, Place
from scanner.native import library
from scanner.sources.batch import ListBatch
from scanner.sources.git import open_repository
from scanner.sources.objects import ObjectWalk
from tests.conftest import Repository
from tests.detect.test_carried import FILLING, engine

Maker = Callable[..., Repository]
PARTS = [
    b"tok_abcd", b"tok_", b"abcd", b"key:", b"   \n  ", b"xyx", b"one", b"two", b"{", b"}", b"\n",
    b"start_ab", b"AAA", b"ZZZ", b" plain words of no interest, a line long\n", b"x" * 90,
]  # fmt: skip


def place(match: Match) -> tuple[object, ...]:
    return match.document.blob, match.rule_id, match.start, match.end


@pytest.mark.skipif(library() is None, reason="there is no C compiler")
@pytest.mark.parametrize("seed", range(6))
def test_versions_in_a_pack_give_what_each_gives_alone(repository: Maker, seed: int) -> None:
    repo, chance = repository(), random.Random(seed)
    told: list[bytes] = []
    parts = [[chance.choice(PARTS) for _ in range(6)] for _ in range(12)]
    for number in range(50):
        for _ in range(chance.randrange(1, 4)):
            parts[chance.randrange(12)] = [chance.choice(PARTS) for _ in range(6)]
        fill = FILLING * chance.choice([0, 1, 1, 2])
        text = fill.join(b"".join(part) for part in parts)
        told += [
            b"commit refs/heads/main",
            b"committer A <a@x> %d +0000" % (1_600_000_000 + number),
            b"data 1\nc",
            b"M 644 inline f.txt\ndata %d\n%s" % (len(text), text),
        ]
    repo.git("fast-import", "--quiet", stdin=b"\n".join(told))
    repo.git("repack", "-adfq", "--depth=20", "--window=20")
    together: set[tuple[object, ...]] = set()
    alone: set[tuple[object, ...]] = set()
    spared = 0
    with contextlib.closing(ObjectWalk(open_repository(repo.path), jobs=1)) as walk:
        scanner = engine().scanner()
        for stream in walk.streams("blob"):
            for batch in stream:
                assert batch.shared is not None
                spared += batch.ends[-1] - len(batch.shared.passes[0].text)
                together |= {place(match) for match in scanner.scan(batch)}
                for number, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
                    document = Document(Place.BLOB, blob=batch.document(number).blob)
                    single = ListBatch([(document, bytes(batch.data[start:end]))])
                    alone |= {place(match) for match in engine().scanner().scan(single)}

    assert together == alone
    assert len(alone) > 50
    assert spared > 10_000
