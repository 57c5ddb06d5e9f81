"""
The second pass: common provider words, looked for around hits of the first only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from scanner.detect.first_pass import FirstPass
from scanner.detect.generic_lines import surroundings
from scanner.detect.plan import Plan
from scanner.detect.texts import Source, View

_REMEMBERED = 20_000
_LONGEST_REMEMBERED = 1_000


class Surroundings:
    """
    One thread's second pass; made ready when first asked.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._pass: FirstPass | None = None
        # The next version of a file brings the same surroundings again.
        self._silent: set[bytes] = set()

    def hits(self, views: Sequence[View]) -> Iterator[tuple[Source, list[tuple[int, int]]]]:
        """
        Yield each document and the hits `(end, number of the group)` near its views' hits.
        """
        if self._pass is None:
            database = self._plan.late_database()
            if database is None:
                return
            self._pass = FirstPass([database])
        windows: list[tuple[Source, int, bytes]] = []
        for view in views:
            data, source = view.data, view.source
            for low, high in surroundings(view.hits, len(data)):
                text = data[low:high]
                if text not in self._silent:
                    windows.append((source, low, text))
        starts, offset = [], 0
        for _, _, text in windows:
            starts.append(offset)
            offset += len(text) + 1
        found: dict[int, list[tuple[int, int]]] = {}
        loud = set()
        for end, number in self._pass.hits(b"\n".join(text for _, _, text in windows)):
            index = bisect_left(starts, end) - 1
            loud.add(index)
            source, low, _ = windows[index]
            hit = low + end - starts[index], self._plan.targets[number][1]
            found.setdefault(id(source), []).append(hit)
        self._remember(text for index, (_, _, text) in enumerate(windows) if index not in loud)
        seen: set[int] = set()
        for source, _, _ in windows:
            if id(source) in found and id(source) not in seen:
                seen.add(id(source))
                yield source, found[id(source)]

    def _remember(self, texts: Iterator[bytes]) -> None:
        if len(self._silent) > _REMEMBERED:
            self._silent.clear()
        self._silent.update(text for text in texts if len(text) <= _LONGEST_REMEMBERED)
