"""
Each file of `fixtures/` shows one thing: what is told of it once its templates are filled.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scanner.cli import main
from tests.lookalikes import fill

FOLDER = Path(__file__).parent.parent / "fixtures"
TOLD = {
    "settings.env": {("generic-password", 4), ("credential-file-plaintext", 4)},
    "client.py": {("generic-api-key", 5)},
    "Dockerfile": {("generic-token", 2)},
    "secret.yaml": {("generic-password", 8), ("kubernetes-secret-plaintext", 8)},
    "settings.xml": {("credential-file-plaintext", 6)},
    "migrate.sh": {("postgresql-url-password", 3)},
    "references.env": set(),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_a_fixture_shows_is_told(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(fill((FOLDER / name).read_text()))

    code = main(["scan", str(tmp_path / name), "-f", "json"])

    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {(one["rule"], one["occurrences"][0]["line"]) for one in findings} == TOLD[name]
    assert code == int(bool(TOLD[name]))


def test_no_fixture_is_left_untold() -> None:
    assert {file.name for file in FOLDER.iterdir()} == TOLD.keys()
