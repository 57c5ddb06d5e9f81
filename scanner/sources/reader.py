"""
Reads the few objects that something was found in, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from scanner.errors import SourceError
from scanner.history import TreeEntry
from scanner.model import Identity
from scanner.sources.commit_text import parse_commit, person
from scanner.sources.git import ObjectAccess

_AT_ONCE = 64


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
        waiting = iter(dict.fromkeys(ids))
        while some := list(islice(waiting, _AT_ONCE)):
            lines = "".join(f"{name}\n" for name in some).encode()
            output = self._access.attempt("cat-file", "--batch", stdin=lines)
            yield from _objects(output)

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


def _objects(output: bytes) -> Iterator[tuple[str, str, bytes]]:
    position = 0
    while position < len(output):
        newline = output.find(b"\n", position)
        fields = output[position:newline].split(b" ")
        position = newline + 1
        if newline < 0:
            return
        if len(fields) != 3 or not fields[2].isdigit():
            continue
        size = int(fields[2])
        content = output[position : position + size]
        if len(content) == size:
            yield fields[0].decode(), fields[1].decode(), content
        position += size + 1
