"""
`unsealed install-hook`: a plain git hook, for who does without `pre-commit`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from scanner.errors import ConfigError, ScannerError
from scanner.sources import git

_KINDS = ("pre-commit", "commit-msg", "pre-push", "pre-receive")
_MARK = "# made by `unsealed install-hook`"
_BODIES = {
    "pre-commit": "staged",
    "commit-msg": 'scan --commit-message "$1"',
    "pre-push": "range --pre-push",
    "pre-receive": "range --pre-receive",
}
# Hooks run in the work tree, and `python -m` would look for modules there first: a
# repository with a folder `scanner` would be asked whether it is clean.  A hook that
# cannot run its check refuses: nothing passes unread.
_TEMPLATE = """#!/bin/sh
{mark}
exec {python} -c '
import sys
sys.path[:] = [path for path in sys.path if path]
try:
    from scanner.__main__ import run
except ImportError:
    sys.exit("unsealed: not installed any more for this Python; run `unsealed install-hook` again")
run()
' {body}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument(
        "repo",
        nargs="?",
        default=".",
        metavar="REPO",
        help="default: the repository of this folder",
    )
    parser.add_argument(
        "--type",
        dest="kinds",
        action="append",
        choices=_KINDS,
        default=None,
        help="repeat for several (default: pre-commit)",
    )
    parser.add_argument("--force", action="store_true", help="replace a hook that is not ours")
    parser.add_argument("--remove", action="store_true", help="remove the hooks that are ours")


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    repository = git.open_repository(Path(args.repo))
    folder = hooks_folder(repository)
    for kind in dict.fromkeys(args.kinds or ["pre-commit"]):
        file = folder / kind
        try:
            _remove(file) if args.remove else _install(file, kind, force=args.force)
        except OSError as error:
            reason = (error.strerror or "cannot be written").lower()
            raise ConfigError(f"{file}: {reason}") from error
    return 0


def hooks_folder(repository: git.Repository) -> Path:
    """
    Return where git looks for this repository's hooks.

    Raise `ConfigError` if that is a folder shared by other repositories
    (`core.hooksPath` outside this one): a hook there would be everyone's.
    """
    configured = _configured(repository)
    if configured is None:
        return repository.common_dir / "hooks"
    inside = repository.work_tree or repository.git_dir
    folder = (inside / configured).resolve()
    if not folder.is_relative_to(inside.resolve()):
        raise ConfigError(
            f"core.hooksPath is {configured}: hooks there serve other repositories too",
            hint="unset core.hooksPath, or add `unsealed staged` to the hook there by hand",
        )
    return folder


def _configured(repository: git.Repository) -> str | None:
    # A core.hooksPath, wherever it is set, would shadow our hook in silence.  The
    # user's own files count here, which every other command of ours leaves out.
    home = Path.home()
    xdg = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = (
        repository.git_dir / "config.worktree",
        repository.common_dir / "config",
        Path(os.environ.get("GIT_CONFIG_GLOBAL") or home / ".gitconfig"),
        xdg / "git" / "config",
    )
    for file in files:
        done = git.start("config", "--file", str(file), "--get", "core.hooksPath", cwd=Path())
        value = done.stdout.decode("utf-8", "surrogateescape").strip()
        if value and not done.returncode:
            return str(Path(value).expanduser())
    return None


def _install(file: Path, kind: str, *, force: bool) -> None:
    if file.exists() and not force and not _is_ours(file):
        raise ScannerError(
            f"{file}: there is another hook already",
            hint="add the command to it by hand, or replace it with --force",
        )
    python = shlex.quote(sys.executable)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = _TEMPLATE.format(mark=_MARK, python=python, body=_BODIES[kind])
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    print(f"installed {file}", file=sys.stderr)


def _remove(file: Path) -> None:
    if not file.exists():
        return
    if not _is_ours(file):
        raise ScannerError(f"{file}: not one of ours; left alone")
    file.unlink()
    print(f"removed {file}", file=sys.stderr)


def _is_ours(file: Path) -> bool:
    return _MARK in file.read_text(encoding="utf-8", errors="replace")
