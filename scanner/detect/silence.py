"""
The hook's second glance: all that hits is something named like a credential, and nothing that is
given to such a name is likely one.

It asks what the engine would ask, of no fewer values, and without an import of the engine: that
and what it needs took a quarter of the hook's time over ordinary code.
"""

from __future__ import annotations

import marshal
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scanner.detect.databases import LIKELY, NAMED_TAGS, Databases, Reader
from scanner.detect.features import content_features
from scanner.detect.features_value import is_ordinary
from scanner.detect.features_words import path_features
from scanner.detect.first_pass import FirstPass, Hits
from scanner.detect.generic_forms import values_on
from scanner.detect.generic_lines import surroundings, windows
from scanner.detect.score_tables import load
from scanner.markers import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

_function: Any = type(lambda: None)


def silent(
    parts: Reader, databases: Databases, documents: Sequence[tuple[bytes, bytes]], hits: Hits
) -> bool:
    """
    Tell whether the `hits` in these texts (each with its path, one after the other with a byte
    between) are all on behalf of `detect.generic`, and come to nothing that may be reported.
    """
    tags: dict[int, int] = marshal.loads(parts.read(NAMED_TAGS))  # noqa: S302 # from a cache with a keyed code
    if not all(number in tags for _, number in hits):
        return False
    named = _by_document(documents, hits, tags)
    near = [
        text[low:high]
        for text, _, own in named
        for low, high in surroundings(own, len(text))
    ]  # fmt: skip
    late = databases.late()
    if late is not None and FirstPass([late]).hits(b"\n".join(near)):
        return False
    return not any(OWN in text for text, _, _ in named) and not _likely(parts, named)


_Named = tuple[bytes, bytes, list[tuple[int, int]]]


def _by_document(
    documents: Sequence[tuple[bytes, bytes]], hits: Hits, tags: dict[int, int]
) -> list[_Named]:
    starts, offset = [], 0
    for text, _ in documents:
        starts.append(offset)
        offset += len(text) + 1
    found: dict[int, _Named] = {}
    for end, number in hits:
        # A hit lies in the last document that starts before its end.
        index = bisect_left(starts, end) - 1
        text, path = documents[index]
        own = found.setdefault(index, (text, path, []))[2]
        own.append((min(end - starts[index], len(text)), tags[number]))
    return list(found.values())


def _likely(parts: Reader, named: Sequence[_Named]) -> bool:
    """
    Tell whether the score of any value may be one that is reported.
    """
    tables = load().tables
    likely: Callable[[Sequence[float]], bool] | None = None
    seen: set[tuple[bytes, bytes]] = set()
    for text, path, own in named:
        for start, end in windows(text, own):
            line = text[start:end]
            if (line, path) in seen:
                continue
            seen.add((line, path))
            for candidate in values_on(line):
                if is_ordinary(candidate.value, tables):
                    continue
                if likely is None:
                    likely = _function(marshal.loads(parts.read(LIKELY)), {})  # noqa: S302 # ditto
                if likely((*content_features(candidate, tables), *path_features(path))):
                    return True
    return False
