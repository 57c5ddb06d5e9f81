"""
Files judged by their name or by the policy, in every command that knows paths.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.detect.sealed.registry import named
from scanner.file_names import ROUGH_NAME
from scanner.sealing import ByName, policy_of
from tests.commands.runs import run
from tests.conftest import Repository
from tests.lookalikes import fill

POLICY = "version: 1\nseal:\n  - paths: ['secrets/**']\n    owner: platform\nforbid:\n  - paths: '*.pem'\n"


def rules(report) -> dict[str, list[str]]:
    return {f["rule"]: [o["path"] for o in f["occurrences"]] for f in report.findings}


def test_a_vault_that_was_never_sealed_is_found_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "ansible" / "group_vars" / "prod"
    folder.mkdir(parents=True)
    (folder / "vault.yml").write_text("db_password: correct horse\n")

    report = run(tmp_path, "scan", str(tmp_path / "ansible"))

    assert report.code == 1
    assert "ansible-vault-plaintext" in rules(report)


def test_the_policy_holds_in_scan_staged_and_range(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    base = repo.commit("policy", **{".unsealed.yml": POLICY})
    repo.write("secrets/db.txt", "host: example\n")
    repo.write("key.pem", "x\n")
    expected = {"policy-not-sealed": ["secrets/db.txt"], "policy-forbidden-path": ["key.pem"]}

    def policy(report) -> dict[str, list[str]]:
        return {rule: paths for rule, paths in rules(report).items() if rule.startswith("policy-")}

    assert policy(run(tmp_path, "scan", str(repo.path))) == expected
    repo.git("add", ".")
    assert policy(run(tmp_path, "staged", str(repo.path))) == expected
    repo.git("commit", "-qm", "bad")
    assert policy(run(tmp_path, "range", base, "--repo", str(repo.path))) == expected


def test_a_range_takes_the_policy_from_base(
    repository: Callable[..., Repository], tmp_path: Path
) -> None:
    repo = repository()
    base = repo.commit("policy", **{".unsealed.yml": POLICY})
    repo.commit("loosen", **{".unsealed.yml": "version: 1\n", "key.pem": "x\n"})

    report = run(tmp_path, "range", base, "--repo", str(repo.path))

    assert rules(report)["policy-forbidden-path"] == ["key.pem"]


def test_a_policy_that_is_not_understood_stops_the_scan(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / ".unsealed.yml").write_text("version: 1\nignore: ['*']\n")

    assert run(tmp_path, "scan", str(tmp_path / "root")).code == 2


def test_a_pattern_that_fits_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / ".unsealed.yml").write_text(POLICY)

    report = run(tmp_path, "scan", str(tmp_path / "root"))

    assert any("secrets/**" in notice for notice in report.summary["notices"])


@pytest.mark.parametrize(
    "path",
    [
        "group_vars/prod/vault.yml", ".vault_pass", "a/.netrc", ".pgpass", "x/.npmrc", ".pypirc",
        ".kube/config", "kubeconfig", "etc/admin.conf", ".docker/config.json", "terraform.tfstate",
        "prod.tfvars", "secrets/master.key", "config/credentials/prod.key", "credentials.xml",
        "settings.xml", ".boto", ".s3cfg", "application_default_credentials.json", "gcp-key.json",
        ".azure/accessTokens.json", ".git-credentials", ".my.cnf", ".terraformrc", "auth.json",
        "rclone.conf", "a.p12", "a.pfx", "a.jks", "a.kdbx", "kustomization.yaml", "x.age", "x.gpg",
        ".env", "prod.env", ".env.production", "x.vault",
    ],
)  # fmt: skip
def test_the_rough_look_at_names_turns_nothing_away_that_a_checker_wants(path: str) -> None:
    import re

    assert named(path.encode())
    assert re.search(ROUGH_NAME, path, re.IGNORECASE)


def test_without_policy_files_there_is_no_policy() -> None:
    assert policy_of({}) is None
    assert ByName(lambda _: True).notices() == []


WORD = fill("{{alnum:24}}")


@pytest.fixture
def demanding(tmp_path: Path) -> Path:
    """A folder whose subfolders say what is sealed in them, and do not keep to it."""
    for name, text in {
        "deploy/.gitattributes": "*.secret filter=git-crypt diff=git-crypt\n",
        "deploy/a.secret": "an open text\n",
        "play/ansible.cfg": "[defaults]\nvault_password_file = keys/prod.txt\n",
        "play/keys/prod.txt": f"{WORD}\n",
        "a.secret": "outside of what is asked for\n",
    }.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "tree"


def _states(capsys: pytest.CaptureFixture[str], folder: Path) -> set[tuple[str, str, str]]:
    main(["seals", "-f", "json", str(folder)])
    rows = json.loads(capsys.readouterr().out)["seals"]
    return {(row["path"], row["format"], row["state"]) for row in rows}


def test_what_settings_in_a_subfolder_ask_for_is_told_as_a_seal(demanding, capsys):
    assert _states(capsys, demanding) == {
        ("deploy/a.secret", "git-crypt", "plaintext"),
        ("play/keys/prod.txt", "credential-file", "plaintext"),
    }


def test_a_work_tree_that_git_crypt_has_unlocked_is_not_what_is_kept(demanding, capsys):
    (demanding / ".git" / "git-crypt" / "keys").mkdir(parents=True)
    assert "git-crypt" not in {fmt for _, fmt, _ in _states(capsys, demanding)}


def test_scan_finds_what_settings_in_a_subfolder_ask_for(demanding, tmp_path):
    report = run(tmp_path, "scan", str(demanding))
    rules = {(f["rule"], f["occurrences"][0]["path"]) for f in report.findings}
    assert ("git-crypt-plaintext", "deploy/a.secret") in rules
    assert ("credential-file-plaintext", "play/keys/prod.txt") in rules


def test_the_index_is_held_to_settings_in_a_subfolder(demanding, repository, tmp_path):
    repo = repository()
    for file in demanding.rglob("*"):
        if file.is_file():
            repo.write(str(file.relative_to(demanding)), file.read_text())
    repo.git("add", "-A")
    report = run(tmp_path, "staged", str(repo.path))
    assert ("deploy/a.secret", 1) in report.places("git-crypt-plaintext")
    assert ("play/keys/prod.txt", 1) in report.places("credential-file-plaintext")
