"""
The GitHub Action, end to end in a runner, on a repository with a leaking pull request.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Repository
from tests.lookalikes import github_token

ROOT = Path(__file__).parents[1]
WORKFLOW = """\
name: secrets
on: pull_request
permissions:
  contents: read
jobs:
  unsealed:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - id: scan
        continue-on-error: true
        uses: ./unsealed-action
      - name: outputs
        env:
          CODE: ${{ steps.scan.outputs.exit-code }}
          FINDINGS: ${{ steps.scan.outputs.findings }}
          SARIF: ${{ steps.scan.outputs.sarif }}
        run: |
          echo "outputs code=$CODE findings=$FINDINGS sarif=$SARIF"
          test "$CODE" != 0 || exit 0
          python3 -c 'import json; print("sarif results", sum(len(r["results"]) for r in json.load(open("unsealed.sarif"))["runs"]))'
"""


def tool(name: str) -> str:
    """
    Return a tool that `.ci/install` puts beside this Python.
    """
    found = shutil.which(
        name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    assert found, f"{name} is not installed: run .ci/install"
    return found


def runner(tmp_path: Path, repo: Repository, base: str, head: str) -> str:
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": head}, "number": 1}})
    )
    done = subprocess.run(
        [
            tool("act"),
            "pull_request",
            "-P",
            "ubuntu-latest=-self-hosted",
            "--pull=false",
            "-e",
            str(event),
        ],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={
            **os.environ,
            "HOME": str(tmp_path / "runner"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
    )
    return done.stdout + done.stderr


def leaking(tmp_path: Path) -> tuple[Repository, str, str]:
    repo = Repository(tmp_path / "repo")
    shutil.copytree(
        ROOT,
        repo.path / "unsealed-action",
        ignore=shutil.ignore_patterns(
            ".git", ".venv", "tests", "*_cache", "__pycache__", "docs", "benchmarks"
        ),
    )
    repo.write(".github/workflows/secrets.yml", WORKFLOW)
    base = repo.commit("base")
    repo.commit("leak", **{"src/app.py": f"a = 1\ntoken = {github_token(9)!r}\n"})
    head = repo.commit("oops", **{"src/app.py": "a = 1\n"})
    return repo, base, head


@pytest.mark.servers
def test_a_leaking_pull_request_fails_and_a_clean_one_passes(tmp_path: Path) -> None:
    repo, base, head = leaking(tmp_path)

    said = runner(tmp_path, repo, base, head)

    assert "outputs code=1 findings=1 sarif=unsealed.sarif" in said
    assert "sarif results 1" in said
    # The runner shows an annotation in its own words, with file and line.
    assert re.search(r"src/app\.py", said)
    assert github_token(9) not in said

    clean = repo.commit("clean", README="x\n")
    assert "outputs code=0 findings=0" in runner(tmp_path, repo, head, clean)


@pytest.mark.servers
def test_auditors_of_workflows_find_nothing(tmp_path: Path) -> None:
    workflow = tmp_path / ".github" / "workflows" / "w.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(
        WORKFLOW.replace("./unsealed-action", "./").replace("checkout@v4", "checkout@v5")
    )

    for command in (
        [tool("zizmor"), "--offline", "--persona", "auditor", str(ROOT / "action.yml")],
        [tool("actionlint"), str(workflow)],
        [
            tool("check-jsonschema"),
            "--builtin-schema",
            "vendor.github-actions",
            str(ROOT / "action.yml"),
        ],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_inputs_never_stand_inside_a_script() -> None:
    scripts = re.findall(r"run: (.*?)(?=\n    - |\Z)", (ROOT / "action.yml").read_text(), re.DOTALL)

    assert scripts
    assert not any("${{" in script for script in scripts)
