"""
Promises about the code itself.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "scanner").rglob("*.py"))
MAX_LINES = 400
VAGUE = {"utils", "helpers", "common", "base", "core", "misc", "util", "helper"}
MAY_REVEAL = {
    "secret.py",  # its home
    "triage/fingerprint.py",
    "report/json_v1.py",  # --show-secrets
    "report/terminal.py",  # --show-secrets
    "report/scrub.py",  # it must know what to remove
    "detect/sealed/unlock.py",  # tries candidate keys against sealed files
    "detect/translation.py",  # asks whether it is a word of some language
    "commands/keys.py",  # hands found secrets to be tried as keys
    "workers.py",  # carries secrets from a forked process to its parent
    "detect/proof.py",  # pairs keys, tokens and certificates
}
MAY_REVEAL_ROOMS = ("verify/",)
MAY_START_PROCESSES = {"sources/git.py", "sources/staged_texts.py"}
MAY_CONNECT_ROOMS = ("verify/",)
NETWORK = {"socket", "ssl", "http", "httpx", "requests", "urllib3", "ftplib", "smtplib", "imaplib"}


def relative(file: Path) -> str:
    return file.relative_to(ROOT / "scanner").as_posix()


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


@cache
def imports(file: Path) -> set[str]:
    names: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@cache
def calls(file: Path) -> set[str]:
    found: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    found.add(name)
    return found


def test_no_file_is_longer_than_a_head_can_hold() -> None:
    long = {
        relative(f): n for f in SOURCES if (n := len(f.read_text("utf-8").splitlines())) > MAX_LINES
    }

    assert long == {}


def test_names_say_what_is_inside() -> None:
    assert [relative(f) for f in SOURCES if f.stem in VAGUE] == []


def test_packages_are_empty() -> None:
    full = [relative(f) for f in SOURCES if f.name == "__init__.py" and f.read_text().strip()]

    assert full == ["__init__.py"]


def test_only_a_few_may_reveal_a_secret() -> None:
    revealing = {relative(f) for f in SOURCES if "reveal" in calls(f)}
    unexpected = {f for f in revealing - MAY_REVEAL if not f.startswith(MAY_REVEAL_ROOMS)}

    assert unexpected == set()


def test_only_commands_print() -> None:
    printing = {
        relative(file)
        for file in SOURCES
        for node in nodes(file)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    }

    assert {f for f in printing if not f.startswith("commands/")} <= {"cli.py"}


def test_only_those_that_scrub_the_environment_start_processes() -> None:
    spawning = {"posix_spawn", "posix_spawnp", "system", "popen"}
    starting = {relative(f) for f in SOURCES if "subprocess" in imports(f) or spawning & calls(f)}

    assert starting <= MAY_START_PROCESSES


def test_only_verification_opens_connections() -> None:
    connecting = {relative(f) for f in SOURCES if imports(f) & NETWORK}

    assert {f for f in connecting if not f.startswith(MAY_CONNECT_ROOMS)} == set()


def test_nothing_executes_what_it_reads() -> None:
    for file in SOURCES:
        if (
            relative(file) != "records.py"
        ):  # writes `__init__` of our own names, as `dataclasses` does
            assert not calls(file) & {"eval", "exec"}, relative(file)
        if relative(file) != "workers.py":  # reads only what its own fork wrote
            assert not imports(file) & {"pickle", "marshal.loads", "shelve"}, relative(file)


def test_no_bare_suppression_of_every_error() -> None:
    for file in SOURCES:
        text = file.read_text(encoding="utf-8")
        assert "suppress(Exception)" not in text, relative(file)
        if relative(file) != "cli.py":
            assert not re.search(r"except Exception\b", text), relative(file)


DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_links_of_the_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    broken = [
        link
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in link
        and not link.startswith("mailto:")
        and not (document.parent / link).exists()
    ]

    assert broken == []


def test_no_file_speaks_of_the_machine_it_was_made_on() -> None:
    spoken = re.compile("/" + "work/|/" + "root/|pypi-" + "more|files.python" + "hosted")
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "scanner/**/*.py",
        "tests/**/*.py",
        "benchmarks/**/*.py",
        ".ci/*",
    ):
        for file in ROOT.glob(pattern):
            assert not spoken.search(file.read_text(encoding="utf-8")), file
