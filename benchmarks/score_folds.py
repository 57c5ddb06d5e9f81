"""
Scan a labelled corpus so that no repository is judged by weights that have seen it.

    python benchmarks/score_folds.py CORPUS FOLDS OUT.jsonl

FOLDS is what `train_score.py --folds` wrote.  Each fold's repositories are scanned by the whole
scanner with that fold's weights; OUT gets `path`, `line`, `end_line`, `rule` and `score` of each
finding of the default output (medium and high).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_RUN = """
import runpy, sys
from pathlib import Path
from scanner.detect import score_tables
score_tables.load.__wrapped__.__defaults__ = (Path(sys.argv.pop(1)),)
runpy.run_module("scanner", run_name="__main__", alter_sys=True)
"""


def scan(folder: Path, weights: Path, report: Path) -> None:
    """
    Scan a folder with these weights; exit codes 0 and 1 say that it worked.
    """
    command = [sys.executable, "-c", _RUN, str(weights), "scan", str(folder), "-f", "jsonl"]
    done = subprocess.run([*command, "-o", str(report)], cwd=ROOT, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"the scan failed: {done.returncode}")


def main() -> None:
    corpus, folds, out = map(Path, sys.argv[1:4])
    with out.open("w") as lines:
        for names in sorted(folds.glob("*.txt")):
            with tempfile.TemporaryDirectory(dir=corpus) as folder:
                for name in names.read_text("utf8").split():
                    for file in (corpus / "data" / name).rglob("*"):
                        if file.is_file():
                            copy = Path(folder) / file.relative_to(corpus / "data")
                            copy.parent.mkdir(parents=True, exist_ok=True)
                            copy.hardlink_to(file)
                report = Path(folder).with_suffix(".jsonl")
                scan(Path(folder), names.with_suffix(".bin"), report)
                for line in report.read_text("utf8").splitlines():
                    finding = json.loads(line)
                    for place in finding.get("occurrences", ()):
                        if finding["type"] == "finding" and place.get("line"):
                            told = {
                                "path": f"data/{place['path']}",
                                "line": place["line"],
                                "end_line": place["end_line"],
                                "rule": finding["rule"],
                                "score": finding["score"],
                            }
                            lines.write(json.dumps(told) + "\n")
                report.unlink()


if __name__ == "__main__":
    main()
