from __future__ import annotations

import json

import pytest

from scanner.cli import main
from tests.detect.sealed import makers


def seals(capsys, *arguments) -> tuple[int, list[dict], str]:
    code = main(["seals", "-f", "jsonl", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def test_a_record_has_the_fields_of_the_contract(tmp_path, capsys):
    (tmp_path / "v.yml").write_bytes(makers.vault(label="prod")[:700])
    code, rows, _ = seals(capsys, tmp_path)

    assert code == 1
    assert {key: rows[0][key] for key in ("type", "path", "line", "format", "version", "label", "state")} == {
        "type": "seal", "path": "v.yml", "line": 1, "format": "ansible-vault",
        "version": "1.2", "label": "prod", "state": "broken",
    }  # fmt: skip


def test_a_wrong_password_says_so_and_changes_nothing(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "v.yml").write_bytes(makers.vault())
    (tmp_path / "pw").write_text("another one\n")
    code, rows, err = seals(capsys, tmp_path / "a", "--vault-password-file", tmp_path / "pw")

    assert code == 0
    assert rows[0]["state"] == "sealed"
    assert "does not open" in rows[0]["reason"]
    assert "opens none of 1" in err


def test_the_right_password_proves_and_finds_what_was_altered(tmp_path, capsys, monkeypatch):
    good = makers.vault()
    (tmp_path / "good.yml").write_bytes(good)
    at = len(good) - 60
    (tmp_path / "bad.yml").write_bytes(
        good[:at] + (b"0" if good[at : at + 1] != b"0" else b"1") + good[at + 1 :]
    )
    monkeypatch.setenv("PW", makers.PASSWORD.decode())
    code, rows, _ = seals(capsys, tmp_path, "--vault-password-env", "PW")

    assert code == 1
    assert [row["state"] for row in rows] == ["broken", "sealed"]
    assert "holds under the key" in rows[1]["reason"]


@pytest.mark.parametrize(
    ("text", "word"),
    [pytest.param("#!/bin/sh\n", "never run", id="script"), pytest.param("", "empty", id="empty")],
)
def test_a_password_file_that_cannot_be_used_stops_the_run(tmp_path, capsys, text, word):
    (tmp_path / "pw").write_text(text)

    assert main(["seals", str(tmp_path), "--vault-password-file", str(tmp_path / "pw")]) == 2
    assert word in capsys.readouterr().err


def test_salts_used_twice_and_mixed_ids_are_noticed(tmp_path, capsys):
    (tmp_path / "a.yml").write_bytes(makers.vault())
    (tmp_path / "b.yml").write_bytes(makers.vault(label="prod"))
    _, _, err = seals(capsys, tmp_path)

    assert "share one salt" in err
    assert "ids are mixed" in err


def test_nothing_to_read_is_not_clean(tmp_path, capsys):
    assert seals(capsys, tmp_path)[0] == 3
    assert main(["seals", str(tmp_path / "none")]) == 2
