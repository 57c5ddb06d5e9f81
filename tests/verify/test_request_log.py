"""
The request log only grows, and is for its owner alone.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from scanner.errors import ConfigError
from scanner.verify.request_log import RequestLog


def note(file: Path, path: str) -> None:
    log = RequestLog(file)
    log.write(host="h", method="GET", path=path, finding="f", outcome=200)
    log.close()


def test_lines_are_added_and_none_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "state" / "log.jsonl"
    note(file, "/a")
    note(file, "/b\n{}")

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["path"] for line in lines] == ["/a", "/b\n{}"]
    assert set(lines[0]) == {"at", "host", "method", "path", "finding", "outcome"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_log_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()

    with pytest.raises(ConfigError, match="log"):
        RequestLog(tmp_path / "log.jsonl")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigError):
        RequestLog(tmp_path / "log.jsonl")
