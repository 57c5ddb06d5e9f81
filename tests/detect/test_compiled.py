"""
The cache of compiled rules: fresh or made again, never trusted blindly.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from scanner.detect import cache, cache_file, cache_note, compiled, registry
from scanner.detect.cache import DamagedError, open_parts
from scanner.detect.engine import Engine
from scanner.folders import cache_folder
from scanner.model import Document, Place
from scanner.sources.batch import ListBatch

PACK = """
provider: acme
remediation: Revoke it.
rules:
  - id: acme-token
    title: Acme token
    severity: high
    confidence: high
    pattern: '(?P<secret>acme_[a-z0-9]{10})'
    anchors: [acme_]
    examples: ['acme_{{lower:10}}']
"""


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Their expressions take a second to compile and are not what is tested.
    monkeypatch.setattr(registry, "DERIVERS", {})


@pytest.fixture
def pack(tmp_path):
    file = tmp_path / "packs" / "acme.yml"
    file.parent.mkdir()
    file.write_text(PACK)
    return file


TEXT = b"key = acme_q7x2m9k4w1\n"


def cached():
    return sorted(cache_folder().glob("rules-*.bin"))


def made(monkeypatch, pack) -> bool:
    """
    Load the engine and tell whether the plan had to be made.
    """
    calls = []
    made_parts = compiled._made

    def counted(*args, **kwargs):
        calls.append(args)
        return made_parts(*args, **kwargs)

    monkeypatch.setattr(compiled, "_made", counted)
    engine = Engine.load([pack])
    (match,) = engine.scanner().scan(ListBatch([(Document(Place.FILE), TEXT)]))
    assert engine.rule(match.rule_id).title == "Acme token"
    monkeypatch.setattr(compiled, "_made", made_parts)
    return bool(calls)


def test_a_second_start_compiles_nothing(monkeypatch, pack):
    assert made(monkeypatch, pack)
    assert not made(monkeypatch, pack)


def test_a_changed_pack_is_compiled_again(monkeypatch, pack):
    made(monkeypatch, pack)
    pack.write_text(PACK + "    tags: [a]\n")
    assert made(monkeypatch, pack)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="a changed byte"),
        pytest.param(lambda data: data[: len(data) // 2], id="truncated"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_a_damaged_cache_is_made_again_in_silence(monkeypatch, pack, damage):
    made(monkeypatch, pack)
    (file,) = cached()
    file.write_bytes(damage(file.read_bytes()))
    assert made(monkeypatch, pack)
    assert not made(monkeypatch, pack)


def test_a_cache_from_another_key_is_not_trusted(monkeypatch, pack, tmp_path):
    made(monkeypatch, pack)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    assert made(monkeypatch, pack)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_the_folder_is_ours_alone(monkeypatch, pack):
    made(monkeypatch, pack)
    assert cache_folder().stat().st_mode & 0o077 == 0
    (file,) = cached()
    assert file.stat().st_mode & 0o077 == 0


def test_no_place_to_write_is_no_reason_to_fail(monkeypatch, pack, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert made(monkeypatch, pack)


def test_rules_are_read_from_a_fresh_cache_and_from_the_packs_alike(monkeypatch, pack):
    written = compiled.read_rules([pack])
    assert not cached()
    made(monkeypatch, pack)
    monkeypatch.setattr(compiled, "_written", None)

    assert compiled.read_rules([pack]) == written


@pytest.mark.skipif(not hasattr(os, "pread"), reason="no reading at an offset on this system")
def test_reading_a_part_moves_nothing_that_forked_processes_share(pack):
    Engine.load([pack])
    file = cache_file.cache_file([str(pack)])
    parts = open_parts(file.path, file.key, file.purpose)
    before = os.lseek(parts._number, 0, os.SEEK_CUR)
    parts.read("targets")
    assert os.lseek(parts._number, 0, os.SEEK_CUR) == before


@pytest.fixture
def noted(monkeypatch, pack):
    """A cache file that an earlier run has digested."""
    Engine.load([pack])
    monkeypatch.setattr(cache_note, "_QUIET_S", -1)
    opened(pack).remember()
    time.sleep(0.05)  # a file system's clock may tick as slowly as that
    return cache_file.cache_file([str(pack)])


def opened(pack):
    file = cache_file.cache_file([str(pack)])
    return open_parts(file.path, file.key, file.purpose, cache_note.Note(file))


def database(file):
    return open_parts(file.path, file.key, file.purpose).read("database-0")


def flipped(path, data):
    whole = bytearray(Path(path).read_bytes())
    whole[whole.index(data) + len(data) // 2] ^= 1
    return bytes(whole)


def digests(monkeypatch, act):
    taken = []
    digest = cache.digest
    monkeypatch.setattr(cache, "digest", lambda data: taken.append(len(data)) or digest(data))
    act()
    return len(taken)


@pytest.mark.skipif(os.name == "nt", reason="no time of change")
def test_a_database_is_not_digested_again_while_its_file_is_the_one_that_was(
    monkeypatch, pack, noted
):
    parts = opened(pack)
    assert digests(monkeypatch, lambda: parts.read("database-0", summed=True)) == 0
    assert digests(monkeypatch, lambda: parts.read("database-0")) == 1
    assert digests(monkeypatch, lambda: parts.read("targets")) == 1


def written_to(file, data):
    """In place, and its time of writing set back."""
    before = os.stat(file.path)
    with open(file.path, "r+b") as out:
        out.write(data)
    os.utime(file.path, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_in_its_place(file, data):
    """As restoring a cache of somebody else's does."""
    before = os.stat(file.path)
    draft = Path(file.path + ".draft")
    draft.write_bytes(data)
    os.utime(draft, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(draft, file.path)


@pytest.mark.parametrize("act", [written_to, put_in_its_place])
def test_a_file_that_is_not_that_one_is_digested_anew(monkeypatch, pack, noted, act):
    act(noted, flipped(noted.path, database(noted)))

    with pytest.raises(DamagedError):
        opened(pack).read("database-0", summed=True)
    assert made(monkeypatch, pack)


def test_a_note_of_another_key_says_nothing(monkeypatch, pack, noted):
    os.unlink(Path(noted.note).with_name("cache-key"))
    file = cache_file.cache_file([str(pack)])
    with open(file.path, "rb") as cached_file:
        assert cache_note.Note(noted).fits(cached_file.fileno())
        assert not cache_note.Note(file).fits(cached_file.fileno())


def test_of_a_file_that_may_still_change_nothing_is_noted(pack):
    Engine.load([pack])
    opened(pack).remember()
    assert not os.path.exists(cache_file.cache_file([str(pack)]).note)


def test_a_damaged_file_is_not_noted(monkeypatch, pack):
    Engine.load([pack])
    monkeypatch.setattr(cache_note, "_QUIET_S", -1)
    file = cache_file.cache_file([str(pack)])
    written_to(file, flipped(file.path, database(file)))
    with pytest.raises(DamagedError):
        opened(pack).remember()
    assert not os.path.exists(file.note)


def test_a_note_goes_with_its_file(pack, noted, monkeypatch):
    monkeypatch.setattr(cache_file, "_KEPT_FILES", 0)
    cache_file.forget_old(noted)
    assert not os.path.exists(noted.path)
    assert not os.path.exists(noted.note)
