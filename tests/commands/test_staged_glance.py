"""
The hook's short way says "clean" only where the long way would.
"""

from __future__ import annotations

import base64
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.commands.staged_glance import clean
from scanner.detect.engine import Engine
from scanner.ruleset.shipped import shipped_packs
from tests.commands.runs import run
from tests.conftest import Repository
from tests.lookalikes import github_token

ROOT = Path(__file__).parents[2]
LINE = f"token = {github_token(1)!r}\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"


@pytest.fixture
def repo(repository: Callable[..., Repository]) -> Repository:
    made = repository()
    made.commit("first", README="hello\n", gone="x\n")
    Engine.load([shipped_packs()])  # a first run that compiles the rules
    return made


def stage(name: str, text: str) -> Callable[[Repository], None]:
    def act(repo: Repository) -> None:
        repo.write(name, text)
        repo.git("add", ".")

    return act


def delete(repo: Repository) -> None:
    repo.git("rm", "-q", "gone")


def make_executable(repo: Repository) -> None:
    repo.git("update-index", "--chmod=+x", "README")


def rename(repo: Repository) -> None:
    repo.git("mv", "gone", "moved")


def many(repo: Repository) -> None:
    for number in range(40):
        repo.write(f"src/file{number}.py", f"x = {number}\n" * 50)
    repo.git("add", ".")


@pytest.mark.parametrize(
    ("act", "count"),
    [
        pytest.param(lambda repo: None, 0, id="nothing staged"),
        pytest.param(stage("app.py", "x = 1\n"), 1, id="a file"),
        pytest.param(stage("empty", ""), 1, id="an empty file"),
        pytest.param(stage("README", "hello again\n"), 1, id="a change"),
        pytest.param(stage("app.py", 'password = "changeme"\n'), 1, id="a placeholder"),
        pytest.param(stage("passes/docker.json", "{}\n"), 1, id="a name that might"),
        pytest.param(stage(".gitattributes", "*.py text\n"), 1, id="attributes without a filter"),
        pytest.param(delete, 0, id="a deletion"),
        pytest.param(make_executable, 1, id="a mode"),
        pytest.param(rename, 1, id="a rename"),
        pytest.param(many, 40, id="many files"),
    ],
)
def test_where_nothing_is_near_a_glance_says_so(
    repo: Repository, act: Callable[[Repository], None], count: int
) -> None:
    act(repo)

    said = clean(str(repo.path))

    assert said is not None
    assert f"nothing found in {count} texts" in said
    assert main(["staged", str(repo.path), "--no-progress"]) == 0


def link(repo: Repository) -> None:
    os.symlink(f"/opt/{github_token(3)}", repo.path / "link")
    repo.git("add", ".")


def submodule(repo: Repository) -> None:
    head = repo.git("rev-parse", "HEAD")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")


def lost(repo: Repository) -> None:
    stage("app.py", "x = 1\n")(repo)
    blob = repo.git("rev-parse", ":app.py")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def conflict(repo: Repository) -> None:
    blob = repo.git("rev-parse", ":README")
    lines = f"0 {'0' * 40} 0\tREADME\n" + "".join(f"100644 {blob} {n}\tREADME\n" for n in (1, 2, 3))
    repo.git("update-index", "--index-info", stdin=lines.encode())


def broken(repo: Repository) -> None:
    repo.write(".git/index", b"DIRC" + b"\xff" * 40)


def merge(repo: Repository) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side", **{"side.py": "y\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("main", **{"main.py": "x\n"})
    repo.git("merge", "-q", "--no-commit", "--no-ff", "side")


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(stage("app.py", LINE), id="a secret"),
        pytest.param(stage(f"{github_token(2)}.txt", "x\n"), id="a secret in a name"),
        pytest.param(link, id="a secret in a link"),
        pytest.param(stage(".vault_pass", "correct horse\n"), id="a name that asks for a seal"),
        pytest.param(stage(".unsealed.yml", "must-seal: []\n"), id="a policy"),
        pytest.param(stage(".sops.yaml", "creation_rules: []\n"), id="another tool's policy"),
        pytest.param(stage(".gitattributes", "s filter=git-crypt\n"), id="a filter"),
        pytest.param(stage(".unsealed-baseline", "x\n"), id="a baseline"),
        pytest.param(stage("big.iso", POINTER), id="an LFS pointer"),
        pytest.param(submodule, id="a submodule"),
        pytest.param(lost, id="a lost object"),
        pytest.param(conflict, id="a conflict"),
        pytest.param(merge, id="a merge"),
        pytest.param(broken, id="a broken index"),
    ],
)
def test_what_is_out_of_the_ordinary_takes_a_proper_look(
    repo: Repository, act: Callable[[Repository], None]
) -> None:
    assert clean(str(repo.path)) is not None
    act(repo)

    assert clean(str(repo.path)) is None


def test_an_unborn_head_takes_a_proper_look(repository: Callable[..., Repository]) -> None:
    repo = repository("unborn")
    stage("app.py", "x = 1\n")(repo)

    assert clean(str(repo.path)) is None


def test_a_folder_inside_takes_a_proper_look(repo: Repository) -> None:
    stage("sub/app.py", "x = 1\n")(repo)

    assert clean(str(repo.path / "sub")) is None


@pytest.mark.parametrize("name", ["GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"])
def test_objects_elsewhere_take_a_proper_look(
    repo: Repository, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, str(tmp_path))

    assert clean(str(repo.path)) is None


def test_the_index_that_git_hands_to_a_hook_is_read(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("app.py", LINE)
    repo.git("add", ".", GIT_INDEX_FILE=str(repo.path / ".git" / "next-index"))
    assert clean(str(repo.path)) is not None
    # Git names it from the top of the work tree, where it starts hooks.
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")

    assert clean(str(repo.path)) is None


def test_without_a_cache_it_takes_a_proper_look(
    repo: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))

    assert clean(str(repo.path)) is None


def test_nothing_of_the_repository_runs(repo: Repository, tmp_path: Path) -> None:
    canary = tmp_path / "ran"
    repo.git("config", "core.fsmonitor", f"touch {canary}")
    repo.git("config", "diff.external", f"touch {canary}")
    repo.write("app.py", "x = 1\n")
    repo.git("-c", "core.fsmonitor=", "add", ".")

    assert clean(str(repo.path)) is not None
    assert not canary.exists()


def held() -> tuple[int, list[str]]:
    """
    Return how many files this process has open, and its children (where the system tells).
    """
    files = Path("/proc/self/fd")
    tasks = Path("/proc/self/task").glob("*/children")
    children = [child for task in tasks for child in task.read_text().split()]
    return len(list(files.iterdir())) if files.is_dir() else 0, sorted(children)


def test_no_process_and_no_pipe_is_left(repo: Repository) -> None:
    stage("app.py", "x = 1\n")(repo)
    clean(str(repo.path))
    before = held()
    clean(str(repo.path))
    lost(repo)
    clean(str(repo.path))

    assert held() == before


HEAVY = "argparse dataclasses pathlib subprocess tempfile numpy regex yaml rich git hashlib json"


def loaded(repo: Repository, modules: str) -> list[str]:
    """
    Run the hook in a process of its own; return its exit code and which of the modules it imported.
    """
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r});"
        "from scanner.cli import main; code = main(['staged', sys.argv[1]]);"
        f"print(code, *sorted(set({modules!r}.split()) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(repo.path)],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout.split()


def test_a_clean_hook_imports_little(repo: Repository) -> None:
    stage("app.py", "x = 1\n")(repo)

    assert loaded(repo, HEAVY) == ["0"]


def test_where_something_hits_and_is_nothing_the_engine_is_all_that_is_loaded(
    repo: Repository,
) -> None:
    lines = "".join(f'password{n} = "changeme{n}"\n' for n in range(60))
    stage("passes.py", lines + "api_key = os.environ['KEY']\n")(repo)
    modules = "numpy yaml rich git scanner.commands.session scanner.triage.collapse"

    assert loaded(repo, modules) == ["0"]


FRAGMENTS = (
    LINE,
    f"aws = {github_token(5)[4:24].upper()!r}\n",
    "x = 1\n" * 40,
    'password = "changeme"\n',
    "password = 'kT9#vLq2pX'\n",
    "api_key = settings['API_KEY']\n",
    "Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==\n",
    base64.b64encode(LINE.encode()).decode() + "\n",
    LINE.encode().hex() + "\n",
    "data:\n  token: " + base64.b64encode(github_token(6).encode()).decode() + "\n",
    "postgres://user:hunter2@db.example.com/app\n",
    "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
    "datadog_key = '0123456789abcdef0123456789abcdef'\n",
    "token = 'x'  # unsealed:allow * sample\n",
    "\\u0067hp_" + github_token(7)[4:] + "\n",
    "PK\x03\x04 not an archive\n",
)
NAMES = ("app.py", "notes.md", "config.json", "passes/a.txt", ".env", "k8s/secret.yml", "x.pem")


@pytest.mark.parametrize("seed", range(16))
def test_clean_at_a_glance_is_clean_at_length(repo: Repository, tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    for name in chosen.sample(NAMES, 3):
        repo.write(name, "".join(chosen.choices(FRAGMENTS, k=1 + seed % 3)))
    repo.git("add", ".")

    said = clean(str(repo.path))
    report = run(tmp_path, "staged", str(repo.path))

    assert said is None or (report.code == 0 and not report.findings), report.findings


def test_both_ways_are_taken(repo: Repository) -> None:
    verdicts = set()
    for fragment in FRAGMENTS:
        repo.write("app.py", fragment)
        repo.git("add", ".")
        verdicts.add(clean(str(repo.path)) is None)

    assert verdicts == {True, False}


def test_code_that_names_secrets_takes_no_engine(repo: Repository) -> None:
    # The engine and what it imports would be most of what the hook takes.
    stage("app.py", "x.password = os.environ['a_1']\nsecret = load('melist/pating')\n" * 9)(repo)
    script = (
        "import sys\n"
        "from scanner.commands.staged_glance import clean\n"
        "assert clean(sys.argv[1])\n"
        "assert 'scanner.detect.features' in sys.modules\n"
        "assert 'scanner.detect.engine' not in sys.modules\n"
        "assert 'scanner.model' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(repo.path)], check=True, cwd=ROOT)
