"""
An audit in several processes says what one process says, and what it says does not get lost.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner import pipeline
from scanner.workers import CAN_FORK
from tests.commands.runs import Report, run
from tests.conftest import Repository
from tests.lookalikes import github_token

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork safely"),
]

FILES, COMMITS = 40, 150


def _history(chance: random.Random) -> Iterator[bytes]:
    # For `git fast-import`: versions of some files, of which some hold a token for a while.
    texts = [[f"line {n} of file {f}\n" * 4 for n in range(40)] for f in range(FILES)]
    for commit in range(COMMITS):
        yield b"commit refs/heads/main\n"
        date = 1_600_000_000 + commit * 60
        yield f"committer Ada <ada@example.org> {date} +0000\ndata 2\nc\n".encode()
        for number in chance.sample(range(FILES), 20):
            text = texts[number]
            at = chance.randrange(len(text))
            token = f"token = '{github_token(commit)}'\n"
            text[at] = token if chance.random() < 0.05 else f"edit {commit}\n"
            whole = "".join(text).encode()
            yield f"M 644 inline d{number % 5}/f{number}.txt\ndata {len(whole)}\n".encode()
            yield whole + b"\n"


@pytest.fixture
def long_history(repository: Callable[..., Repository]) -> Path:
    repo = repository()
    repo.git("fast-import", "--quiet", stdin=b"".join(_history(random.Random(7))))
    repo.git("gc", "-q")
    return repo.path


def _told(report: Report) -> tuple[object, ...]:
    summary = {key: value for key, value in report.summary.items() if key != "seconds"}
    return report.code, report.findings, summary


def test_two_processes_say_what_one_says(long_history: Path, tmp_path: Path) -> None:
    one = run(tmp_path, "audit", str(long_history), "--jobs", "1")
    two = run(tmp_path, "audit", str(long_history), "--jobs", "2")

    assert one.summary["kinds"]["blob"]["read"] > 2_000
    assert len(one.findings) > 50
    assert _told(two) == _told(one)


def test_a_process_that_is_killed_makes_the_audit_incomplete(
    long_history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan, parent = pipeline._scan_stream, os.getpid()

    def killed(engine, streams, number, board):
        if os.getpid() != parent and number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return scan(engine, streams, number, board)

    monkeypatch.setattr(pipeline, "_scan_stream", killed)

    report = run(tmp_path, "audit", str(long_history), "--jobs", "2")

    assert not report.summary["complete"]
    reasons = [unread["reason"] for unread in report.of("unread")]
    assert any("killed by signal 9" in reason for reason in reasons), reasons
