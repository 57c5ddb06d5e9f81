"""
Runs commands side by side and tells what they cost: wall, CPU, peak memory of the process tree.

Rounds take turns (first each command once, then each again), so that a busy
machine is busy for all of them; medians and ratios are told, never one run.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_EVERY_S = 0.1


@dataclasses.dataclass(frozen=True)
class Cost:
    """
    What one run cost: seconds, seconds, megabytes.
    """

    wall: float
    cpu: float
    memory: float
    own_memory: float
    """Without the processes of git, which hold a whole object each."""

    code: int


class Peak:
    """
    Watches the proportional memory of a session's processes: pages that they share count once.
    """

    def __init__(self, session: int) -> None:
        self._session = session
        self._stop = threading.Event()
        self.kilobytes = self.own_kilobytes = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            shares = [(_share(process), _is_git(process)) for process in self._members()]
            own = sum(share for share, is_git in shares if not is_git)
            self.kilobytes = max(self.kilobytes, sum(share for share, _ in shares))
            self.own_kilobytes = max(self.own_kilobytes, own)

    def _members(self) -> list[int]:
        members = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if os.getsid(int(name)) == self._session:
                        members.append(int(name))
                except OSError:
                    continue
        return members

    def megabytes(self) -> tuple[float, float]:
        self._stop.set()
        self._thread.join()
        return self.kilobytes / 1024, self.own_kilobytes / 1024


def _share(process: int) -> int:
    try:
        with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, ValueError):
        return 0


def _is_git(process: int) -> bool:
    try:
        with open(f"/proc/{process}/comm", encoding="ascii", errors="replace") as file:
            return file.read().startswith("git")
    except OSError:
        return False


def run(command: Sequence[str], *, cwd: Path | None = None, watch: bool = True) -> Cost:
    """
    Run a command, its output thrown away, and return what it and its children cost.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    peak = Peak(process.pid) if watch and sys.platform == "linux" else None
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    # A run shorter than the watch's step: the largest process is what the system remembers.
    largest = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    tree, own = (0.0, 0.0) if peak is None else peak.megabytes()
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, max(largest, tree), own or largest, process.returncode)


def side_by_side(
    commands: Mapping[str, Sequence[str]],
    *,
    rounds: int,
    allowed: Mapping[str, Sequence[int]] | None = None,
    warm: bool = False,
    watch: bool = True,
) -> dict[str, list[Cost]]:
    """
    Run each command `rounds` times in turn; an exit code that is not allowed ends all.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for round_ in range(rounds + warm):
        for name, command in commands.items():
            cost = run(command, watch=watch)
            if cost.code not in (allowed or {}).get(name, (0, 1, 3)):
                raise SystemExit(f"{name}: exit code {cost.code}: {' '.join(command)}")
            if round_ >= warm:
                costs[name].append(cost)
    return costs


def median(costs: Sequence[Cost]) -> Cost:
    """
    Return the medians of each measure.
    """
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.memory for cost in costs),
        statistics.median(cost.own_memory for cost in costs),
        costs[0].code,
    )


def table(costs: Mapping[str, Sequence[Cost]], ours: str) -> str:
    """
    Return medians, and our wall and CPU divided by each other's.
    """
    own = median(costs[ours])
    lines = [
        f"{'':24}{'wall s':>10}{'CPU s':>10}{'MB':>8}{'no git':>8}{'ours ÷ wall':>13}{'÷ CPU':>8}"
    ]
    for name, runs in costs.items():
        cost = median(runs)
        lines.append(
            f"{name:24}{cost.wall:10.3f}{cost.cpu:10.3f}{cost.memory:8.0f}"
            f"{cost.own_memory:8.0f}"
            f"{own.wall / cost.wall:13.2f}{own.cpu / cost.cpu:8.2f}"
        )
    return "\n".join(lines)
