"""
Suppression that cannot hide: what is waved through is named and counted, and comes back when the
value changes or the entry runs out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.triage import baseline as baselines
from tests.commands.runs import Report, run
from tests.conftest import Repository
from tests.lookalikes import github_token

LINE = f"token = {github_token(1)!r}\n"
CHANGED = f"token = {github_token(2)!r}\n"
THIRD = f"other = {github_token(3)!r}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    (made / "app.py").write_text(LINE)
    return made


def accepted(tmp_path: Path, folder: Path, *, until: str | None = None) -> tuple[Path, Report]:
    """
    Accept all that `folder` holds; return the baseline and what a scan with it says.
    """
    file = tmp_path / "baseline.jsonl"
    made = baselines.new_baseline()
    file.write_text(baselines.render(made))
    names = [f["fingerprint"] for f in scan(tmp_path, folder, "--baseline", str(file)).findings]
    entries = tuple(baselines.Entry(fingerprint=n, reason="r", until=until) for n in names)
    file.write_text(baselines.render(baselines.Baseline(made.key, entries)))
    return file, scan(tmp_path, folder, "--baseline", str(file))


def scan(tmp_path: Path, folder: Path, *options: str) -> Report:
    return run(tmp_path, "scan", str(folder), *options)


@pytest.mark.parametrize(
    "marker", ["gitleaks:allow", "pragma: allowlist secret", "trufflehog:ignore"]
)
def test_a_peers_marker_holds_on_request_alone_and_is_named(
    tmp_path: Path, folder: Path, marker: str
) -> None:
    (folder / "app.py").write_text(f"{LINE.rstrip()}  # {marker}\n")

    assert scan(tmp_path, folder).code == 1

    report = scan(tmp_path, folder, "--peer-markers")

    assert report.code == 0
    assert marker in str(report.findings[0]["suppressed"])
    assert report.summary["suppressed"] == 1


def test_what_is_accepted_is_told_and_counted(tmp_path: Path, folder: Path) -> None:
    _, report = accepted(tmp_path, folder)

    assert report.code == 0
    assert report.findings[0]["suppressed"]["by"] == "baseline"
    assert report.summary["suppressed"] == 1


def test_another_value_on_the_same_line_is_a_new_finding(tmp_path: Path, folder: Path) -> None:
    file, _ = accepted(tmp_path, folder)
    (folder / "app.py").write_text(CHANGED)

    report = scan(tmp_path, folder, "--baseline", str(file))

    assert report.code == 1
    assert "suppressed" not in report.findings[0]


def test_an_entry_that_has_run_out_fails(tmp_path: Path, folder: Path) -> None:
    _, report = accepted(tmp_path, folder, until="2020-01-01")

    assert report.code == 1
    assert any("expired on 2020-01-01" in notice for notice in report.summary["notices"])


def test_a_baseline_is_sorted_and_the_same_when_written_again(tmp_path: Path, folder: Path) -> None:
    (folder / "b.py").write_text(THIRD)
    file, _ = accepted(tmp_path, folder)
    text = file.read_text()

    assert baselines.render(baselines.parse(text, origin="again")) == text
    assert text.splitlines()[1:] == sorted(text.splitlines()[1:])
    assert len(text.splitlines()) == 3


def test_entries_of_two_branches_merge(
    tmp_path: Path, repository: Callable[..., Repository]
) -> None:
    made = baselines.new_baseline()
    names = [digit * 32 for digit in "05af"]
    entries = [baselines.Entry(fingerprint=name, reason="r") for name in names]
    repo = repository()
    text = baselines.render(baselines.Baseline(made.key, tuple(entries[1:3])))
    base = repo.commit("base", baseline=text)
    for branch, chosen in (("ours", entries[:3]), ("theirs", entries[1:])):
        repo.git("checkout", "-qb", branch, base)
        text = baselines.render(baselines.Baseline(made.key, tuple(chosen)))
        repo.commit(branch, baseline=text)

    repo.git("merge", "-q", "--no-edit", "ours")

    merged = baselines.parse((repo.path / "baseline").read_text(), origin="merged")
    assert {entry.fingerprint for entry in merged.entries} == set(names)
    assert merged.key == made.key


@pytest.mark.parametrize("form", ["terminal", "json", "jsonl", "html", "csv", "junit", "markdown"])
def test_reports_for_people_tell_what_is_suppressed(
    tmp_path: Path, folder: Path, form: str
) -> None:
    file, _ = accepted(tmp_path, folder)
    out = tmp_path / "report"

    main(["scan", str(folder), "--baseline", str(file), "-f", form, "-o", str(out)])

    assert any(word in out.read_text().lower() for word in ("suppress", "accepted", "skipped"))
