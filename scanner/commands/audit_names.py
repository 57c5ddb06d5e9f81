"""
What an audit judges by name once the trees have told the names: files whose kind
must be sealed, and keys that open what lies sealed beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from scanner.detect.sealed.detector import matches_by_name
from scanner.detect.sealed.registry import named
from scanner.detect.sealed.unlock import Candidate, Lock, lock_of, unlock
from scanner.model import Document, Limit, Match, Place
from scanner.sources.objects import ObjectWalk

# Whole file names, in any case: few enough not to be asked for at every tree.
NAMES = (
    rb"[^\x00]*vault[^\x00]*\.ya?ml",
    rb"[^\x00]*vault[-_.]?(?:pass|pw|key|secret)[^\x00]*",
    rb"[^\x00]*\.(?:vault|age|p12|pfx|jks|jceks|kdbx|tfvars)",
    rb"[^\x00]*\.tfstate[^\x00]*",
    rb"[._]netrc|\.?pgpass[^\x00]*|\.npmrc|\.pypirc|\.git-credentials|\.s3cfg|\.boto|\.dockercfg",
    rb"[^\x00]*kubeconfig[^\x00]*|master\.key|\.env(?:\.[^\x00]*)?|rclone\.conf|\.my\.cnf",
    rb"[^\x00]*(?:sops|secret)[^\x00]*\.(?:ya?ml|json|env)|credentials\.xml|key\.txt|keys\.txt",
)
_MAX_BLOBS = 5_000
_MAX_BYTES = 1 << 20
_MAX_TRIALS = 600
"""Each derives a key on purpose slowly; named files are tried before found secrets."""


def judge_names(
    walk: ObjectWalk,
    paths: Mapping[str, Sequence[bytes]],
    found: Iterable[Match],
    takes: Callable[[str], bool],
) -> tuple[list[Match], list[Limit]]:
    """
    Return the matches of files that are judged by name, and of keys proven on what
    lies sealed beside them; `paths` are those of the blobs named, and `found` holds the
    secrets that are tried as keys.
    """
    named_blobs = {blob: paths.get(blob) for blob in walk.named_blobs()}
    documents = {
        blob: Document(Place.BLOB, there[0], blob) for blob, there in named_blobs.items() if there
    }
    limits: list[Limit] = []
    wanted = list(documents)
    if len(wanted) > _MAX_BLOBS:
        limits.append(
            Limit(
                name="judged-by-name",
                reason=f"only {_MAX_BLOBS} of {len(wanted)} files were judged by their names",
            )
        )
    matches: list[Match] = []
    locks: list[Lock] = []
    candidates: list[Candidate] = []
    for blob, kind, data in walk.reader.read(wanted[:_MAX_BLOBS]):
        document = documents[blob]
        if kind != "blob" or len(data) > _MAX_BYTES:
            continue
        if named(document.path):
            matches += [m for m in matches_by_name(data, document) if takes(m.rule_id)]
        lock = lock_of(data, document)
        if lock is not None:
            locks.append(lock)
        else:
            candidates.append(Candidate(data, document))
    if locks:
        for match in found:
            if match.secret is not None and match.document.blob is not None:
                line = match.position.line if match.position else 1
                candidates.append(Candidate(match.secret.reveal(), match.document, line))
        proven = unlock(candidates, locks, trials=_MAX_TRIALS)
        matches += [m for m in proven.matches if takes(m.rule_id)]
        limits += proven.limits
    return matches, limits
