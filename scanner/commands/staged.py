"""
`unsealed staged`: what the next commit would add (the pre-commit hook).

It reads the index, so a clean work tree hides nothing and a dirty one disturbs
nothing.  A secret that HEAD already has in the same file is not added.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from scanner.commands.options import add_scan_options, settings
from scanner.commands.session import Result, Session
from scanner.errors import ConfigError, TargetError
from scanner.file_names import policy_files
from scanner.model import Match
from scanner.pipeline import detect, judge, where_it_stands
from scanner.sealing import ByName, policy_of
from scanner.sources.git import open_repository
from scanner.sources.index import IndexWalk
from scanner.triage.baseline import FILE_NAME
from scanner.triage.suppression import Comments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument(
        "repo",
        nargs="?",
        default=".",
        metavar="REPO",
        help="default: the repository of this folder",
    )
    add_scan_options(parser)


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    chosen = settings(args)
    if chosen.verify:
        raise ConfigError(
            "staged: nothing is verified in a hook",
            hint="`unsealed scan --verify` or `unsealed verify REPORT` can",
        )
    repository = open_repository(Path(args.repo))
    if repository.work_tree is None:
        raise TargetError(f"{args.repo}: a bare repository has no index")
    session = Session(
        chosen,
        command="staged",
        target=args.repo,
        baseline=own_baseline(repository.work_tree),
    )
    walk = IndexWalk(repository)
    walk.load()
    # The hook's few blobs are done before a second thread would have started.
    asked = walk.files(policy_files(change.path for change in walk.changes))
    by_name = ByName(session.engine.takes, policy_of(asked))
    seen = detect(session.engine, walk.batches(), also=by_name.matches)
    added = seen.matches
    changed = {match.document.path for match in added if match.document.path is not None}
    if changed:
        before = detect(
            session.engine,
            walk.before(changed),
            also=ByName(session.engine.takes, by_name.policy).matches,
        )
        added = _new(added, before.matches)
    findings, notices = judge(
        ((match, (where_it_stands(match),)) for match in added),
        session.engine.rule,
        session.fingerprints,
        comments=Comments.WITH_PEERS if session.settings.peer_markers else Comments.HONOURED,
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
            file_text=lambda path: walk.files([path]).get(path),
        )
    )


def own_baseline(work_tree: Path) -> tuple[str, str] | None:
    """
    Return text and name of the work tree's own baseline, if it has one.
    """
    try:
        return (work_tree / FILE_NAME).read_text(encoding="utf-8"), FILE_NAME
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"{FILE_NAME}: cannot be read: {type(error).__name__}") from error


def _new(matches: list[Match], before: list[Match]) -> list[Match]:
    # A second copy of a known secret in the same file is new again: counts, not sets.
    known = Counter(_identity(match) for match in before)
    new: list[Match] = []
    for match in matches:
        identity = _identity(match)
        if known[identity] > 0:
            known[identity] -= 1
        else:
            new.append(match)
    return new


def _identity(match: Match) -> tuple[object, ...]:
    return match.rule_id, match.secret, match.document.path, match.document.inner_path
