"""
`unsealed verify`: asks providers about the findings of an earlier report.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import sys
from pathlib import Path

from scanner.commands.options import add_scan_options, settings
from scanner.commands.reread import GONE, reread
from scanner.commands.session import Session, exit_code, rule_texts
from scanner.errors import ConfigError
from scanner.model import Finding, Report
from scanner.report.formats import renderer
from scanner.report.options import Options
from scanner.report.output import write_report
from scanner.report.reader import read
from scanner.verify.runner import plan_report, verify_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument("report", metavar="REPORT", help="a json or jsonl report; `-` is stdin")
    parser.add_argument(
        "--target",
        metavar="PATH",
        help="where the report's target is now (default: where it was)",
    )
    add_scan_options(parser)


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    chosen = settings(args)
    report = read(_text(args.report), name=args.report)
    target = args.target or report.run.target
    asking = dataclasses.replace(chosen, verify=True)
    session = Session(asking, command=report.run.command, target=target)
    findings = reread(report.findings, target, session.engine, session.fingerprints)
    if chosen.plan:
        print(plan_report(findings, session.engine.rule, chosen), end="")
        return 0
    known = [f for f in findings if f.verification is not GONE]
    asked = verify_report(
        dataclasses.replace(report, findings=tuple(known)), session.engine.rule, chosen
    )
    verdicts = {finding.fingerprint: finding for finding in asked.findings}
    result = dataclasses.replace(
        asked, findings=tuple(verdicts.get(f.fingerprint, f) for f in findings)
    )
    _write(result, session)
    return exit_code(chosen.fail_on, result, interrupted=False)


def _write(report: Report, session: Session) -> None:
    chosen = session.settings
    to_terminal = chosen.output is None and sys.stdout.isatty()
    options = Options(
        show_secrets=chosen.show_secrets,
        color=to_terminal and not os.environ.get("NO_COLOR"),
        width=shutil.get_terminal_size().columns if to_terminal else 80,
    )
    text = renderer(chosen.format)(
        report, rule_texts(session.engine, _known(report, session)), options
    )
    write_report(text, None if chosen.output is None else str(chosen.output))


def _known(report: Report, session: Session) -> list[Finding]:
    ids = set(session.engine.plan.rules.ids)
    return [finding for finding in report.findings if finding.rule_id in ids]


def _text(name: str) -> str:
    try:
        if name == "-":
            if sys.stdin is None:
                raise ConfigError("-: standard input is closed")
            return sys.stdin.buffer.read().decode("utf-8")
        return Path(name).read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: not a JSON report: not UTF-8") from error
