"""
Keys beside their locks, and weak passwords, in files as in history.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.runs import Report, run
from tests.conftest import Repository
from tests.detect.sealed import makers

Maker = Callable[..., Repository]
KEY, WEAK = "key-beside-lock", "ansible-vault-weak-password"


@pytest.fixture(params=["scan", "audit"])
def look(
    request: pytest.FixtureRequest, repository: Maker, tmp_path: Path
) -> Callable[..., Report]:
    def judge(*options: str, **files: bytes) -> Report:
        repo = repository()
        for name, data in files.items():
            repo.write(name, data)
        repo.commit("all")
        return run(tmp_path, request.param, str(repo.path), *options)

    return judge


def rules(report: Report) -> dict[str, str]:
    return {f["rule"]: f["occurrences"][0]["path"] for f in report.findings}


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            {"group_vars/all/vault.yml": makers.vault(), ".vault_pass": makers.PASSWORD + b"\n"},
            id="a password file beside a vault",
        ),
        pytest.param(
            {"any/thing.bin": makers.age_file(), "key.txt": makers.age_identity()[0].encode()},
            id="an identity beside an age file that no name tells",
        ),
        pytest.param(
            {"conf/app.yaml": makers.inline("db"),
             "deploy.sh": b'export VAULT_PASSWORD="' + makers.PASSWORD.replace(b" ", b"-") + b'"\n'},
            id="no password: another one",
        ),
    ],
)  # fmt: skip
def test_what_opens_is_proven(look: Callable[..., Report], files: dict[str, bytes]) -> None:
    found = rules(look(**files))

    if "deploy.sh" in files:
        assert KEY not in found
    else:
        assert found[KEY] == list(files)[1]


def test_a_found_secret_opens_a_vault_that_no_name_tells(
    look: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    password = makers.noise(12, 5).hex().encode() + b"!X"
    monkeypatch.setattr(makers, "PASSWORD", password)

    report = look(**{
        "conf/app.yaml": makers.vault(),
        "deploy.py": b'vault_password = "' + password + b'"\n',
    })  # fmt: skip

    assert rules(report)[KEY] == "deploy.py"
    assert password.decode() not in str(report.lines)


@pytest.mark.parametrize(
    ("password", "options", "expected"),
    [
        (b"vault123", ["--weak-passwords"], True),
        (b"vault123", [], False),
        (b"long and random 5b", ["--weak-passwords"], False),
    ],
    ids=["on request", "not unasked", "no weak one"],
)
def test_a_weak_password_is_tried_on_request(
    password: bytes,
    options: list[str],
    expected: bool,
    look: Callable[..., Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(makers, "PASSWORD", password)
    found = rules(look(*options, **{"conf/app.yaml": makers.vault()}))

    assert found == ({WEAK: "conf/app.yaml"} if expected else {})
