"""
How git is started: nothing of git's own environment is inherited, and settings
on the command line outrank those of any configuration file.

Apart from `git.py`, so that a hook that has nothing to say need not import what
that needs.
"""

from __future__ import annotations

import os

_SETTINGS = (
    ("safe.directory", "*"),
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
    ("core.pager", "cat"),
    ("core.sshCommand", "false"),
    ("core.useReplaceRefs", "false"),
    ("core.untrackedCache", "false"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("submodule.recurse", "false"),
    # Half of what git takes by default does for trees and blobs in pack order, and two run at once.
    ("core.deltaBaseCacheLimit", "96m"),
)
_KEPT = (
    "PATH",
    "HOME",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
)
_INSIDE_HOOK = (
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
)


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """
    Return the environment that git is started with: nothing of git's is inherited.

    Inside a hook git exports GIT_DIR and more, which would aim every command
    at the wrong repository; `GIT_CONFIG_COUNT` and kin could name programs.
    """
    scrubbed = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **scrubbed,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_NO_LAZY_FETCH": "1",
        # Git before 2.45 knows no GIT_NO_LAZY_FETCH; without a protocol it cannot fetch either.
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_ADVICE": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        **(extra or {}),
    }


def hook_environment() -> dict[str, str]:
    """
    Return what a command inside a hook must know: which index, and where quarantined objects lie.
    """
    return {name: os.environ[name] for name in _INSIDE_HOOK if name in os.environ}


def command(*arguments: str, git_dir: str | os.PathLike[str] | None = None) -> list[str]:
    """
    Return a git command line whose settings outrank those of any configuration file.
    """
    line = ["git", "--no-pager"]
    for name, value in _SETTINGS:
        line += ["-c", f"{name}={value}"]
    if git_dir is not None:
        line.append(f"--git-dir={git_dir}")
    return [*line, *arguments]
