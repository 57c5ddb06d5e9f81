"""
Runs commands in this process and reads their reports.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.cli import main


@dataclass(frozen=True)
class Report:
    """
    A command's exit code and the lines of its JSON report by type.
    """

    code: int
    lines: tuple[dict[str, Any], ...]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["type"] == kind]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return self.of("finding")

    @property
    def summary(self) -> dict[str, Any]:
        return self.of("summary")[0]

    def places(self, rule: str = "github-classic-token") -> list[tuple[str | None, int | None]]:
        return [
            (o.get("path"), o.get("line"))
            for f in self.findings
            if f["rule"] == rule
            for o in f["occurrences"]
        ]


def run(tmp_path: Path, *arguments: str) -> Report:
    """
    Run a command and return what it says as JSON lines.
    """
    file = tmp_path / "report.jsonl"
    file.unlink(missing_ok=True)
    code = main([*arguments, "-f", "jsonl", "-o", str(file)])
    text = file.read_text() if file.exists() else ""
    return Report(code, tuple(json.loads(line) for line in text.splitlines()))
