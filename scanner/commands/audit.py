"""
`unsealed audit`: every object of a repository, reachable or not.
"""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import replace
from pathlib import Path

from scanner.commands.audit_names import judge_names
from scanner.commands.audit_policy import Rules, judge_past, read_rules, text_at_head
from scanner.commands.key_names import NAMES
from scanner.commands.keys import KeyRing
from scanner.commands.options import add_key_options, add_scan_options, settings
from scanner.commands.progress import progress
from scanner.commands.session import Result, Session
from scanner.model import Limit, Place, Unread
from scanner.pipeline import Detection, detect, detect_streams, judge, where_it_stands
from scanner.policy.exposure import may_be_sealed
from scanner.sealing import asked
from scanner.sources.git import open_repository
from scanner.sources.memory import give_back
from scanner.sources.objects import ObjectWalk
from scanner.triage.attribution import Attribution, Located
from scanner.triage.suppression import Comments
from scanner.workers import Aside, settle

_MAX_PUBLICS = 2_000
_KINDS = ("blob", "commit", "tag", "tree")


_MANY = 2_000
"""Matches: with fewer, a process costs more than it saves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    See `Command.add_arguments`.
    """
    parser.add_argument(
        "repo", nargs="?", default=".", metavar="REPO", help="default: this folder's repository"
    )
    parser.add_argument(
        "--honour-comments",
        action="store_true",
        help="let `unsealed:allow RULE reason` count (an audit ignores it)",
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help="a policy to hold all of history against, beside the one at HEAD",
    )
    add_key_options(parser)
    add_scan_options(parser)


def run(args: argparse.Namespace) -> int:
    """
    See `Command.run`.
    """
    repository = open_repository(Path(args.repo))
    session = Session(settings(args), command="audit", target=args.repo)
    with contextlib.closing(ObjectWalk(repository, jobs=session.settings.jobs)) as walk:
        rules = read_rules(walk, args.policy)
        seen = read_everything(session, walk, rules)
        settle()
        located, limits = _locate(
            walk, seen, rules, KeyRing(session.engine.takes, args.weak_passwords)
        )
        findings, notices = judge(
            located,
            session.engine.rule,
            session.fingerprints,
            comments=Comments.HONOURED if args.honour_comments else Comments.IGNORED,
            minimum=session.settings.min_confidence,
            paths_known=False,
            seen=seen,
        )
        unread = [*walk.unread, *seen.unread]
        if not len(walk) and not unread:
            # A scan that looked at nothing is not clean.
            unread.append(Unread(place=Place.BLOB, reason="the repository has no objects"))
        return session.conclude(
            Result(
                findings=findings,
                unread=unread,
                limits=[*walk.limits, *seen.limits, *limits],
                coverage=walk.coverage,
                notices=[*notices, *rules.notices, *_shallow(walk)],
                fail_on=rules.policy.fail_on,
                interrupted=seen.interrupted,
                file_text=lambda path: text_at_head(walk, rules, path),
                living_paths=rules.head.keys(),
            )
        )


def _shallow(walk: ObjectWalk) -> list[str]:
    if not walk.is_shallow():
        return []
    return ["a shallow clone: what lies before it was not read (`git fetch --unshallow`)"]


def read_everything(session: Session, walk: ObjectWalk, rules: Rules) -> Detection:
    """
    Scan every object and what lies around them.

    Blobs come first: while the trees stream by, it is known which blobs matter.
    """
    seen = Detection()
    with progress(enabled=session.settings.progress) as bar:
        for kind in _KINDS:
            if seen.interrupted:
                break
            if kind == "tree":
                hit = {m.document.blob for m in seen.matches if m.document.blob is not None}
                sealed = sealed_blobs(seen)
                walk.want(hit | sealed | public_blobs(seen), names=(*NAMES, *rules.names(sealed)))
            step = bar.kind(kind, walk.count(kind))
            detect_streams(session.engine, walk.streams(kind), seen, step=step)
        if not seen.interrupted:
            places = detect(session.engine, walk.places())
            seen.matches += places.matches
            seen.unread += places.unread
            seen.limits += places.limits
            seen.interrupted = places.interrupted
    return seen


def sealed_blobs(seen: Detection) -> set[str]:
    """
    Return the blobs in which something is sealed.
    """
    return {document.blob for document in seen.sealed if document.blob is not None}


def public_blobs(seen: Detection) -> set[str]:
    """
    Return the blobs of certificates and public keys, if any private key was found.
    """
    if not any(match.rule_id.startswith("private-key") for match in seen.matches):
        return set()
    blobs = {public.document.blob for public in seen.publics.values()} - {None}
    return set(sorted(blob for blob in blobs if blob)[:_MAX_PUBLICS])


def _locate(
    walk: ObjectWalk, seen: Detection, rules: Rules, ring: KeyRing
) -> tuple[list[Located], list[Limit]]:
    if seen.interrupted:
        # Not every tree was read: where a blob lies is not known.
        return [(match, (where_it_stands(match),)) for match in seen.matches], []
    attribution = Attribution(walk.history())
    sealed = sealed_blobs(seen)
    blobs = {*walk.named_blobs(), *sealed, *public_blobs(seen)}
    attribution.prepare(seen.matches, blobs)
    give_back()
    paths = attribution.paths(blobs)
    for raw, public in seen.publics.items():
        path = next(iter(paths.get(public.document.blob or "", ())), None)
        seen.publics[raw] = replace(public, document=replace(public.document, path=path))
    at = {path for blob in sealed for path in paths.get(blob, ()) if may_be_sealed(path)}
    at |= {path for there in paths.values() for path in there if asked(rules.policy, path)}
    # Neither asks what the other finds, and keys are derived slowly on purpose.
    aside = Aside(
        lambda: (
            judge_names(walk, paths, seen.matches, sealed, ring),
            judge_past(walk, attribution.versions(), at, rules, ring.takes),
        ),
        worth=len(seen.matches) > _MANY,
    )
    located = attribution.locate(seen.matches)
    attribution.foresee_removals(located)
    (named, limits), past = aside.result()
    # Of a text that also called for its checker by itself, the match is there already.
    known = {(m.rule_id, m.document.blob) for m in seen.matches if m.secret is None}
    fresh = [m for m in named if (m.rule_id, m.document.blob) not in known]
    if fresh:
        located += attribution.locate(fresh)
    located = attribution.with_removals(located)
    return [*located, *past.located], [*attribution.limits, *limits, *past.limits]
