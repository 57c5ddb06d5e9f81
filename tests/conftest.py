"""
What every test stands on: no network but loopback, real git with fixed dates.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import hypothesis
import pytest

from scanner.detect.engine import Engine
from scanner.ruleset.shipped import shipped_packs

# Timing says nothing on a busy machine, and a gate that rolls dice is none.
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")
_LOCAL = ("127.", "::1", "localhost")


def calls_of(work: Callable[[], object]) -> int:
    """
    Return how many calls `work` makes, in Python and in C: what a clock would say, said exactly.
    """
    count = 0

    def counted(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """
    Run a chosen few tests in this process: workers start slower than those run.
    """
    whole = config.args == config.getini("testpaths")
    return None if whole else 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Declare `--no-skips`.
    """
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/")
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """
    Return a check: `golden(name, text)` compares with `tests/golden/<name>`.
    """
    update = request.config.getoption("--update-golden")

    def check(name: str, text: str) -> None:
        file = Path(__file__).parent / "golden" / name
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        assert file.exists(), f"no {file.name}: run pytest --update-golden and read the result"
        assert text == file.read_bytes().decode()

    return check


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = str(address[0]) if isinstance(address, tuple) else ""
        if self.family != getattr(socket, "AF_UNIX", None) and not host.startswith(_LOCAL):
            raise AssertionError(f"a test tried to reach {address!r}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # One for the whole session: the compiled rules are made once and not for every test.
    home = tmp_path_factory.mktemp("home")
    if "PYTEST_XDIST_WORKER" in os.environ:
        # One worker compiles, with all cores; the others take a copy.
        made = _made_once(tmp_path_factory.getbasetemp().parent / "compiled")
        shutil.copytree(made, home, dirs_exist_ok=True)
    return home


def _made_once(home: Path) -> Path:
    done = home.with_suffix(".done")
    try:
        home.mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.05)
        return home
    try:
        with pytest.MonkeyPatch.context() as patch:
            _live_in(home, patch)
            Engine.load([shipped_packs()])
    finally:
        done.touch()
    return home


def _live_in(home: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HOME", str(home))
    for name in ("STATE", "CONFIG", "CACHE"):
        patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, _home: Path) -> None:
    _live_in(_home, monkeypatch)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


class Repository:
    """
    A real git repository whose ids are the same on every run.
    """

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        self.clock = 1_600_000_000
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)

    def git(self, *arguments: str, stdin: bytes | None = None, **env: str) -> str:
        """
        Run git here and return what it prints, without the last newline.
        """
        self.clock += 60
        date = f"{self.clock} +0000"
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.path.parent),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_AUTHOR_NAME": "Ada",
                "GIT_AUTHOR_EMAIL": "ada@example.org",
                "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.org",
                "GIT_AUTHOR_DATE": date,
                "GIT_COMMITTER_DATE": date,
                **env,
            },
        )
        assert done.returncode == 0, (arguments, done.stderr.decode())
        return done.stdout.decode(errors="replace").removesuffix("\n")

    def write(self, path: str, text: str | bytes) -> Path:
        """
        Write one file of the work tree.
        """
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def commit(self, message: str = "change", **files: str) -> str:
        """
        Commit everything (after writing `files`) and return the commit's id.
        """
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Callable[..., Repository]:
    """
    Return a maker of repositories: `repository("name", *git_init_options)`.
    """

    def make(name: str = "repo", *options: str) -> Repository:
        return Repository(tmp_path / name, *options)

    return make


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """
    Fail the run where a skip is a failure (`--no-skips`).
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter is not None:
        skipped = reporter.stats.get("skipped", [])
        if skipped and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            reporter.write_line(f"{len(skipped)} skipped tests are failures here", red=True)
