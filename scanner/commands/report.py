"""
`unsealed report`: an earlier JSON report in another format.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from scanner.commands.options import FORMATS
from scanner.errors import ConfigError
from scanner.model import Report
from scanner.report.options import Options, RuleText

_LARGEST_REPORT = 4 << 30
_LARGEST_SOURCE = 64 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.
    """
    parser.add_argument("report", metavar="REPORT", help="a json or jsonl report; - is stdin")
    parser.add_argument(
        "-f", "--format", choices=FORMATS, default="terminal", help="default: %(default)s"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write whole or not at all")
    parser.add_argument(
        "--rules", metavar="PATH", type=Path, action="append", default=[], help="more packs"
    )
    parser.add_argument(
        "--checkout",
        metavar="DIR",
        type=Path,
        help="sarif: the files at HEAD, for the line hashes that GitHub compares",
    )
    parser.add_argument("--category", help="sarif: secrets-head, secrets-history or secrets-pr")
    parser.add_argument(
        "--show-secrets",
        action="store_true",
        help="terminal, json, jsonl: do not redact (if the report was made so)",
    )


def run(args: argparse.Namespace) -> int:
    """
    Convert the report.  Return 0; what it says was judged when it was made.
    """
    from scanner.report import formats, output, reader

    if args.show_secrets and args.format not in formats.MAY_SHOW_SECRETS:
        raise ConfigError(f"--show-secrets is not for {args.format}: it is always redacted")
    if args.checkout is not None and not args.checkout.is_dir():
        raise ConfigError(f"{args.checkout}: not a folder")
    output.check_writable(args.output)
    report = reader.read(_text(args.report), name=args.report)
    to_terminal = args.output is None and sys.stdout.isatty()
    options = Options(
        show_secrets=args.show_secrets,
        color=to_terminal and not os.environ.get("NO_COLOR"),
        width=shutil.get_terminal_size().columns if to_terminal else 80,
        category=args.category,
        file_text=None if args.checkout is None else _file_text(args.checkout),
    )
    text = formats.renderer(args.format)(report, _rule_texts(args.rules, report), options)
    output.write_report(text, args.output)
    return 0


def _text(name: str) -> str:
    try:
        if name == "-":
            if sys.stdin is None:
                raise ConfigError("-: standard input is closed")
            return sys.stdin.buffer.read().decode("utf-8")
        path = Path(name)
        if path.is_file() and path.stat().st_size > _LARGEST_REPORT:
            raise ConfigError(f"{name}: too large for a report")
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: not a JSON report: not UTF-8") from None


def _rule_texts(extra: list[Path], report: Report) -> dict[str, RuleText]:
    from scanner.detect.compiled import read_rules
    from scanner.ruleset.shipped import shipped_packs

    wanted = {finding.rule_id for finding in report.findings}
    if not wanted:
        return {}
    return {
        rule.id: RuleText(
            id=rule.id,
            title=rule.title,
            provider=rule.provider,
            severity=rule.severity,
            confidence=rule.confidence,
            remediation=rule.remediation,
            references=rule.references,
            tags=rule.tags,
        )
        for rule in read_rules([shipped_packs(), *extra])
        if rule.id in wanted
    }


def _file_text(root: Path) -> Callable[[bytes], bytes | None]:
    whole = root.resolve()

    def read(path: bytes) -> bytes | None:
        file = Path(os.fsdecode(os.fsencode(whole) + b"/" + path))
        try:
            inside = file.resolve().is_relative_to(whole)
            # The report names the path: it must not lead out of the checkout.
            if not inside or file.is_symlink() or not file.is_file():
                return None
            return file.read_bytes() if file.stat().st_size <= _LARGEST_SOURCE else None
        except (OSError, ValueError):
            return None

    return read
