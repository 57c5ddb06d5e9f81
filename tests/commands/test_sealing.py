"""
Files judged by their name or by the policy, in every command that knows paths.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.detect.sealed.registry import named
from scanner.file_names import ROUGH_NAME
from scanner.sealing import ByName, policy_of
from tests.commands.runs import run
from tests.conftest import Repository

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
