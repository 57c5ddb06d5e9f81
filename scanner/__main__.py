"""
The process: `python -m scanner` and the `unsealed` script.
"""

from __future__ import annotations

import atexit
import os
import sys


def run() -> None:
    """
    Run the command line and leave with its exit code.
    """
    from scanner.cli import main

    code = main()
    if not _asked_for_at_exit():
        _leave(code)
    sys.exit(code)


def _asked_for_at_exit() -> bool:
    # Where there is no way to ask, somebody may have.
    count = getattr(atexit, "_ncallbacks", None)
    return count is None or bool(count())


def _leave(code: int) -> None:
    """
    End the process at once: to take everything apart again would cost a hook its tenth part.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # whoever listens is gone; python says what there is to say
    os._exit(code)


if __name__ == "__main__":
    run()
