"""
How an audit's time and memory grow: repositories of 0.1 to 5 GB, and texts of awkward shapes.

    python benchmarks/growth.py --sizes 0.1,0.5,1,2.5,5 --shapes line,log,tiny,blob --rounds 3

Repositories are generated from a fixed seed in a temporary folder (`--folder` for
another) and removed again.  Beside each audit stands git reading the same objects.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import median, run, side_by_side

_HEADS = ("ac", "bo", "cu", "de", "fi", "lo", "me", "pa", "ro", "ta")
_TAILS = ("count", "ver", "ting", "se", "port", "rade", "mon", "list")
WORDS = [head + tail for head in _HEADS for tail in _TAILS]
BLOB = 20_000
Blobs = Iterator[bytes]


def paragraphs(random_: random.Random, count: int = 4_000) -> list[bytes]:
    """
    Return paragraphs of about 500 bytes, code and prose.
    """
    return [
        "".join(
            f"    {random_.choice(WORDS)}_{random_.choice(WORDS)} = "
            f"{random_.choice(WORDS)}({random_.choice(WORDS)!r}, {random_.randint(0, 9999)})\n"
            for _ in range(12)
        ).encode()
        for _ in range(count)
    ]


def ordinary(gigabytes: float) -> Callable[[random.Random], Blobs]:
    def blobs(random_: random.Random) -> Blobs:
        pool = paragraphs(random_)
        left = int(gigabytes * 1e9)
        while left > 0:
            blob = b"".join(random_.choices(pool, k=BLOB // 500))
            left -= len(blob)
            yield blob

    return blobs


def line(random_: random.Random) -> Blobs:
    text = b"".join(random_.choices(paragraphs(random_), k=6_000))
    yield text.replace(b"\n", b";")[:3_000_000]


def log(random_: random.Random) -> Blobs:
    entries = [
        f"2024-01-{n % 28 + 1:02} 12:{n % 60:02}:00 INFO {random_.choice(WORDS)} "
        f"user={random_.choice(WORDS)} password=*** took {n} ms\n".encode()
        for n in range(5_000)
    ]
    text = b"".join(random_.choices(entries, k=66_000_000 // 60))
    yield text[:66_000_000]


def tiny(random_: random.Random) -> Blobs:
    for number in range(100_000):
        yield f"{number} {random_.choice(WORDS)} {random_.choice(WORDS)}\n".encode()


def blob(random_: random.Random) -> Blobs:
    pool = paragraphs(random_)
    yield b"".join(random_.choices(pool, k=500_000_000 // len(pool[0])))[:500_000_000]


SHAPES: dict[str, tuple[str, Callable[[random.Random], Blobs]]] = {
    "line": ("one line of 3 MB", line),
    "log": ("a log of 66 MB", log),
    "tiny": ("100,000 tiny files", tiny),
    "blob": ("one blob of 500 MB", blob),
}


def made(folder: Path, blobs: Blobs) -> int:
    """
    Make a repository with these blobs in one commit, packed; return how many bytes they have.
    """
    subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)
    importer = subprocess.Popen(
        ["git", "-c", "core.compression=1", "-c", "core.bigFileThreshold=2g", "fast-import",
         "--quiet"],
        cwd=folder, stdin=subprocess.PIPE,
    )  # fmt: skip
    feed = importer.stdin
    assert feed is not None
    size = count = 0
    for count, text in enumerate(blobs, 1):
        feed.write(b"blob\nmark :%d\ndata %d\n%b\n" % (count, len(text), text))
        size += len(text)
    feed.write(b"commit refs/heads/main\ncommitter a <a@example.org> 0 +0000\ndata 1\nx\n")
    for number in range(1, count + 1):
        name = b"%d/%d/file%d.txt" % (number % 100, number // 100 % 100, number)
        feed.write(b"M 100644 :%d %b\n" % (number, name))
    feed.close()
    if importer.wait():
        raise SystemExit("git fast-import failed")
    return size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unsealed", type=Path, help="default: this checkout")
    parser.add_argument("--sizes", default="0.1,0.5,1,2.5,5", help="GB, separated by commas")
    parser.add_argument("--shapes", default="line,log,tiny,blob")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    ours = [str(args.unsealed)] if args.unsealed else [sys.executable, "-m", "scanner"]
    cases = [(f"{size} GB", ordinary(float(size))) for size in args.sizes.split(",") if size]
    cases += [SHAPES[shape] for shape in args.shapes.split(",") if shape]
    run([*ours, "scan", "-"], watch=False)  # whose rules are not compiled yet compiles them now
    heads = ("wall s", "CPU s", "MB", "no git", "s per GB", "CPU s per GB", "÷ git")
    print(" " * 22 + "".join(f"{head:>{len(head) + 3}}" for head in heads))
    for name, blobs in cases:
        with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
            repo = Path(scratch, "repo.git")
            gigabytes = made(repo, blobs(random.Random(7))) / 1e9
            report = str(Path(scratch, "report.json"))
            commands = {
                "git": [
                    "git", "-C", str(repo), "cat-file", "--batch-all-objects", "--batch",
                    "--buffer", "--unordered",
                ],
                "unsealed": [
                    *ours, "audit", str(repo), "-f", "json", "-o", report, "--no-progress",
                ],
            }  # fmt: skip
            costs = side_by_side(commands, rounds=args.rounds)
            own, floor = median(costs["unsealed"]), median(costs["git"])
            print(
                f"{name:22}{own.wall:9.2f}{own.cpu:8.2f}{own.memory:5.0f}{own.own_memory:9.0f}"
                f"{own.wall / gigabytes:11.2f}{own.cpu / gigabytes:15.2f}"
                f"{own.wall / floor.wall:8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
