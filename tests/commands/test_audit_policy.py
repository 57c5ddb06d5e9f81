"""
The policy over all of history, and plaintext before encryption, as a user meets them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from tests.commands.runs import run
from tests.conftest import Repository
from tests.detect.sealed import makers

Maker = Callable[..., Repository]
RULE = "policy-plaintext-before-encryption"
VAULT = "group_vars/prod/vault.yml"


def sealed_later(repository: Maker, path: str = VAULT) -> tuple[Repository, list[str]]:
    repo = repository()
    ids = [
        repo.commit("base", README="x\n"),
        repo.commit("plain", **{path: "db_password: correct horse\nport: 5432\n"}),
        repo.commit("more", **{path: "db_password: correct horse\nport: 1\napi_key: abc\n"}),
    ]
    repo.write(path, makers.vault())
    ids.append(repo.commit("seal"))
    ids.append(repo.commit("later", README="y\n"))
    return repo, ids


def found(report, rule: str = RULE) -> dict:
    (one,) = [f for f in report.findings if f["rule"] == rule]
    return one


@pytest.mark.parametrize("path", [VAULT, "app.yml", "deep/er/config.yaml"])
def test_every_value_that_was_plain_is_named(path, repository: Maker, tmp_path: Path) -> None:
    repo, ids = sealed_later(repository, path)

    one = found(run(tmp_path, "audit", str(repo.path)))

    assert "secret" not in one
    places = [(o["path"], o["line"], o["column"], o["commit"]) for o in one["occurrences"]]
    assert places == [
        (path, 1, 14, ids[1]),
        (path, 2, 7, ids[1]),
        (path, 3, 10, ids[2]),
    ]
    assert {o["in_head"] for o in one["occurrences"]} == {False}
    assert {o["author"]["name"] for o in one["occurrences"]} == {"Ada"}
    assert len({o["removed_at"] for o in one["occurrences"]}) == 1
    assert one["seal"]["detail"] == {
        "values": "db_password, port, api_key",
        "sealed_in": ids[3],
    }
    assert one["seal"]["state"] == "plaintext"
    told = " ".join(one["score_reasons"])
    assert all(name in told for name in ("db_password", "port (2 values)", "api_key"))
    assert "correct horse" not in str(one)


def test_a_path_sealed_in_a_commit_that_head_has_lost_is_named(
    repository: Maker, tmp_path: Path
) -> None:
    repo, _ = sealed_later(repository)
    repo.git("rm", "-qr", "group_vars")
    repo.git("commit", "-qm", "gone")

    assert found(run(tmp_path, "audit", str(repo.path)))["occurrences"][0]["path"] == VAULT


@pytest.mark.parametrize(
    "form", ["terminal", "sarif", "html", "markdown", "gitlab", "junit", "github"]
)
def test_each_format_names_the_values(form: str, repository: Maker, tmp_path: Path) -> None:
    repo, _ = sealed_later(repository)
    file = tmp_path / "out"
    main(["audit", str(repo.path), "-f", form, "-o", str(file)])

    text = file.read_text()
    plain = " ".join(text.replace("&#95;", "_").replace("\\_", "_").split())
    assert "db_password, port, api_key" in plain
    assert "correct horse" not in text


def test_a_file_that_was_sealed_from_the_start_is_quiet(repository: Maker, tmp_path: Path) -> None:
    repo = repository()
    repo.write(VAULT, makers.vault())
    repo.commit("sealed")
    repo.write(VAULT, makers.vault(seed=1))
    repo.commit("sealed anew")

    assert run(tmp_path, "audit", str(repo.path)).code == 0


POLICY = """
seal:
  - paths: ["secrets/**", "*.secret.txt"]
forbid:
  - paths: "deploy_key.old"
    reason: keys live in the store
"""


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("secrets/deep/a.txt", "policy-not-sealed"),
        ("anywhere/x.secret.txt", "policy-not-sealed"),
        ("deploy_key.old", "policy-forbidden-path"),
    ],
)
@pytest.mark.parametrize("kept", [True, False], ids=["at HEAD", "deleted since"])
def test_the_policy_at_head_is_held_against_all_of_history(
    path: str, rule: str, kept: bool, repository: Maker, tmp_path: Path
) -> None:
    repo = repository()
    came = repo.commit("plain", **{path: "words that lie open\n"})
    repo.commit("another", **{path: "words that lie open\nand more\n"})
    if not kept:
        repo.git("rm", "-q", path)
    repo.commit("policy", **{".unsealed.yml": POLICY})

    one = found(run(tmp_path, "audit", str(repo.path)), rule)

    (place,) = one["occurrences"]
    assert (place["path"], place["commit"], place["in_head"]) == (path, came, kept)


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        (".sops.yaml", "creation_rules:\n- path_regex: ^conf/prod/.*\\.yaml$\n", "conf/prod/a.yaml"),
        (".gitattributes", "keys/** filter=git-crypt diff=git-crypt\n", "keys/a.pub"),
        ("ansible.cfg", "[defaults]\nvault_password_file = ./vp.txt\n", "vp.txt"),
    ],
)  # fmt: skip
def test_what_other_tools_ask_is_held_against_history_too(
    name: str, text: str, path: str, repository: Maker, tmp_path: Path
) -> None:
    repo = repository()
    repo.commit("plain", **{path: "a: words that lie open\n"})
    repo.git("rm", "-q", path)
    repo.commit("asked", **{name: text})

    rules = {f["rule"] for f in run(tmp_path, "audit", str(repo.path)).findings}

    assert rules & {"policy-not-sealed", "policy-forbidden-path"}


def test_a_policy_named_by_the_user_is_held_against_history(
    repository: Maker, tmp_path: Path
) -> None:
    repo = repository()
    repo.commit("plain", **{"secrets/a.txt": "words that lie open\n"})
    policy = tmp_path / "policy.yml"
    policy.write_text(POLICY)

    assert run(tmp_path, "audit", str(repo.path)).code == 0
    report = run(tmp_path, "audit", str(repo.path), "--policy", str(policy))
    assert found(report, "policy-not-sealed")


def test_a_wrong_policy_stops_only_the_one_who_named_it(repository: Maker, tmp_path: Path) -> None:
    repo = repository()
    repo.commit("policy", **{".unsealed.yml": "ignore: everything\n"})

    report = run(tmp_path, "audit", str(repo.path))

    assert report.code == 0
    assert "would loosen the check" in " ".join(report.summary["notices"])
    assert main(["audit", str(repo.path), "--policy", str(repo.path / ".unsealed.yml")]) == 2


def test_a_pattern_that_reaches_nowhere_but_head_is_told(repository: Maker, tmp_path: Path) -> None:
    repo = repository()
    repo.commit("policy", **{".unsealed.yml": 'seal: [{paths: "*.yaml"}]\n', "a.yaml": "a: b c\n"})

    report = run(tmp_path, "audit", str(repo.path))

    assert found(report, "policy-not-sealed")
    assert [limit["name"] for limit in report.of("limit")] == ["policy-history"]
