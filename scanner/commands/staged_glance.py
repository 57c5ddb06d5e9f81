"""
The hook's usual case, told at a glance: nothing staged comes near anything we look for.

Most commits hold no credential.  To say so takes two processes of git and the
first pass; only where something hits is the engine imported, and only where the
engine finds something (or something is out of the ordinary) does the command
proper run, from the beginning.  What is looked at here is a superset of what it
would look at, so that clean here is clean there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import hyperscan

from scanner import expressions
from scanner.detect.cache import DamagedError, Parts, open_parts
from scanner.detect.cache_file import cache_file
from scanner.detect.cache_note import Note
from scanner.detect.databases import EXPRESSIONS, Databases
from scanner.detect.first_pass import FirstPass, Hits
from scanner.file_names import BASELINE_FILE, rough
from scanner.ruleset.shipped import shipped_path
from scanner.sources.staged_texts import SYMLINK, Staged, glance

_ATTRIBUTES = b".gitattributes"


def clean(top: str) -> str | None:
    """
    Return what to say of a repository with nothing to find in its index; `None`: look properly.
    """
    started = time.monotonic()
    if os.path.lexists(os.path.join(top, BASELINE_FILE)):
        return None
    running = glance(top)
    if running is None:
        return None
    try:
        parts = _parts()
        if parts is None:
            return None
        expressions.provide(parts.read(EXPRESSIONS))
        databases = Databases(parts)
        look = FirstPass(databases.early())
        staged = running.result()
        if staged is None or not _plain(staged):
            return None
        paths = [change.path for change in staged.changes]
        named = [index for index, path in enumerate(paths) if rough(path)]
        hits = look.hits(b"\n".join([*staged.texts, *paths]))
        if (hits or named) and not _silent(parts, databases, staged, named, hits):
            return None
        parts.remember()
    except (DamagedError, OSError, ValueError, hyperscan.error):
        return None
    finally:
        running.close()
    count = len(staged.changes)
    return f"unsealed: nothing found in {count} texts, {time.monotonic() - started:.2f} s"


def _parts() -> Parts | None:
    file = cache_file([shipped_path()])
    return None if file is None else open_parts(file.path, file.key, file.purpose, Note(file))


def _silent(
    parts: Parts, databases: Databases, staged: Staged, named: Sequence[int], hits: Hits
) -> bool:
    """
    Tell whether there is nothing in what is staged that a report would tell: by a second glance
    or by the engine, and by the names of those files whose names say that they may have to be
    sealed.
    """
    if not named:
        from scanner.detect.silence import silent

        paths = [change.path for change in staged.changes]
        texts = [*zip(staged.texts, paths, strict=True), *zip(paths, paths, strict=True)]
        if silent(parts, databases, texts, hits):
            return True
    from scanner.detect.engine import Engine
    from scanner.detect.plan import Plan
    from scanner.model import MEDIUM_FROM, Document, Place
    from scanner.sources.batch import ListBatch

    places = {SYMLINK: Place.SYMLINK}
    documents = [
        Document(places.get(change.mode, Place.INDEX), change.path, change.blob.decode())
        for change in staged.changes
    ]
    if named:
        from scanner.detect.sealed.detector import matches_by_name

        if any(matches_by_name(staged.texts[index], documents[index]) for index in named):
            return False
    names = [(Document(Place.PATH, change.path), change.path) for change in staged.changes]
    scanner = Engine(Plan(parts, databases)).scanner()
    batches = (ListBatch(list(zip(documents, staged.texts, strict=True))), ListBatch(names))
    found = [match for batch in batches for match in scanner.scan(batch)]
    if scanner.limits or scanner.unread:
        return False
    return all(match.score < MEDIUM_FROM and match.allow is None for match in found)


def _plain(staged: Staged) -> bool:
    """
    Tell whether no policy asks for anything.
    """
    # Attributes are a policy only where they name a filter.
    return all(
        name.endswith(_ATTRIBUTES) and b"filter" not in text
        for name, text in staged.policy_files.items()
    )
