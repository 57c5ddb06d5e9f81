"""
`unsealed range`: what the commits of a pull request (or a push) add.

Baseline and policy come from BASE: a change under review cannot excuse itself.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scanner.commands.options import add_scan_options, settings
from scanner.commands.range_places import located
from scanner.commands.session import Result, Session
from scanner.errors import ConfigError
from scanner.file_names import policy_files
from scanner.pipeline import Detection, detect, judge
from scanner.sealing import ByName, policy_of
from scanner.sources.git import open_repository
from scanner.sources.revisions import RangeWalk
from scanner.triage.baseline import FILE_NAME
from scanner.triage.suppression import Comments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument("base", nargs="?", metavar="BASE", help="the commit before the range")
    parser.add_argument(
        "head", nargs="?", default="HEAD", metavar="HEAD", help="the last commit (default: HEAD)"
    )
    parser.add_argument("--repo", default=".", metavar="REPO", help="default: this folder's")
    parser.add_argument(
        "--pre-push", action="store_true", help="as a pre-push hook: what is about to be pushed"
    )
    parser.add_argument(
        "--pre-receive", action="store_true", help="as a pre-receive hook: what is being received"
    )
    add_scan_options(parser)


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    repository = open_repository(Path(args.repo))
    bases, heads = _revisions(args)
    walk = RangeWalk(repository, bases, heads)
    if heads:
        walk.load()
    session = Session(
        settings(args),
        command="range",
        target=args.repo,
        baseline=_baseline_at(walk, bases),
        base=bases[0] if bases and not bases[0].startswith("--") else None,
        head=heads[0] if heads else None,
    )
    texts = walk.files_at_base(policy_files(addition.path for addition in walk.additions))
    by_name = ByName(session.engine.takes, policy_of(texts))
    seen = Detection()
    if heads:
        seen = detect(session.engine, walk.batches(), also=by_name.matches)
    head = walk.tree()
    findings, notices = judge(
        located(walk, seen.matches, session.engine, head),
        session.engine.rule,
        session.fingerprints,
        comments=Comments.REPORTED,
        minimum=session.settings.min_confidence,
        paths_known=True,
        seen=seen,
    )
    return session.conclude(
        Result(
            findings=findings,
            unread=[*walk.unread, *seen.unread],
            limits=seen.limits,
            coverage=walk.coverage,
            notices=notices,
            fail_on=None if by_name.policy is None else by_name.policy.fail_on,
            interrupted=seen.interrupted,
            file_text=walk.text_at_head if len(heads) == 1 else None,
            living_paths=head.keys(),
        )
    )


def _baseline_at(walk: RangeWalk, bases: tuple[str, ...]) -> tuple[str, str] | None:
    for base in bases:
        if base.startswith("--"):
            continue
        data = walk.file_at(base, FILE_NAME)
        if data is not None:
            return data.decode("utf-8", "replace"), f"{base}:{FILE_NAME}"
    return None


def _revisions(args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if (args.pre_push or args.pre_receive) and sys.stdin is None:
        raise ConfigError("range: git names what is pushed on standard input, which is closed")
    if args.pre_push:
        return _pushed()
    if args.pre_receive:
        return _received(sys.stdin.read(), new=("--all",))
    if args.base is None:
        raise ConfigError("range: BASE is missing", hint="unsealed range BASE [HEAD]")
    for revision in (args.base, args.head):
        if revision.startswith("-") or ".." in revision:
            raise ConfigError(f"range: {revision!r} is not a revision")
    if not args.base.strip("0"):
        # A host's way to say that the branch is new: everything of it is.
        return (), (args.head,)
    return (args.base,), (args.head,)


def _pushed() -> tuple[tuple[str, ...], tuple[str, ...]]:
    # pre-commit reads git's lines itself and passes them on in its environment.
    to = os.environ.get("PRE_COMMIT_TO_REF")
    if to:
        old = os.environ.get("PRE_COMMIT_FROM_REF", "")
        return ((old,) if old.strip("0") else ("--remotes",)), (to,)
    pushed = (words for words in map(str.split, sys.stdin) if len(words) == 4)
    lines = "".join(f"{remote} {local} -\n" for _, local, _, remote in pushed)
    return _received(lines, new=("--remotes",))


def _received(lines: str, *, new: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    bases: dict[str, None] = {}
    heads: dict[str, None] = {}
    for line in lines.splitlines():
        words = line.split()
        if len(words) < 3:
            raise ConfigError("the hook was started without git's lines `OLD NEW REF`")
        old, head = words[:2]
        if not head.strip("0"):
            continue  # a branch is deleted: nothing is added
        heads[head] = None
        if old.strip("0"):
            bases[old] = None
        bases.update(dict.fromkeys(new))
    return tuple(bases), tuple(heads)
