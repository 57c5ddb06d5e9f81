"""
What an audit judges by name once the trees have told the names: files whose kind
must be sealed, and keys that open what lies sealed beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scanner.commands.keys import MAX_BYTES, KeyRing
from scanner.detect.sealed.detector import matches_by_name
from scanner.detect.sealed.registry import named
from scanner.model import Document, Limit, Match, Place
from scanner.sources.objects import ObjectWalk

_MAX_BLOBS = 5_000


def judge_names(
    walk: ObjectWalk,
    paths: Mapping[str, Sequence[bytes]],
    found: Iterable[Match],
    sealed: Iterable[str],
    ring: KeyRing,
) -> tuple[list[Match], list[Limit]]:
    """
    Return the matches of files that are judged by name, and of keys proven on what
    lies sealed; `paths` are those of the blobs named and of the `sealed` ones, and
    `found` holds the secrets that are tried as keys.
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
    for blob, kind, data in walk.reader.read(wanted[:_MAX_BLOBS]):
        document = documents[blob]
        if kind != "blob" or len(data) > MAX_BYTES:
            continue
        if named(document.path):
            matches += [m for m in matches_by_name(data, document) if ring.takes(m.rule_id)]
        ring.add(data, document)
    others = [blob for blob in sorted(sealed) if blob not in documents]
    for blob, kind, data in walk.reader.read(others[:_MAX_BLOBS]):
        if kind == "blob" and len(data) <= MAX_BYTES:
            path = next(iter(paths.get(blob, ())), None)
            ring.add(data, Document(Place.BLOB, path, blob), key=False)
    proven, bitten = ring.proven(m for m in found if m.document.blob is not None)
    return [*matches, *proven], [*limits, *bitten]
