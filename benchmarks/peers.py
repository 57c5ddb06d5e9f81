"""
`unsealed audit` of a repository beside git itself and other scanners.

    python benchmarks/peers.py REPO --betterleaks PATH --kingfisher PATH --rounds 3

The floor is git reading every object and throwing it away.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measure import run, side_by_side, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repo", type=Path)
    parser.add_argument("--unsealed", type=Path, help="default: this checkout")
    parser.add_argument("--betterleaks", type=Path)
    parser.add_argument("--gitleaks", type=Path)
    parser.add_argument("--kingfisher", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    repo = str(args.repo.resolve())
    ours = [str(args.unsealed)] if args.unsealed else [sys.executable, "-m", "scanner"]
    run([*ours, "scan", "-"], watch=False)  # whose rules are not compiled yet compiles them now
    with tempfile.TemporaryDirectory() as scratch:
        # Reports go to files, as in use; what is told on the way is thrown away.
        out = os.path.join(scratch, "report")
        commands = {
            "git (the floor)": [
                "git", "-C", repo, "cat-file", "--batch-all-objects", "--batch", "--buffer",
                "--unordered",
            ],
            "unsealed": [*ours, "audit", repo, "-f", "json", "-o", out, "--no-progress"],
        }  # fmt: skip
        if args.betterleaks:
            commands["betterleaks"] = [
                str(args.betterleaks), "git", repo, "--no-banner", "-o", f"{out}.json",
            ]  # fmt: skip
        if args.gitleaks:
            commands["gitleaks"] = [
                str(args.gitleaks), "git", repo, "--no-banner", "-r", f"{out}.gl.json",
            ]  # fmt: skip
        if args.kingfisher:
            commands["kingfisher"] = [
                str(args.kingfisher), "scan", repo, "--no-validate", "--no-update-check",
                "--git-history", "full",
                "--format", "json", "--output", f"{out}.kf.json",
            ]  # fmt: skip
        # Kingfisher says 200 where it found something, 205 where that is alive.
        costs = side_by_side(commands, rounds=args.rounds, allowed={"kingfisher": (0, 200, 205)})
    print(table(costs, "unsealed"))


if __name__ == "__main__":
    main()
