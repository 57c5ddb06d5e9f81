"""
`unsealed rules`: list them, show one, check them all.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from scanner.errors import ConfigError
from scanner.ruleset.schema import Rule
from scanner.ruleset.shipped import shipped_packs

_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declare the command's arguments.
    """
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="one line a rule")
    show = actions.add_parser("show", help="everything about one rule")
    show.add_argument("rule", metavar="RULE_ID")
    check = actions.add_parser(
        "check", help="run every example and counter-example through the engine"
    )
    check.add_argument("only", metavar="RULE_ID", nargs="*", help="check only these (default: all)")
    check.add_argument(
        "--speed", action="store_true", help="also measure what each rule costs the first pass"
    )
    for action in (listed, show, check):
        action.add_argument(
            "--rules",
            action="append",
            type=Path,
            default=[],
            metavar="PATH",
            help="a further rule pack or a folder of them",
        )


def run(args: argparse.Namespace) -> int:
    """
    Do what was asked; 1 if a rule fails its check.
    """
    packs = (shipped_packs(), *args.rules)
    if args.action == "check":
        from scanner.ruleset.loading import load_rules

        return _check(load_rules(packs), args.only, speed=args.speed)
    from scanner.detect.compiled import read_rules

    rules = read_rules(packs)
    if args.action == "list":
        return _list(rules)
    return _show(_named(rules, [args.rule])[0])


def _named(rules: Sequence[Rule], ids: Sequence[str]) -> list[Rule]:
    by_id = {rule.id: rule for rule in rules}
    for rule_id in ids:
        if rule_id not in by_id:
            raise ConfigError(f"no such rule: {rule_id}", hint="see `unsealed rules list`")
    return [by_id[rule_id] for rule_id in ids]


def _list(rules: Sequence[Rule]) -> int:
    for rule in sorted(rules, key=lambda rule: (rule.provider, rule.id)):
        print(f"{rule.id}  {rule.severity.label}/{rule.confidence.label}  {rule.title}")
    print(
        f"{len(rules)} rules, {len({rule.provider for rule in rules})} providers", file=sys.stderr
    )
    return 0


def _show(rule: Rule) -> int:
    for name, value in dataclasses.asdict(rule).items():
        if value in (None, (), False):
            continue
        print(f"{name}: {_shown(value)}")
    return 0


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "".join(f"\n    {key}: {_shown(item)}" for key, item in value.items() if item)
    if isinstance(value, tuple):
        return "".join(f"\n  - {_shown(item)}" for item in value)
    return str(getattr(value, "label", value))


def _check(rules: Sequence[Rule], only: Sequence[str], *, speed: bool) -> int:
    from scanner.detect.rule_check import check_examples, check_speed

    chosen = _named(rules, only) or list(rules)
    problems = check_examples(rules, chosen)
    if speed:
        costs, too_dear = check_speed(rules, chosen)
        for cost in costs:
            print(cost)
        problems += too_dear
    for problem in problems:
        print(problem, file=sys.stderr)
    failed = len({problem.rule_id for problem in problems})
    print(f"{len(chosen)} rules checked, {failed} failed")
    return _FAILED if problems else 0
