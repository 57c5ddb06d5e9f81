"""
What our hook adds to a commit: twenty staged files through the real `pre-commit`, with our
hook and with one that does nothing, turn by turn.

    python benchmarks/hook.py --unsealed BIN/unsealed --rounds 30

Told are the least and the median time of each, and their difference; on a machine that has
other work, only the least says anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from staged import LINES, made

_CONFIG = """repos:
- repo: local
  hooks:
  - id: nothing
    name: nothing
    entry: "true"
    language: system
    pass_filenames: false
    always_run: true
  - id: unsealed
    name: unsealed
    entry: {unsealed} staged
    language: system
    pass_filenames: false
    always_run: true
"""


def seconds(repo: Path, pre_commit: str, hook: str) -> float:
    """
    Return how long one run of a hook takes.
    """
    begun = time.perf_counter()
    subprocess.run(
        [pre_commit, "run", hook], cwd=repo, check=True, capture_output=True,
        env={**os.environ, "PRE_COMMIT_HOME": str(repo.parent / "home")},
    )  # fmt: skip
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(sys.executable).parent
    parser.add_argument("--unsealed", type=Path, default=beside / "unsealed")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    pre_commit = shutil.which("pre-commit") or str(beside / "pre-commit")
    with tempfile.TemporaryDirectory() as scratch:
        for name, lines in (("plain", LINES[:3]), ("code", LINES)):
            repo = Path(scratch, name)
            made(repo, lines, args.files)
            text = _CONFIG.format(unsealed=args.unsealed.absolute())
            (repo / ".pre-commit-config.yaml").write_text(text)
            subprocess.run(["git", "add", ".pre-commit-config.yaml"], cwd=repo, check=True)
            took: dict[str, list[float]] = {"nothing": [], "unsealed": []}
            for hook in took:
                seconds(repo, pre_commit, hook)  # once before: caches are warm
            for _ in range(args.rounds):
                for hook, times in took.items():
                    times.append(seconds(repo, pre_commit, hook))
            least = [min(times) * 1000 for times in took.values()]
            middle = [statistics.median(times) * 1000 for times in took.values()]
            print(
                f"{name}: {args.files} files; least {least[0]:.0f} and {least[1]:.0f} ms, "
                f"ours adds {least[1] - least[0]:.0f} ms; median {middle[0]:.0f} and "
                f"{middle[1]:.0f} ms, ours adds {middle[1] - middle[0]:.0f} ms"
            )


if __name__ == "__main__":
    main()
