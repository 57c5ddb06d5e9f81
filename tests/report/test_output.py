"""
Whole or not at all.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.errors import ConfigError
from scanner.report import output


def test_a_file_is_written_and_replaced(tmp_path):
    target = tmp_path / "report.json"

    output.write_report("one\n", str(target))
    output.write_report("two é\n", str(target))

    assert target.read_text(encoding="utf-8") == "two é\n"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_loses_no_earlier_report(tmp_path, monkeypatch, step):
    target = tmp_path / "report.json"
    target.write_text("earlier")

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(ConfigError, match="No space left"):
        output.write_report("new", str(target))

    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_mode_and_links_are_kept(tmp_path):
    target, link = tmp_path / "report.json", tmp_path / "link"
    target.write_text("earlier")
    target.chmod(0o600)
    link.symlink_to(target)

    output.write_report("new", str(link))

    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("no/such/report.json", "there is no folder", id="no folder"),
        pytest.param(".", "it is a folder", id="a folder"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_scan(tmp_path, monkeypatch, name, said):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=said):
        output.check_writable(name)


def test_a_device_is_written_to_in_place():
    output.check_writable("/dev/null")
    output.write_report("gone", "/dev/null")


def test_a_reader_that_goes_away_is_no_error():
    script = (
        "from scanner.report.output import write_report; write_report('x\\n' * 4_000_000, None)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 0
    assert said == b""
