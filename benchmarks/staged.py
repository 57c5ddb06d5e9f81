"""
The pre-commit hook on twenty small files, beside other scanners on the same files.

    python benchmarks/staged.py --betterleaks PATH --rounds 30

`plain` files hold nothing that looks like a credential; `code` holds assignments,
calls and encoded texts that every scanner must look at twice.  Files are made from a
fixed seed.  Caches are warm: each command runs once before it is measured.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import side_by_side, table

_HEADS = ("ac", "bo", "cu", "de", "fi", "lo", "me", "pa", "ro", "ta")
_TAILS = ("count", "ver", "ting", "se", "port", "rade", "mon", "list")
WORDS = [head + tail for head in _HEADS for tail in _TAILS]
LINES = (
    "    {a}_{b} = {a}({b}, {n})",
    "    if {a} is None: return {b}",
    "    # {a} {b} {a}",
    "    {a}.password = os.environ['{b}_{n}']",
    "    {a}_key = get_{b}_key({n})",
    "    log.info('{a} {b} %s', {n})",
    "    secret = load('{a}/{b}')",
    "    data = b'\\x{n:02x}{a}'",
    "    url = 'https://{a}.example.com/{b}/{n}'",
)


def text(random_: random.Random, lines: tuple[str, ...]) -> str:
    body = [f"def {random_.choice(WORDS)}():"]
    body += [
        random_.choice(lines).format(
            a=random_.choice(WORDS), b=random_.choice(WORDS), n=random_.randint(0, 255)
        )
        for _ in range(random_.randint(30, 90))
    ]
    return "\n".join(body) + "\n"


def made(folder: Path, lines: tuple[str, ...], files: int) -> None:
    """
    Make a repository with `files` staged files, and nothing else to find.
    """
    random_ = random.Random(20)
    folder.mkdir()

    def git(*arguments: str) -> None:
        names = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    (folder / "README").write_text("hello\n")
    git("add", ".")
    git("commit", "-qm", "first")
    for number in range(files):
        (folder / f"file{number}.py").write_text(text(random_, lines))
    git("add", ".")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unsealed", type=Path, help="default: this checkout")
    parser.add_argument("--betterleaks", type=Path)
    parser.add_argument("--gitleaks", type=Path)
    parser.add_argument("--kingfisher", type=Path)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    ours = [str(args.unsealed)] if args.unsealed else [sys.executable, "-m", "scanner"]
    with tempfile.TemporaryDirectory() as scratch:
        for name, lines in (("plain", LINES[:3]), ("code", LINES)):
            repo = Path(scratch, name)
            made(repo, lines, args.files)
            commands = {
                "python -c pass": [sys.executable, "-c", "pass"],
                "unsealed staged": [*ours, "staged", str(repo)],
            }
            if args.betterleaks:
                commands["betterleaks staged"] = [
                    str(args.betterleaks), "git", "--staged", str(repo),
                ]  # fmt: skip
                files = Path(scratch, f"{name}-files")
                files.mkdir()
                for file in repo.glob("*.py"):
                    (files / file.name).write_bytes(file.read_bytes())
                commands["betterleaks files"] = [str(args.betterleaks), "filesystem", str(files)]
            if args.gitleaks:
                commands["gitleaks staged"] = [
                    str(args.gitleaks), "git", "--staged", str(repo),
                ]  # fmt: skip
            if args.kingfisher:
                commands["kingfisher staged"] = [
                    str(args.kingfisher), "scan", "--staged", "--no-validate",
                    "--no-update-check", str(repo),
                ]  # fmt: skip
            size = sum(file.stat().st_size for file in repo.glob("*.py"))
            print(f"\n{name}: {args.files} files, {size / 1024:.0f} kB")
            costs = side_by_side(
                commands,
                rounds=args.rounds,
                allowed={"kingfisher staged": (0, 200, 205)},
                warm=True,
                watch=False,
            )
            print(table(costs, "unsealed staged"))


if __name__ == "__main__":
    main()
