"""
`unsealed baseline write|prune`: the accepted findings of a repository.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from scanner.cli import main
from scanner.errors import ConfigError
from scanner.model import Report
from scanner.report.output import write_report
from scanner.report.reader import read
from scanner.triage import baseline as baselines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    actions = parser.add_subparsers(dest="action", metavar="write|prune", required=True)
    write = actions.add_parser("write", help="accept what a scan finds today")
    write.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(baselines.FILE_NAME),
        metavar="FILE",
        help="default: %(default)s",
    )
    write.add_argument("--reason", help="why it is accepted")
    write.add_argument("--owner", help="who answers for it")
    write.add_argument("--until", metavar="YYYY-MM-DD", help="the last day on which it counts")
    prune = actions.add_parser("prune", help="drop entries that expired or are found no more")
    prune.add_argument(
        "output",
        nargs="?",
        type=Path,
        default=Path(baselines.FILE_NAME),
        metavar="FILE",
        help="default: %(default)s",
    )
    prune.add_argument("--expired", action="store_true", help="drop expired entries, scan nothing")
    for action in (write, prune):
        action.add_argument(
            "--target", default=".", metavar="PATH", help="what is scanned (default: this folder)"
        )
        action.add_argument(
            "--history", action="store_true", help="audit the repository there instead"
        )


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    return _write(args) if args.action == "write" else _prune(args)


def _write(args: argparse.Namespace) -> int:
    old = _existing(args.output)
    made = old is None
    if old is None:
        old = baselines.new_baseline()
    entry = baselines.Entry(
        fingerprint="0" * 32, reason=args.reason, owner=args.owner, until=args.until
    )
    # Read back before any scan: it tells a bad date at once.
    trial = baselines.render(baselines.Baseline(old.key, (entry,)))
    baselines.parse(trial, origin="baseline write")
    report = _scan(args.target, old, history=args.history)
    new = baselines.write(old, report.findings, report.unread, entry=entry)
    write_report(baselines.render(new), str(args.output))
    added = len(new.entries) - (0 if made else len(old.entries))
    print(f"{args.output}: {len(new.entries)} entries, {added} new", file=sys.stderr)
    return 0


def _prune(args: argparse.Namespace) -> int:
    old = _existing(args.output)
    if old is None:
        raise ConfigError(f"{args.output}: no such file")
    if args.expired:
        seen = [name for e in old.entries if (name := e.fingerprint or e.unread)]
    else:
        report = _scan(args.target, old, history=args.history)
        seen = [f.fingerprint for f in report.findings]
        seen += [u.blob for u in report.unread if u.blob is not None]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    new = baselines.prune(old, seen, today=today)
    write_report(baselines.render(new), str(args.output))
    print(f"{args.output}: {len(old.entries) - len(new.entries)} entries dropped", file=sys.stderr)
    return 0


def _existing(file: Path) -> baselines.Baseline | None:
    try:
        return baselines.parse(file.read_text(encoding="utf-8"), origin=str(file))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {type(error).__name__}") from error


def _scan(target: str, baseline: baselines.Baseline, *, history: bool) -> Report:
    # The command itself does the scan, under the baseline's key; its report is
    # redacted, since it comes back through a file.
    with tempfile.TemporaryDirectory(prefix="unsealed-") as folder:
        key = Path(folder, "baseline")
        key.write_text(baselines.render(baselines.Baseline(baseline.key)), encoding="utf-8")
        file = Path(folder, "report.json")
        command = "audit" if history else "scan"
        code = main([command, target, "--baseline", str(key), "-f", "json", "-o", str(file)])
        if not file.exists():
            raise ConfigError(f"{target}: the scan made no report (exit code {code})")
        return read(file.read_text(encoding="utf-8"), name=target)
