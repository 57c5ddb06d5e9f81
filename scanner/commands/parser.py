"""
The parser of a command's arguments; a hook without options goes by without it.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from scanner.errors import ScannerError


class Parser(argparse.ArgumentParser):
    """
    Tells what is wrong by an error of ours.
    """

    def error(self, message: str) -> NoReturn:
        """
        Raise what the user should read.
        """
        raise ScannerError(f"{self.prog}: {message}", hint=f"see `{self.prog} --help`")


def parser(name: str, description: str) -> Parser:
    """
    Return the parser of a command, without the command's own arguments.
    """
    made = Parser(prog=f"unsealed {name}", description=description, allow_abbrev=False)
    made.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    return made
