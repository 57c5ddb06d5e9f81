"""
Values that belong to a secret and stand near it: the id of a key, the host of a token.

They are looked for around a match that is settled, never in the first pass, so a text
without findings pays nothing for them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scanner.detect import kubeconfig, server
from scanner.detect.companion_names import (
    NamedValue,
    Wanted,
    between_blocks,
    is_nothing,
    named_values,
    rank_of,
    squeezed,
    words_of,
)
from scanner.detect.patterns import compiled
from scanner.model import Companion
from scanner.ruleset.companion_kinds import KUBECONFIG, SERVER, spelled_out
from scanner.ruleset.schema import CompanionSpec, Rule
from scanner.secret import Secret

_TIMEOUT_S = 0.5
_MEMO_ENTRIES = 4_096
_MOST_VALUES = 4
_EDGE = 320
"""So much more is looked at, lest a value at the edge be cut."""

_BEHIND = 64
"""How far a pattern looks behind itself."""


class _Spec(NamedTuple):
    spec: CompanionSpec
    pattern: Any
    """For the text around the secret; `None` where a name says where the value is."""

    wanted: Wanted | None


class Companions:
    """
    What one rule wants beside its secret.
    """

    __slots__ = ("_by_pattern", "_memo", "_provider", "_specs", "reach")

    def __init__(self, rule: Rule, *, required_only: bool = False) -> None:
        words = () if rule.keyed is None else rule.keyed.words
        self._provider = frozenset(words_of(word) for word in (rule.provider, *words))
        self._specs = [
            _spec(plain)
            for spec in rule.companions
            if spec.required or not required_only
            for plain in spelled_out(spec)
        ]
        self.reach = max((one.spec.within + _EDGE for one in self._specs), default=0)
        self._memo: dict[tuple[bytes, int, int], tuple[Companion, ...] | None] = {}
        # Of several specs each has its own reach: what is farther away than the least of them
        # must not make all be looked for again.
        self._by_pattern: dict[tuple[Any, bytes, int, int, int], list[bytes]] = {}

    def near(self, data: bytes, start: int, end: int) -> tuple[Companion, ...] | None:
        """
        Return what stands near `data[start:end]`; `None` if something required does not.

        The same text around a secret (the next version of a file) is looked at once.
        Raise `TimeoutError` if a pattern runs away.
        """
        if not self._specs:
            return ()
        low = max(0, start - self.reach)
        around = data[low : end + self.reach]
        key = (around, start - low, end - low)
        if key not in self._memo:
            if len(self._memo) >= _MEMO_ENTRIES:
                self._memo.clear()
            self._memo[key] = self._near(*key)
        return self._memo[key]

    def _near(self, data: bytes, start: int, end: int) -> tuple[Companion, ...] | None:
        found: dict[str, list[Companion]] = {}
        values: list[NamedValue] | None = None
        config: dict[str, bytes] | None = None
        plain: bytes | None = None
        for spec, pattern, wanted in self._specs:
            if spec.name in found:
                continue
            if spec.kind == KUBECONFIG:
                if config is None:
                    config = kubeconfig.beside(data, start, end)
                chosen = [config[spec.name]] if spec.name in config else []
            elif spec.kind == SERVER:
                told = server.beside(data, start, end)
                chosen = [] if told is None else [told]
            elif wanted is None:
                near = self._patterned(pattern, data, (start, end), spec.within)
                chosen = near[: _MOST_VALUES if spec.every else 1]
            else:
                if plain is None:
                    plain = squeezed(data)
                if not wanted.may_stand_in(plain):
                    continue
                if values is None:
                    values = list(named_values(data, start))
                chosen = self._by_name(spec, wanted, values, data, (start, end))
            if chosen:
                found[spec.name] = [Companion(spec.name, Secret(value)) for value in chosen]
        if any(spec.required and spec.name not in found for spec, _, _ in self._specs):
            return None
        return tuple(companion for group in found.values() for companion in group)

    def _patterned(
        self, pattern: Any, data: bytes, secret: tuple[int, int], within: int
    ) -> list[bytes]:
        low = max(0, secret[0] - within - _EDGE - _BEHIND)
        around = data[low : secret[1] + within + _EDGE]
        key = (pattern, around, secret[0] - low, secret[1] - low, within)
        known = self._by_pattern.get(key)
        if known is None:
            if len(self._by_pattern) >= _MEMO_ENTRIES:
                self._by_pattern.clear()
            known = _by_pattern(pattern, around, key[2:4], within)
            self._by_pattern[key] = known
        return known

    def _by_name(
        self,
        spec: CompanionSpec,
        wanted: Wanted,
        values: list[NamedValue],
        data: bytes,
        secret: tuple[int, int],
    ) -> list[bytes]:
        start, end = secret
        own = next((v.words for v in values if v.start <= start and end <= v.end), ())
        named = any(word in b"".join(own) for word in self._provider)
        best: tuple[tuple[int, ...], bytes] | None = None
        for value in values:
            if not wanted.may_be(value):
                continue
            gap = (value.end, start) if value.end <= start else (end, value.start)
            distance = gap[1] - gap[0]
            if not 0 <= distance <= spec.within:
                continue
            rank = rank_of(value.words, wanted, self._provider, own)
            if rank is None or is_nothing(value, wanted):
                continue
            text = wanted.fitting(value.text)
            if text is None or text == data[start:end]:
                continue
            far = between_blocks(data[slice(*gap)])
            if spec.own and rank[0] and (named or far):
                continue
            full = (rank[0], int(far), rank[1], distance)
            if best is None or full < best[0]:
                best = full, text
        return [] if best is None else [best[1]]


def _spec(spec: CompanionSpec) -> _Spec:
    if spec.kind in (KUBECONFIG, SERVER):
        return _Spec(spec, None, None)
    if spec.pattern is not None:
        return _Spec(spec, compiled(spec.pattern), None)
    return _Spec(spec, None, Wanted.of(spec.names, spec.value))


def _by_pattern(pattern: Any, data: bytes, secret: tuple[int, int], within: int) -> list[bytes]:
    """
    Return the distinct values that stand near enough, the nearest first.
    """
    nearest: dict[bytes, int] = {}
    low, high = max(0, secret[0] - within - _EDGE), secret[1] + within + _EDGE
    for match in pattern.finditer(data, low, high, timeout=_TIMEOUT_S):
        first, last = match.span("value")
        distance = max(secret[0] - last, first - secret[1])
        if 0 <= distance <= within:
            value = match["value"]
            nearest[value] = min(distance, nearest.get(value, distance))
    return sorted(nearest, key=nearest.__getitem__)
