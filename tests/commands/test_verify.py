"""
`unsealed verify`: an earlier report, its secrets found again, nothing sent in a plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from tests.conftest import Repository
from tests.lookalikes import fill

TOKEN = fill("sk_live_{{alnum:24}}")
OTHER = fill("sk_live_{{alnum:24}}", seed=5)


def report_of(path: Path, out: Path, command: str = "scan") -> dict[str, object]:
    main([command, str(path), "-f", "json", "-o", str(out)])
    return json.loads(out.read_text())  # type: ignore[no-any-return]


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def verdicts(
    report: Path, *options: str, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, str]]:
    capsys.readouterr()
    main(["verify", str(report), "-f", "json", *options])
    found = json.loads(capsys.readouterr().out)["findings"]
    return [f["verification"] for f in found if f["rule"] == "stripe-live-secret-key"]


def test_a_plan_lists_requests_and_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "in" / "app.py", f"key = '{TOKEN}'\n")
    report_of(tmp_path / "in", tmp_path / "r.json")
    capsys.readouterr()

    assert main(["verify", str(tmp_path / "r.json"), "--plan"]) == 0
    said = capsys.readouterr().out
    assert "GET https://api.stripe.com/v1/account" in said
    assert "nothing was sent" in said
    assert TOKEN not in said


def test_a_secret_whose_source_is_gone_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "in" / "app.py", f"key = '{TOKEN}'\n")
    report_of(tmp_path / "in", tmp_path / "r.json")
    file.unlink()

    (verdict,) = verdicts(tmp_path / "r.json", capsys=capsys)

    assert (verdict["status"], verdict["reason"]) == ("unknown", "source gone")


def test_another_secret_in_its_place_is_not_taken_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "in" / "app.py", f"key = '{TOKEN}'\n")
    report_of(tmp_path / "in", tmp_path / "r.json")
    file.write_text(f"key = '{OTHER}'\n")

    (verdict,) = verdicts(tmp_path / "r.json", capsys=capsys)

    assert verdict["reason"] == "source gone"


def test_a_secret_is_found_again_in_history(
    repository: Callable[..., Repository], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repo = repository()
    repo.commit("leak", **{"app.py": f"key = '{TOKEN}'\n"})
    repo.commit("remove", **{"app.py": "nothing\n"})
    blob = repo.git("rev-parse", "HEAD~1:app.py")
    report_of(written(tmp_path / "in" / "app.py", f"key = '{TOKEN}'\n").parent, tmp_path / "r.json")
    data = json.loads((tmp_path / "r.json").read_text())
    data["run"]["target"] = str(repo.path)
    data["findings"][0]["occurrences"][0].update(place="blob", blob=blob)
    (tmp_path / "r.json").write_text(json.dumps(data))
    (tmp_path / "in" / "app.py").unlink()

    (verdict,) = verdicts(tmp_path / "r.json", "--skip", "stripe", capsys=capsys)

    assert verdict["reason"] == "among --skip"


def test_a_path_that_leads_out_of_the_target_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "in" / "app.py", f"key = '{TOKEN}'\n")
    report_of(tmp_path / "in", tmp_path / "r.json")
    (tmp_path / "in" / "app.py").rename(tmp_path / "out.py")
    text = (tmp_path / "r.json").read_text().replace('"app.py"', '"../out.py"')
    (tmp_path / "r.json").write_text(text)

    (verdict,) = verdicts(tmp_path / "r.json", capsys=capsys)

    assert verdict["reason"] == "source gone"


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)

    assert main(["verify", str(tmp_path / "r.json")]) == 2


def test_a_report_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert main(["verify", str(tmp_path / "none.json")]) == 2
