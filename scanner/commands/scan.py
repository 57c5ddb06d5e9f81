"""
`unsealed scan`: files and folders as they are now, or standard input.
"""

from __future__ import annotations

import argparse

from scanner.commands.key_names import KEY_FILE
from scanner.commands.options import add_key_options, add_scan_options, settings
from scanner.commands.session import Result, Session
from scanner.model import Document, Limit, Match, Place, Unread
from scanner.pipeline import Detection, detect, judge, where_it_stands
from scanner.sealing import ByName, policy_of_folder
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
    add_key_options(parser)
    add_scan_options(parser)


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    session = Session(settings(args), command="scan", target=" ".join(args.paths))
    walk = FileWalk(args.paths, commit_message=args.commit_message)
    by_name = ByName(session.engine.takes, policy_of_folder(args.paths), KEY_FILE)
    seen = detect(session.engine, walk.batches(), jobs=session.settings.jobs, also=by_name.matches)
    proven, limits = _keys(walk, by_name.kept, seen, session, weak=args.weak_passwords)
    seen.matches += proven
    findings, notices = judge(
        ((match, (where_it_stands(match),)) for match in seen.matches),
        session.engine.rule,
        session.fingerprints,
        comments=Comments.WITH_PEERS if session.settings.peer_markers else Comments.HONOURED,
        minimum=session.settings.min_confidence,
        paths_known=True,
        seen=seen,
    )
    unread = [*walk.unread, *seen.unread]
    if not any(kind.read for kind in walk.coverage.kinds.values()) and not unread:
        # A scan that looked at nothing is not clean.
        unread.append(Unread(place=Place.FILE, reason="nothing to read: no file was found"))
    return session.conclude(
        Result(
            findings=findings,
            unread=unread,
            limits=[*walk.limits, *seen.limits, *limits],
            coverage=walk.coverage,
            notices=[*notices, *by_name.notices()],
            fail_on=None if by_name.policy is None else by_name.policy.fail_on,
            interrupted=seen.interrupted,
            file_text=walk.text_at,
        )
    )


def _keys(
    walk: FileWalk, named: list[bytes], seen: Detection, session: Session, *, weak: bool
) -> tuple[list[Match], list[Limit]]:
    """
    Return the keys that open what lies sealed beside them, and the bounds that bit.
    """
    sealed = {document.path for document in seen.sealed if document.path is not None}
    if seen.interrupted or not (named or sealed):
        return [], []
    from scanner.commands.keys import MAX_BYTES, KeyRing  # needs cryptography

    ring = KeyRing(session.engine.takes, weak)
    for path in dict.fromkeys([*named, *sorted(sealed)]):
        data = walk.text_at(path, most=MAX_BYTES)
        if data is not None:
            ring.add(data, Document(Place.FILE, path), key=path not in sealed)
    return ring.proven(seen.matches)
