"""
The options that the scanning commands share, read into one frozen `Settings`.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from scanner.errors import ConfigError
from scanner.model import Confidence, Severity

FORMATS = (
    "terminal",
    "json",
    "jsonl",
    "sarif",
    "html",
    "csv",
    "junit",
    "gitlab",
    "markdown",
    "github",
)
_SHOWING = ("terminal", "json", "jsonl")
_CONFIDENCES = tuple(c.label for c in Confidence)
_SEVERITIES = tuple(s.label for s in Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    What the user asked for, whatever the command.
    """

    format: str
    output: Path | None
    rules: tuple[Path, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    min_confidence: Confidence
    fail_on: Severity | None
    """`None`: no finding fails."""

    baseline: Path | None
    verify: bool
    show_secrets: bool
    jobs: int
    progress: bool
    peer_markers: bool
    allow_hosts: bool = False
    allow_login: bool = False
    allow_costs: bool = False
    allow_canaries: bool = False
    allow_private: bool = False
    spare_uses: bool = False
    believe_refusals: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    plan: bool = False
    proxy: str | None = None
    ca_file: Path | None = None
    known_hosts: Path | None = None
    budget: int = 5000
    verdict_lifetime: float = 86_400.0


def add_scan_options(parser: argparse.ArgumentParser) -> None:
    """
    Declare the options that every scanning command has.
    """
    add_output_options(parser)
    group = parser.add_argument_group("what counts")
    group.add_argument(
        "--rules",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="a further rule pack or a folder of them",
    )
    group.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="RULE_ID",
        help="only these rules (repeat, or separate by commas)",
    )
    group.add_argument(
        "--ignore", action="append", default=[], metavar="RULE_ID", help="all rules but these"
    )
    group.add_argument(
        "--min-confidence",
        choices=_CONFIDENCES,
        default="medium",
        help="the lowest confidence that is reported (default: %(default)s)",
    )
    group.add_argument(
        "--fail-on",
        choices=("none", *_SEVERITIES),
        default="low",
        help="the lowest severity that fails (default: %(default)s)",
    )
    group.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="accepted findings; they are counted and do not fail",
    )
    group.add_argument(
        "--peer-markers",
        action="store_true",
        help="honour other scanners' inline markers too (off by default)",
    )
    group = parser.add_argument_group("verification (sends requests; off by default)")
    group.add_argument(
        "--verify", action="store_true", help="ask the providers whether what was found is alive"
    )
    add_verify_options(group)
    group = parser.add_argument_group("running")
    group.add_argument(
        "--jobs",
        type=int,
        default=min(os.cpu_count() or 1, 8),
        metavar="N",
        help="workers (default: one a processor, at most 8)",
    )
    group.add_argument("--no-progress", action="store_true", help="no progress bar")


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """
    Declare format and output.
    """
    group = parser.add_argument_group("report")
    group.add_argument(
        "-f", "--format", choices=FORMATS, default="terminal", help="default: %(default)s"
    )
    group.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="write the report there, whole or not at all",
    )
    group.add_argument(
        "--show-secrets", action="store_true", help="do not redact (terminal, json and jsonl only)"
    )


def add_verify_options(parser: argparse._ActionsContainer) -> None:
    """
    Declare what verification may do.
    """
    parser.add_argument(
        "--plan", action="store_true", help="list hosts and requests, and send nothing"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PROVIDER", help="ask only these providers"
    )
    parser.add_argument(
        "--skip", action="append", default=[], metavar="PROVIDER", help="do not ask these providers"
    )
    parser.add_argument(
        "--allow-found-hosts", action="store_true", help="also ask hosts that stand in the finding"
    )
    parser.add_argument(
        "--allow-login", action="store_true", help="also ask where asking is a login"
    )
    parser.add_argument(
        "--allow-costs", action="store_true", help="also ask where asking uses quota or is billed"
    )
    parser.add_argument(
        "--allow-canaries", action="store_true", help="also use known canary tokens: an alarm"
    )
    parser.add_argument(
        "--spare-uses", action="store_true", help="take no use of a token that has few: learn less"
    )
    parser.add_argument(
        "--believe-refusals", action="store_true",
        help="this machine is where the credentials are used: who is refused here is inactive",
    )  # fmt: skip
    parser.add_argument(
        "--allow-private", action="store_true", help="also reach addresses inside the house"
    )
    parser.add_argument("--proxy", metavar="URL", help="http://host:port; no variable is read")
    parser.add_argument(
        "--ca-file", type=Path, metavar="FILE", help="authorities to trust instead of the system's"
    )
    parser.add_argument(
        "--known-hosts", type=Path, metavar="FILE",
        help="keys of the SSH hosts outside of the house that may be sent a password",
    )  # fmt: skip
    parser.add_argument(
        "--budget", type=_count, default=5000, metavar="N", help="the most requests (%(default)s)"
    )
    parser.add_argument(
        "--verdict-lifetime",
        type=_seconds,
        default=86_400.0,
        metavar="SECONDS",
        help="how long a verdict is not asked for again (%(default)s)",
    )


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """
    Declare the options of commands that try keys on what is sealed.
    """
    parser.add_argument(
        "--weak-passwords",
        action="store_true",
        help="try a short dictionary of weak passwords on Ansible vaults too (slow by nature)",
    )


def settings(args: argparse.Namespace) -> Settings:
    """
    Return what the arguments say.

    Raise `ConfigError` where they contradict each other.
    """
    if args.show_secrets and args.format not in _SHOWING:
        raise ConfigError(
            f"--show-secrets: the {args.format} format never shows secrets",
            hint=f"formats that can: {', '.join(_SHOWING)}",
        )
    if args.jobs < 1:
        raise ConfigError(f"--jobs: {args.jobs} is not at least 1")
    fail_on = None if args.fail_on == "none" else Severity[args.fail_on.upper()]
    return Settings(
        format=args.format,
        output=args.output,
        rules=tuple(args.rules),
        select=_split(args.select),
        ignore=_split(args.ignore),
        min_confidence=Confidence[args.min_confidence.upper()],
        fail_on=fail_on,
        baseline=args.baseline,
        verify=args.verify or args.plan,
        show_secrets=args.show_secrets,
        jobs=args.jobs,
        progress=not args.no_progress and sys.stderr.isatty(),
        peer_markers=args.peer_markers,
        allow_hosts=args.allow_found_hosts,
        allow_login=args.allow_login,
        only=_split(args.only),
        skip=_split(args.skip),
        plan=args.plan,
        allow_costs=args.allow_costs,
        allow_canaries=args.allow_canaries,
        allow_private=args.allow_private,
        spare_uses=args.spare_uses,
        believe_refusals=args.believe_refusals,
        proxy=args.proxy,
        ca_file=args.ca_file,
        known_hosts=args.known_hosts,
        budget=args.budget,
        verdict_lifetime=args.verdict_lifetime,
    )


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"below zero: {text}")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"no length of time: {text}")
    return number


def _split(values: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
