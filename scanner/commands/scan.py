"""
`unsealed scan`: files and folders as they are now, or standard input.
"""

from __future__ import annotations

import argparse

from scanner.commands.options import add_scan_options, settings
from scanner.commands.session import Result, Session
from scanner.model import Place, Unread
from scanner.pipeline import detect, judge, where_it_stands
from scanner.sources.files import FileWalk
from scanner.triage.suppression import Comments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="files or folders; `-` is standard input (default: this folder)",
    )
    parser.add_argument(
        "--commit-message",
        action="store_true",
        help="the file is a commit's message: what git cuts off is left out",
    )
    add_scan_options(parser)


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    session = Session(settings(args), command="scan", target=" ".join(args.paths))
    walk = FileWalk(args.paths, commit_message=args.commit_message)
    seen = detect(session.engine, walk.batches(), jobs=session.settings.jobs)
    findings, notices = judge(
        ((match, (where_it_stands(match),)) for match in seen.matches),
        session.engine.rule,
        session.fingerprints,
        comments=Comments.HONOURED,
        paths_known=True,
    )
    unread = [*walk.unread, *seen.unread]
    if not any(kind.read for kind in walk.coverage.kinds.values()) and not unread:
        # A scan that looked at nothing is not clean.
        unread.append(Unread(place=Place.FILE, reason="nothing to read: no file was found"))
    return session.conclude(
        Result(
            findings=findings,
            unread=unread,
            limits=[*walk.limits, *seen.limits],
            coverage=walk.coverage,
            notices=notices,
            interrupted=seen.interrupted,
        )
    )
