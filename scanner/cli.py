"""
The command line: a table of commands, whose modules are imported when chosen.

Start-up is a feature: the hook runs at every commit, so nothing here imports
what only another command needs.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import scanner
from scanner.errors import ScannerError

if TYPE_CHECKING:
    import argparse

_COMMANDS = {
    "audit": "read every object of a repository, reachable or not",
    "scan": "read files and folders as they are now; `-` is standard input",
    "staged": "read what the next commit would add (the pre-commit hook)",
    "range": "read what the commits of BASE..HEAD add, one by one (a pull request)",
    "seals": "prove the state of every sealed or sealable file",
    "verify": "ask providers about the findings of an earlier report",
    "install-hook": "install a plain git hook",
    "report": "turn a JSON report into another format",
    "baseline": "write or prune the accepted findings of a repository",
    "rules": "list, show or check the rules",
}
_BUG = 4
_INTERRUPTED = 130


class Command(Protocol):
    """
    What the module of a command offers.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit code.
    """
    _hold_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        return _dispatch(arguments)
    except ScannerError as error:
        print(f"error: {_one_line(str(error))}", file=sys.stderr)
        if error.hint:
            print(f"hint: {_one_line(error.hint)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader went away; python would print a traceback when it flushes at exit.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return _INTERRUPTED
    except Exception as error:
        # The last line of defence: a bug is told in one line, without any text of the input.
        if debug:
            raise
        print(f"error: internal error: {_where(error)}", file=sys.stderr)
        print("hint: run again with --debug and report the traceback", file=sys.stderr)
        return _BUG


def _hold_streams() -> None:
    # Closed by who started us (`>&-`): what would be written there is not wanted, and a
    # file opened later must not be taken for it.
    if sys.stdout is None or sys.stderr is None:
        sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name == "staged" and (line := _glance(arguments[1:])) is not None:
        print(line, file=sys.stderr)
        return 0
    if name in _COMMANDS:
        from scanner.commands.parser import parser

        module: Command = importlib.import_module(f"scanner.commands.{name.replace('-', '_')}")
        arguments_of = parser(name, _COMMANDS[name])
        module.add_arguments(arguments_of)
        try:
            args = arguments_of.parse_args(arguments[1:])
        except SystemExit as exit_:  # --help
            return int(exit_.code or 0)
        return module.run(args)
    if name in ("--version", "-V"):
        print(f"unsealed {scanner.__version__}")
        return 0
    if name in ("", "-h", "--help", "help"):
        print(_usage())
        return 0 if name else 2
    raise ScannerError(f"unknown command {name!r}", hint="see `unsealed --help`")


def _glance(arguments: list[str]) -> str | None:
    # The hook as it is installed: no options, and mostly nothing to find.
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        return None
    from scanner.commands.staged_glance import clean

    return clean(arguments[0] if arguments else ".")


def _usage() -> str:
    width = max(map(len, _COMMANDS))
    lines = [f"  {name:{width}}  {text}" for name, text in _COMMANDS.items()]
    return "\n".join(
        [
            "usage: unsealed COMMAND [OPTION…]",
            "",
            "Finds leaked credentials in repositories, past and present.",
            "",
            *lines,
            "",
            "`unsealed COMMAND --help` says more; `unsealed --version` prints the version.",
            "Exit codes: 0 clean, 1 findings, 2 arguments, 3 incomplete, 4 bug, 130 interrupted.",
        ]
    )


def _where(error: BaseException) -> str:
    # Only the type and the place: a message may quote the input.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {os.path.basename(code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119 # pathlib costs start-up time


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
