"""
The compiled rules in the user's cache folder.

A cache that anyone else could write would be a way to blind the scanner, so the
folder is ours alone, the file carries a code keyed by bytes in the state
folder, and what was loaded is tried on a canary.  In doubt it is made again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scanner.detect import cache_file
from scanner.detect.cache import DamagedError, Parts, joined, open_parts
from scanner.detect.plan import Made, Plan
from scanner.ruleset.schema import Rule

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[int, int], None]


def load_plan(paths: Sequence[Path], *, progress: Progress | None = None) -> Plan:
    """
    Return the plan for the packs under `paths`, from the cache if that is fresh and sound.
    """
    file = cache_file.cache_file([str(path) for path in paths])

    def make() -> Made:
        made = _made(paths, progress)
        if file is not None:
            # A full disk or a read-only home costs the next start some seconds, nothing else.
            with contextlib.suppress(OSError):
                cache_file.write_whole(
                    file.path, joined(made.parts.items(), file.key, file.purpose)
                )
                cache_file.forget_old(file)
        return made

    if file is not None:
        with contextlib.suppress(OSError, DamagedError):
            return Plan(_Mended(open_parts(file.path, file.key, file.purpose), make))
    return Plan(make())


def read_rules(paths: Sequence[Path]) -> Sequence[Rule]:
    """
    Return the rules under `paths` without compiling any: from a fresh cache, which
    takes a tenth of the time, else from the packs.
    """
    file = cache_file.cache_file([str(path) for path in paths])
    if file is not None:
        with contextlib.suppress(OSError, DamagedError):
            return tuple(Plan(open_parts(file.path, file.key, file.purpose)).rules)
    return _written(paths)


def _written(paths: Sequence[Path]) -> Sequence[Rule]:
    # YAML is needed on a cold start only.
    from scanner.ruleset.loading import load_rules  # noqa: PLC0415

    return load_rules(paths)


def _made(paths: Sequence[Path], progress: Progress | None) -> Made:
    if progress is not None:
        progress(0, 0)
    return Plan.parts_of(_written(paths), progress=progress)


class _Mended:
    """
    Parts from the cache; once one of them is not sound, all are made again.

    Equal rules come to equal parts, so that those read earlier still fit.
    """

    def __init__(self, parts: Parts, make: Callable[[], Made]) -> None:
        self._parts: Parts | Made = parts
        self._make = make

    def read(self, name: str, *, summed: bool = False) -> bytes:
        """
        See `Reader.read`.
        """
        try:
            return self._parts.read(name, summed=summed)
        except DamagedError:
            self.mend()
        return self._parts.read(name)

    def mend(self) -> None:
        """
        See `Reader.mend`.
        """
        self._parts = self._make()
