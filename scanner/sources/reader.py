"""
Reads the few objects that something was found in, by name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO

from scanner.errors import SourceError
from scanner.history import TreeEntry
from scanner.model import Identity
from scanner.sources.commit_text import parse_commit, person
from scanner.sources.git import ObjectAccess

_BUFFER = 1 << 20


class ObjectReader:
    """
    See `scanner.history.ObjectReader`.
    """

    def __init__(self, access: ObjectAccess, id_size: int) -> None:
        self._access = access
        self._id_size = id_size

    def read(self, ids: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
        """
        Yield id, kind and content of each object; what cannot be read is left out.
        """
        waiting = list(dict.fromkeys(ids))
        while waiting:
            served = 0
            for item in self._stream(waiting):
                served += 1
                if item is not None:
                    yield item
            # Where it ended early, git died of the object after the last.
            waiting = waiting[served + 1 :]

    def _stream(self, names: list[str]) -> Iterator[tuple[str, str, bytes] | None]:
        with tempfile.TemporaryFile() as file:
            file.write("".join(f"{name}\n" for name in names).encode())
            file.seek(0)
            process = self._access.stream("cat-file", "--batch", "--buffer", stdin=file)
            try:
                if process.stdout is not None:
                    with open(process.stdout.fileno(), "rb", _BUFFER, closefd=False) as output:
                        yield from _objects(output)
            finally:
                if process.stdout is not None:
                    process.stdout.close()
                process.kill()
                process.wait()

    def contents(self, trees: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """
        See `scanner.history.ObjectReader`.
        """
        for name, kind, content in self.read(trees):
            if kind == "tree":
                yield name, content

    def entries(self, trees: Iterable[str]) -> Iterator[tuple[str, list[TreeEntry]]]:
        """
        See `scanner.history.ObjectReader`.
        """
        for name, content in self.contents(trees):
            yield name, list(tree_entries(content, self._id_size))

    def authors(self, ids: Iterable[str]) -> Mapping[str, tuple[Identity, str]]:
        """
        See `scanner.history.ObjectReader`.
        """
        found: dict[str, tuple[Identity, str]] = {}
        for name, kind, content in self.read(ids):
            if kind == "commit":
                parts = parse_commit(content)
                found[name] = parts.author, parts.date
            elif kind == "tag":
                header = content.partition(b"\n\n")[0]
                for line in header.split(b"\n"):
                    if line.startswith(b"tagger "):
                        found[name] = person(line[7:])
        return found

    def paths(self, tree_ish: str) -> Mapping[bytes, str]:
        """
        See `scanner.history.ObjectReader`.
        """
        try:
            output = self._access.run("ls-tree", "-r", "-z", "--full-tree", tree_ish)
        except SourceError:
            return {}
        found: dict[bytes, str] = {}
        for line in output.split(b"\0"):
            meta, tab, path = line.partition(b"\t")
            if tab:
                found[path] = meta.rpartition(b" ")[2].decode()
        return found


def tree_entries(content: bytes, id_size: int) -> Iterator[TreeEntry]:
    """
    Yield the entries of one tree; a damaged one ends early.
    """
    position = 0
    while position < len(content):
        space = content.find(b" ", position)
        nul = content.find(b"\0", space)
        if space < 0 or nul < 0:
            return
        child = content[nul + 1 : nul + 1 + id_size]
        yield TreeEntry(content[position:space], content[space + 1 : nul], child.hex(), space + 1)
        position = nul + 1 + id_size


def _objects(output: IO[bytes]) -> Iterator[tuple[str, str, bytes] | None]:
    """
    Yield each object, `None` for one that is missing; end where git does.
    """
    while line := output.readline():
        fields = line.split()
        if len(fields) != 3 or not fields[2].isdigit():
            yield None
            continue
        size = int(fields[2])
        content = output.read(size)
        if len(content) < size or not output.read(1):
            return
        yield fields[0].decode(), fields[1].decode(), content
