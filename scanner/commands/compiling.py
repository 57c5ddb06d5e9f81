"""
What is said while the rules are compiled: once for each version, some seconds.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

_PATIENCE_S = 1.0
_LINE = "unsealed: compiling the rules (once; the next runs start at once)"


@contextlib.contextmanager
def compile_progress(*, bar: bool) -> Iterator[Callable[[int, int], None]]:
    """
    Give what takes `(expressions done, of how many)`; it costs nothing until it is called.

    After a second it says a line on standard error, in a terminal (`bar`) it draws a bar.
    """
    said = _Bar() if bar else _Line()
    try:
        yield said.step
    finally:
        said.close()


class _Line:
    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def step(self, done: int, total: int) -> None:  # noqa: ARG002
        if self._timer is None:
            self._timer = threading.Timer(_PATIENCE_S, print, [_LINE], {"file": sys.stderr})
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class _Bar:
    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None

    def step(self, done: int, total: int) -> None:
        if self._progress is None:
            from rich.console import Console
            from rich.progress import Progress

            self._progress = Progress(console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task("compiling the rules, once", total=None)
            self._progress.start()
        self._progress.update(self._task, completed=done, total=total or None)

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
