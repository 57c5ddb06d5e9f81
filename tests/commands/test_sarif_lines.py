"""
The line hash that GitHub compares, as each command gives it: from the file's real text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.report.line_hash import LineHashes
from tests.conftest import Repository
from tests.lookalikes import github_token

LINE = f"token = {github_token(1)!r}\n"
BEFORE = "import os\nimport sys\n"
Maker = Callable[..., Repository]


def sarif(tmp_path: Path, *arguments: str) -> dict:
    file = tmp_path / "out.sarif"
    main([*arguments, "-f", "sarif", "-o", str(file)])
    (result,) = json.loads(file.read_text())["runs"][0]["results"]
    return result


def place(result: dict) -> tuple[str, int, str]:
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    return (
        physical["artifactLocation"]["uri"],
        physical["region"]["startLine"],
        result["partialFingerprints"]["primaryLocationLineHash"],
    )


def expected(text: str, line: int, path: str = "src/app.py") -> tuple[str, int, str | None]:
    return path, line, LineHashes(text.encode()).of(line)


def leaking(repository: Maker) -> tuple[Repository, str]:
    repo = repository()
    base = repo.commit("base", **{"README.md": "hello\n"})
    repo.commit("leak", **{"src/app.py": "x = 1\n" + LINE})
    repo.commit("moved down", **{"src/app.py": BEFORE + "x = 1\n" + LINE})
    return repo, base


@pytest.mark.parametrize("command", ["audit", "range", "scan", "scan of a file", "staged"])
def test_the_result_stands_where_the_file_has_it_now(
    command: str, repository: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, base = leaking(repository)
    monkeypatch.chdir(repo.path)
    if command == "staged":
        repo.git("rm", "-q", "--cached", "src/app.py")
        repo.git("commit", "-qm", "gone")
        repo.git("add", "src/app.py")
    arguments = {
        "audit": ["audit", "."],
        "range": ["range", base, "HEAD"],
        "scan": ["scan", "."],
        "scan of a file": ["scan", "src/app.py"],
        "staged": ["staged", "."],
    }[command]

    found = place(sarif(tmp_path, *arguments))

    assert found == expected(BEFORE + "x = 1\n" + LINE, 4)


@pytest.mark.parametrize("command", ["audit", "range"])
def test_lines_put_in_above_leave_the_hash_as_it_was(
    command: str, repository: Maker, tmp_path: Path
) -> None:
    repo, base = leaking(repository)
    where = ["--repo", str(repo.path), base, "HEAD"] if command == "range" else [str(repo.path)]
    first = place(sarif(tmp_path, command, *where))
    repo.commit("more above", **{"src/app.py": "# new\n" + BEFORE + "x = 1\n" + LINE})

    second = place(sarif(tmp_path, command, *where))

    assert (first[1], second[1]) == (4, 5)
    assert first[2] == second[2]


@pytest.mark.parametrize("command", ["audit", "range"])
def test_what_is_gone_stands_at_the_nearest_file_that_lives(
    command: str, repository: Maker, tmp_path: Path
) -> None:
    repo, base = leaking(repository)
    repo.git("mv", "src/app.py", "src/main.py")
    repo.commit("gone", **{"src/main.py": "x = 1\n"})
    where = ["--repo", str(repo.path), base, "HEAD"] if command == "range" else [str(repo.path)]

    result = sarif(tmp_path, command, *where)

    assert place(result)[:2] == ("src/main.py", 1)
    assert "leaked in history at src/app.py" in result["message"]["text"]


def test_a_report_turned_into_sarif_stands_at_the_same_line(
    repository: Maker, tmp_path: Path
) -> None:
    repo, _ = leaking(repository)
    report = tmp_path / "report.json"
    main(["audit", str(repo.path), "-f", "json", "-o", str(report)])

    found = place(sarif(tmp_path, "report", str(report), "--checkout", str(repo.path)))

    assert found == expected(BEFORE + "x = 1\n" + LINE, 4)
