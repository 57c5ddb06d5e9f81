"""
Joins the rooms: batches → matches (detect), matches → findings (triage).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from scanner.detect.engine import Engine
from scanner.detect.registry import Public, may_prove
from scanner.model import Confidence, Document, Finding, Limit, Match, Occurrence, Unread
from scanner.ruleset.schema import Rule
from scanner.sources.batch import Batch
from scanner.triage.collapse import Located, collapse
from scanner.triage.fingerprint import Fingerprints
from scanner.triage.suppression import Comments
from scanner.workers import CAN_FORK, Board, fork_each, run_each


@dataclass(slots=True)
class Detection:
    """
    What a pass over batches saw; grows while it runs, so that an interrupted one keeps what it has.
    """

    matches: list[Match] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    sealed: set[Document] = field(default_factory=set)
    """Documents in which something is sealed."""

    publics: dict[bytes, Public] = field(default_factory=dict)
    """Certificates and public keys."""

    interrupted: bool = False


Look = Callable[[Batch], Iterable[Match]]


def detect(
    engine: Engine, batches: Iterable[Batch], *, jobs: int = 1, also: Look | None = None
) -> Detection:
    """
    Scan batches that stay valid while others are read, with `jobs` threads; `also`
    is a second look at each, in the caller's thread.

    The order of matches is that of the batches.  Ctrl-C ends the pass early
    and is told in `interrupted`.
    """
    seen = Detection()
    if jobs == 1:
        scanner = engine.scanner()
        try:
            for batch in batches:
                seen.matches += scanner.scan(batch)
                if also is not None:
                    seen.matches += also(batch)
        except KeyboardInterrupt:
            seen.interrupted = True
        seen.unread += scanner.unread
        seen.limits += scanner.limits
        seen.sealed |= scanner.sealed
        seen.publics |= scanner.publics
        return seen
    return _detect_in_threads(engine, batches, jobs, seen, also)


def _detect_in_threads(
    engine: Engine, batches: Iterable[Batch], jobs: int, seen: Detection, also: Look | None
) -> Detection:
    # The first pass lets go of the interpreter's lock; a short queue bounds memory.
    work: queue.Queue[tuple[int, Batch] | None] = queue.Queue(maxsize=jobs)
    found: dict[int, list[Match]] = {}
    failures: list[BaseException] = []
    scanners = [engine.scanner() for _ in range(jobs)]

    def worker(number: int) -> None:
        while (item := work.get()) is not None:
            try:
                found[item[0]] = scanners[number].scan(item[1])
            except BaseException as error:  # noqa: BLE001 # raised again in the caller's thread
                failures.append(error)

    threads = [
        threading.Thread(target=worker, args=(number,), daemon=True) for number in range(jobs)
    ]
    for thread in threads:
        thread.start()
    try:
        for numbered in enumerate(batches):
            work.put(numbered)
            if also is not None:
                seen.matches += also(numbered[1])
            if failures:
                break
    except KeyboardInterrupt:
        seen.interrupted = True
    finally:
        for _ in threads:
            work.put(None)
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    for number in sorted(found):
        seen.matches += found[number]
    for scanner in scanners:
        seen.unread += scanner.unread
        seen.limits += scanner.limits
        seen.sealed |= scanner.sealed
        seen.publics |= scanner.publics
    return seen


class Stream(Protocol):
    """
    Batches that may be read in another process: what was learnt on the way is brought back.
    """

    part: Any
    """What was learnt so far."""

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches; each is done with before the next is asked for."""
        ...

    def heard(self, found: Sequence[Match]) -> None:
        """Be told what was found in the last batch."""
        ...

    def learn(self, part: Any) -> None:
        """Take over the `part` of this stream as read in another process."""
        ...

    def give_up(self, reason: str) -> None:
        """Say that what another process read is lost."""
        ...


def detect_streams(
    engine: Engine,
    streams: Sequence[Stream],
    seen: Detection,
    *,
    step: Callable[[int], None] | None = None,
) -> None:
    """
    Scan streams side by side into `seen`: a process each where the system can fork,
    a thread each where it cannot.

    A batch is done with before its stream is asked for the next, so streams may
    reuse their buffers.  `step` is told the bytes of each batch.
    """
    board = Board(len(streams))
    tasks = [partial(_scan_stream, engine, streams, n, board) for n in range(len(streams))]
    forked = CAN_FORK and len(streams) > 1
    engine.prepare()
    told = 0

    def watch() -> None:
        nonlocal told
        if step is not None and (now := board.total()) > told:
            step(now - told)
            told = now

    run = fork_each if forked else run_each
    lost: list[tuple[Stream, str]] = []
    for stream, outcome in zip(streams, run(tasks, board, watch), strict=True):
        if outcome.value is None:
            lost.append((stream, outcome.lost or ""))
            continue
        scanned = outcome.value
        seen.matches += scanned.matches
        seen.unread += scanned.unread
        seen.limits += scanned.limits
        seen.sealed |= scanned.sealed
        seen.publics |= scanned.publics
        if forked:
            stream.learn(scanned.part)
    for stream, reason in lost:
        stream.give_up(reason)
    seen.interrupted = seen.interrupted or board.stopped


@dataclass(slots=True)
class _Scanned:
    matches: list[Match]
    unread: list[Unread]
    limits: list[Limit]
    sealed: set[Document]
    publics: dict[bytes, Public]
    part: Any


def _scan_stream(engine: Engine, streams: Sequence[Stream], number: int, board: Board) -> _Scanned:
    scanner, stream = engine.scanner(), streams[number]
    matches: list[Match] = []
    for batch in stream:
        found = scanner.scan(batch)
        stream.heard(found)
        matches += found
        if len(batch.ends):
            board.add(number, batch.ends[-1] - batch.starts[0])
        if board.stopped:
            break
    return _Scanned(
        matches, scanner.unread, scanner.limits, scanner.sealed, scanner.publics, stream.part
    )


def where_it_stands(match: Match) -> Occurrence:
    """
    Return the one occurrence of a match whose document's path is known.
    """
    document = match.document
    return Occurrence(
        place=document.place,
        path=document.path,
        inner_path=document.inner_path,
        decoded=document.decoded,
        position=match.position,
        blob=document.blob,
    )


def judge(
    located: Iterable[Located],
    rule_of: Callable[[str], Rule],
    fingerprints: Fingerprints,
    *,
    comments: Comments,
    minimum: Confidence,
    paths_known: bool,
    seen: Detection | None = None,
) -> tuple[list[Finding], list[str]]:
    """
    Return findings and notices.  Where paths came after detection, scores are
    taken again with them.  What findings prove about each other counts; bounds of that
    that bit are added to `seen`.
    """
    pairs = list(located)
    if any(may_prove(match.rule_id) for match, _ in pairs):
        from scanner.detect.proof import prove  # noqa: PLC0415 # the hook seldom needs it

        pairs, limits = prove(pairs, {} if seen is None else seen.publics)
        if seen is not None:
            seen.limits += limits
    return collapse(
        pairs,
        rule_of,
        fingerprints,
        comments=comments,
        minimum=minimum,
        rescore=None if paths_known else _rescorer(pairs),
    )


def _rescorer(located: Sequence[Located]) -> Callable[[Match, Occurrence], float]:
    """
    Score everything again with its paths, in one go.
    """
    from scanner.detect.score import score_rows  # noqa: PLC0415 # only audits come here

    asked: dict[tuple[tuple[float, ...], bytes], float] = {
        (match.features, occurrence.path): 0.0
        for match, occurrences in located
        if match.features is not None
        for occurrence in occurrences
        if occurrence.path is not None
    }
    scores = score_rows([row for row, _ in asked], [path for _, path in asked])
    asked.update(zip(asked, scores, strict=True))

    def rescore(match: Match, occurrence: Occurrence) -> float:
        if match.features is None or occurrence.path is None:
            return match.score
        return asked[match.features, occurrence.path]

    return rescore
