"""
Keys that were committed or left beside what they open, tried within bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from scanner.detect.sealed.unlock import Candidate, Lock, lock_of, try_weak, unlock
from scanner.model import Document, Limit, Match

MAX_BYTES = 1 << 20
_MAX_TRIALS = 600
"""Each derives a key on purpose slowly; named files are tried before found secrets."""


@dataclass(slots=True)
class KeyRing:
    """
    Sealed texts, and what may open them.
    """

    takes: Callable[[str], bool]
    weak: bool = False
    """Try a dictionary of weak vault passwords too."""

    locks: list[Lock] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)

    def add(self, data: bytes, document: Document, *, key: bool = True) -> None:
        """
        Take a file in: as a lock if something in it is sealed, else, if it may be a `key`, as one.
        """
        lock = lock_of(data, document)
        if lock is not None:
            self.locks.append(lock)
        elif key:
            self.candidates.append(Candidate(data, document))

    def proven(self, found: Iterable[Match]) -> tuple[list[Match], list[Limit]]:
        """
        Return what was opened, by files or by the secrets in `found`, and the bounds that bit.
        """
        if not self.locks:
            return [], []
        for match in found:
            if match.secret is not None:
                line = match.position.line if match.position else 1
                self.candidates.append(Candidate(match.secret.reveal(), match.document, line))
        done = unlock(self.candidates, self.locks, trials=_MAX_TRIALS)
        if self.weak:
            more = try_weak(self.locks)
            done.matches += more.matches
            done.limits += more.limits
        return [m for m in done.matches if self.takes(m.rule_id)], done.limits
