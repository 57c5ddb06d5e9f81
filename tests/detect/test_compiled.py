"""
The cache of compiled rules: fresh or made again, never trusted blindly.
"""

from __future__ import annotations

import os

import pytest

from scanner.detect import cache_file, compiled, registry
from scanner.detect.cache import open_parts
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
