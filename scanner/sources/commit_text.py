"""
A commit object's text, taken apart.

Format: https://git-scm.com/docs/user-manual#commit-object
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from scanner.model import Document, Identity, Place

_PERSON = re.compile(
    rb"^(?P<name>.*?) ?<(?P<email>[^>]*)>(?: (?P<time>-?\d+) (?P<zone>[+-]\d{4}))?"
)
_KNOWN = frozenset({b"tree", b"parent", b"author", b"committer"})
_LAST_SECOND = 253_402_300_799


@dataclass(frozen=True, slots=True)
class CommitText:
    """
    Who, when, and the texts of one commit.
    """

    author: Identity
    date: str
    """The author's date, ISO 8601 in UTC."""

    identities: bytes
    """The author and committer lines, as they stand."""

    headers: bytes
    """Every other header (encoding, signatures, merged tags, unknown ones)."""

    message: bytes

    def documents(self, commit: str) -> list[tuple[Document, bytes]]:
        """
        Return the texts to scan, each with its place.
        """
        texts = (
            (Place.COMMIT_MESSAGE, self.message),
            (Place.COMMIT_IDENTITY, self.identities),
            (Place.COMMIT_HEADER, self.headers),
        )
        return [(Document(place, None, commit), text) for place, text in texts if text]


def parse_commit(text: bytes) -> CommitText:
    """
    Return the parts of a commit; a damaged one gives what can be read.
    """
    head, _, message = text.partition(b"\n\n")
    people: list[bytes] = []
    others: list[bytes] = []
    kept = False
    for line in head.split(b"\n"):
        if line.startswith(b" "):
            if kept:
                others.append(line)
            continue
        name = line.partition(b" ")[0]
        kept = name not in _KNOWN
        if kept:
            others.append(line)
        elif name in (b"author", b"committer"):
            people.append(line)
    author = next((p[len(b"author ") :] for p in people if p.startswith(b"author ")), b"")
    identity, date = person(author)
    return CommitText(identity, date, b"\n".join(people), b"\n".join(others), message)


def tag_documents(tag: str, text: bytes) -> list[tuple[Document, bytes]]:
    """
    Return the texts of an annotated tag to scan, each with its place.
    """
    head, _, message = text.partition(b"\n\n")
    tagger = next((line for line in head.split(b"\n") if line.startswith(b"tagger ")), b"")
    texts = ((Place.TAG_MESSAGE, message), (Place.TAG_IDENTITY, tagger))
    return [(Document(place, None, tag), part) for place, part in texts if part]


def person(line: bytes) -> tuple[Identity, str]:
    """
    Return name, e-mail and date (ISO 8601 in UTC) of an author or tagger line.
    """
    found = _PERSON.match(line)
    if found is None:
        return Identity(line.decode("utf-8", "replace"), ""), iso_date(0)
    name, email = (found[part].decode("utf-8", "replace") for part in ("name", "email"))
    return Identity(name, email), iso_date(int(found["time"] or 0))


def iso_date(seconds: int) -> str:
    """
    Return a Unix time as `YYYY-MM-DDTHH:MM:SSZ`, one out of range as the nearest in it.
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(max(seconds, 0), _LAST_SECOND)))
