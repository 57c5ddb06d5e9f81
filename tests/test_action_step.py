"""
The Action's step by itself: what it does with a checkout that lacks commits.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Repository
from tests.lookalikes import github_token

ROOT = Path(__file__).parents[1]
GONE = "1" * 40

pytestmark = pytest.mark.slow


@pytest.fixture
def origin(tmp_path: Path) -> tuple[Repository, str, str]:
    """A repository with a leaking pull request of three commits, and its two ends."""
    repo = Repository(tmp_path / "origin")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(3):
        repo.commit(f"{number}", f=f"{number}\n")
    repo.git("checkout", "-qb", "pull")
    repo.commit("leak", **{"app.py": f"token = {github_token(3)!r}\n"})
    repo.commit("oops", **{"app.py": "a = 1\n"})
    head = repo.commit("more", z="1\n")
    repo.git("checkout", "-q", "main")
    return repo, repo.commit("main moves on", f="4\n"), head


def step(folder: Path, base: str, head: str) -> dict[str, str]:
    """Run the step as the runner does; return its outputs, and its code as `code`."""
    temp = folder.parent / "temp"
    (temp / "unsealed").mkdir(parents=True, exist_ok=True)
    (temp / "unsealed" / "bin").unlink(missing_ok=True)
    (temp / "unsealed" / "bin").symlink_to(Path(sys.executable).parent)
    said = {name: temp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "action")],
        cwd=folder, capture_output=True, text=True, check=False,
        env={
            **os.environ, **{name: str(path) for name, path in said.items()},
            "RUNNER_TEMP": str(temp), "INPUT_PATH": str(folder), "INPUT_MODE": "auto",
            "INPUT_BASE": "", "INPUT_HEAD": "", "INPUT_FAIL_ON": "low",
            "INPUT_MIN_CONFIDENCE": "medium", "INPUT_SARIF": "unsealed.sarif", "INPUT_TOKEN": "",
            "EVENT_BASE": base, "EVENT_HEAD": head,
        },
    )  # fmt: skip
    assert github_token(3) not in done.stdout + done.stderr
    lines = said["GITHUB_OUTPUT"].read_text().splitlines()
    return {"code": str(done.returncode), **dict(line.split("=", 1) for line in lines)}


def shallow(origin: Repository, tmp_path: Path, branch: str) -> Path:
    folder = tmp_path / "checkout"
    origin.git("clone", "-q", "--depth", "1", "-b", branch, f"file://{origin.path}", str(folder))
    return folder


@pytest.mark.parametrize("branch", ["pull", "main"])
def test_what_a_checkout_of_depth_one_lacks_is_fetched(
    branch: str, origin: tuple[Repository, str, str], tmp_path: Path
) -> None:
    repo, base, head = origin

    said = step(shallow(repo, tmp_path, branch), base, head)

    assert said == {"code": "1", "exit-code": "1", "findings": "1", "sarif": "unsealed.sarif"}


def test_what_cannot_be_fetched_is_never_green(
    origin: tuple[Repository, str, str], tmp_path: Path
) -> None:
    repo, base, head = origin
    folder = shallow(repo, tmp_path, "pull")

    assert step(folder, GONE, head)["exit-code"] == "3"
    repo.git("-C", str(folder), "remote", "set-url", "origin", "file:///nowhere")
    assert step(folder, base, head)["code"] == "3"
