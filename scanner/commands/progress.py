"""
A progress bar with its rate, on standard error of a terminal and nowhere else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class Bar:
    """
    Says nothing: what a log or a pipe gets.
    """

    def kind(self, name: str, total: int) -> Callable[[int], None] | None:  # noqa: ARG002
        """
        Announce `total` objects of a kind; return what takes the bytes of each batch.
        """
        return None


@contextlib.contextmanager
def progress(*, enabled: bool) -> Iterator[Bar]:
    """
    Show a bar while the block runs.
    """
    if not enabled:
        yield Bar()
        return
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TransferSpeedColumn as Speed

    columns = (
        TextColumn("{task.description}"),
        DownloadColumn(),
        Speed(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:

        class _Shown(Bar):
            def kind(self, name: str, total: int) -> Callable[[int], None]:
                task = shown.add_task(f"{total:,} {name}s", total=None)
                return lambda size: shown.advance(task, size)

        yield _Shown()
