"""
`unsealed report`: an earlier report in another format, and the checkout it stands on.
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

TOKEN = github_token(1)
TEXT = f"x = 1\ntoken = {TOKEN!r}\n"


@pytest.fixture
def made(repository: Callable[..., Repository], tmp_path: Path) -> tuple[Path, Path]:
    """
    A work tree with a leak, and the JSON report of its audit.
    """
    repo = repository()
    repo.commit("leak", **{"src/app.py": TEXT})
    file = tmp_path / "report.json"
    main(["audit", str(repo.path), "-f", "json", "-o", str(file)])
    return repo.path, file


def hash_of(file: Path, *options: str) -> str:
    out = file.with_suffix(".sarif")
    assert main(["report", str(file), "-f", "sarif", "-o", str(out), *options]) == 0
    (result,) = json.loads(out.read_text())["runs"][0]["results"]
    return result["partialFingerprints"]["primaryLocationLineHash"]


def test_the_checkout_gives_the_hash_of_the_line(made: tuple[Path, Path]) -> None:
    checkout, file = made

    assert hash_of(file, "--checkout", str(checkout)) == LineHashes(TEXT.encode()).of(2)


@pytest.mark.parametrize("instead", ["gone", "link", "link out", "folder", "other text"])
def test_a_checkout_that_lacks_the_file_gives_the_findings_own_hash(
    instead: str, made: tuple[Path, Path], tmp_path: Path
) -> None:
    checkout, file = made
    own = hash_of(file)
    target = checkout / "src/app.py"
    target.unlink()
    secret = tmp_path / "outside.py"
    secret.write_text(TEXT)
    if instead == "link":
        (checkout / "other.py").write_text(TEXT)
        target.symlink_to(checkout / "other.py")
    elif instead == "link out":
        target.symlink_to(secret)
    elif instead == "folder":
        target.mkdir()
    elif instead == "other text":
        target.write_text("one line, and no second")

    assert hash_of(file, "--checkout", str(checkout)) == own


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_report_read_back_says_the_same(
    form: str, made: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = made
    assert main(["report", str(file), "-f", "jsonl"]) == 0
    lines = capsys.readouterr().out
    again = file.with_suffix(".again")
    again.write_text(lines if form == "jsonl" else file.read_text())

    assert main(["report", str(again), "-f", "jsonl"]) == 0
    assert capsys.readouterr().out == lines


@pytest.mark.parametrize("form", ["terminal", "html", "csv", "junit", "gitlab", "markdown"])
def test_no_format_brings_the_secret_back(
    form: str, made: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, file = made

    assert main(["report", str(file), "-f", form]) == 0
    said = capsys.readouterr().out
    assert "GitHub" in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param("{}", [], id="no report"),
        pytest.param("[", [], id="no JSON"),
        pytest.param("\udcff", [], id="not UTF-8"),
        pytest.param(None, [], id="no file"),
        pytest.param("", ["--checkout", "missing"], id="no checkout"),
        pytest.param("", ["-f", "csv", "--show-secrets"], id="secrets in a format without them"),
    ],
)
def test_what_cannot_be_read_is_an_error(
    text: str | None, options: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "r.json"
    if text is not None:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))

    assert main(["report", str(file), *options]) == 2
