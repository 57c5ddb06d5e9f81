"""
The policy over all of history, and what lay open before it was sealed.

Only paths that are sealed at some time, or that the policy names, are looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scanner.errors import ConfigError
from scanner.model import Limit, Match, Occurrence, Place
from scanner.policy import reach
from scanner.policy.imports import NAMES as IMPORTED
from scanner.policy.loading import NAME, load_policy
from scanner.policy.model import Policy
from scanner.policy.past import Stand, Version, judge_versions
from scanner.sealing import asked, policy_of
from scanner.sources.objects import ObjectWalk
from scanner.triage.attribution import Located
from scanner.triage.path_versions import PathVersion, PathVersions

_LIMIT = "policy-history"
_MAX_PATHS = 5_000
_MAX_SIZE = 1 << 20
_MAX_ALL = 16 << 20
_MAX_POLICIES = 200
_COMMON = 50


@dataclass(slots=True)
class Rules:
    """
    What the policy at HEAD, and one named on the command line, ask.
    """

    policy: Policy = field(default_factory=Policy)
    head: Mapping[bytes, str] = field(default_factory=dict)
    """The blob at each path of HEAD."""

    notices: list[str] = field(default_factory=list)

    logged: set[bytes] = field(default_factory=set)
    """Names of files whose every version the trees' log knows."""

    def names(self, sealed: Collection[str]) -> list[bytes]:
        """
        Return patterns of the file names to look out for: the policy's, and those of what
        is sealed at HEAD, unless many files are called so.
        """
        count = Counter(path.rpartition(b"/")[2] for path in self.head)
        own = {path.rpartition(b"/")[2] for path, blob in self.head.items() if blob in sealed}
        self.logged = {name for name in own if count[name] <= _COMMON}
        return [*reach.names(self.policy), *map(reach.exactly, sorted(self.logged))]


def read_rules(walk: ObjectWalk, named: Path | None) -> Rules:
    """
    Return what is asked.  A policy of the repository that cannot be understood is told and
    asks nothing: it must not keep its own repository from being audited.

    Raise `ConfigError` if the policy that the user named is wrong.
    """
    rules = Rules()
    if named is not None:
        try:
            rules.policy = load_policy(named.read_bytes(), str(named))
        except OSError as error:
            raise ConfigError(f"{named}: {(error.strerror or 'unreadable').lower()}") from error
    if walk.head is None:
        return rules
    rules.head = walk.reader.paths(walk.head)
    files = [p for p in rules.head if p == NAME or p.rpartition(b"/")[2] in IMPORTED]
    texts = {
        blob: text
        for blob, _, text in walk.reader.read(rules.head[path] for path in files[:_MAX_POLICIES])
    }
    for path in files:
        try:
            own = policy_of({path: texts.get(rules.head[path], b"")})
        except ConfigError as error:
            rules.notices.append(f"HEAD: {error}; it asks nothing")
            continue
        if own is not None:
            rules.policy = rules.policy.joined(own)
    rules.notices += rules.policy.notices
    return rules


def text_at_head(walk: ObjectWalk, rules: Rules, path: bytes) -> bytes | None:
    """
    Return a file's bytes at HEAD, `None` if it is not there.
    """
    blob = rules.head.get(path)
    if blob is None:
        return None
    return next((text for _, kind, text in walk.reader.read([blob]) if kind == "blob"), None)


@dataclass(slots=True)
class Past:
    """
    What the versions of paths gave rise to.
    """

    located: list[Located] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)

    def limit(self, reason: str) -> None:
        """
        Say that a bound bit.
        """
        self.limits.append(Limit(name=_LIMIT, reason=reason))


def judge_past(
    walk: ObjectWalk,
    finder: PathVersions,
    paths: set[bytes],
    rules: Rules,
    takes: Callable[[str], bool],
) -> Past:
    """
    Return the violations of the policy in any version of a path, and the values that
    lay open before their path was sealed; `paths` are those to look up, beside what the
    policy asks for at HEAD.
    """
    past = Past()
    paths |= {path for path in rules.head if asked(rules.policy, path)}
    histories = _histories(paths, rules, finder, past)
    texts = _texts(walk, histories, past)
    found: list[tuple[Match, list[Occurrence]]] = []
    for path, all_versions in sorted(histories.items()):
        told = [one for one in all_versions if one.blob in texts]
        versions = [Version(one.blob, one.commit, texts[one.blob]) for one in told]
        now = rules.head.get(path)
        head = next((n for n, one in enumerate(versions) if one.blob == now), None)
        for match, stands in judge_versions(rules.policy, path, versions, head):
            if takes(match.rule_id):
                places = _places(path, told, stands, now, finder)
                found.append((match, places))
    past.located = _signed(walk, found)
    return past


def _histories(
    paths: set[bytes], rules: Rules, finder: PathVersions, past: Past
) -> dict[bytes, list[PathVersion]]:
    if len(paths) > _MAX_PATHS:
        past.limit(f"only {_MAX_PATHS} of {len(paths)} paths were looked up in all of history")
        paths = set(sorted(paths)[:_MAX_PATHS])
    policy = rules.policy
    missed = reach.unreached(policy)
    if missed:
        past.limit(f"held against HEAD, not against all of history: {', '.join(missed[:5])}")
    folders = reach.folders(policy)
    if not paths and not folders:
        return {}
    histories = finder.of(paths, folders, logged=rules.logged)
    past.limits += finder.limits
    return {path: some for path, some in histories.items() if path in paths or asked(policy, path)}


def _texts(
    walk: ObjectWalk, histories: Mapping[bytes, Sequence[PathVersion]], past: Past
) -> dict[str, bytes]:
    texts: dict[str, bytes] = {}
    left = _MAX_ALL
    wanted = dict.fromkeys(one.blob for versions in histories.values() for one in versions)
    for blob, kind, data in walk.reader.read(wanted):
        left -= len(data)
        if left < 0:
            past.limit(f"more than {_MAX_ALL >> 20} MiB in the versions of the paths in question")
            break
        if kind == "blob" and len(data) <= _MAX_SIZE:
            texts[blob] = data
    return texts


def _places(
    path: bytes,
    versions: Sequence[PathVersion],
    stands: Iterable[Stand],
    now: str | None,
    finder: PathVersions,
) -> list[Occurrence]:
    # One for each line and column, in the first commit that has it there.
    places: dict[object, Occurrence] = {}
    gone: dict[object, str] = {}
    for stand in stands:
        version = versions[stand.version]
        key = stand.position.line, stand.position.column
        if stand.gone is not None:
            gone[key] = versions[stand.gone].commit
        known = places.get(key)
        if known is None:
            places[key] = Occurrence(
                place=Place.BLOB,
                path=path,
                position=stand.position,
                blob=version.blob,
                commit=version.commit,
                reachable=finder.reachable(version),
                in_head=version.blob == now,
                line_in_head=True if version.blob == now else None,
            )
        elif version.blob == now:
            places[key] = replace(known, in_head=True, line_in_head=True)
    return [
        replace(place, removed_at=gone.get(key) if not place.in_head else None)
        for key, place in places.items()
    ]


def _signed(walk: ObjectWalk, found: Sequence[tuple[Match, list[Occurrence]]]) -> list[Located]:
    # `removed_at` holds the commit until its date is known.
    commits = {
        name for _, places in found for one in places for name in (one.commit, one.removed_at)
    }
    authors = walk.reader.authors(sorted(name for name in commits if name))
    signed = []
    for match, places in found:
        told = []
        for one in places:
            author, date = authors.get(one.commit or "", (None, None))
            _, removed = authors.get(one.removed_at or "", (None, None))
            told.append(replace(one, author=author, date=date, removed_at=removed))
        signed.append((match, tuple(told)))
    return signed
