"""
Work in processes of our own making, side by side, where the system can fork.

Python's share of a scan is bound to one core by the interpreter's lock; a forked
process has a lock of its own, and finds everything its parent had ready.  What it
learnt comes back through a pipe that nobody else can open, so a secret stays
within the program.
"""

from __future__ import annotations

import gc
import io
import mmap
import os
import pickle
import select
import signal
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import IO, Any, Generic, TypeVar

from scanner.secret import Secret

T = TypeVar("T")
_CELL = struct.Struct("<Q")
_POLL_S = 0.1
_CHUNK = 1 << 20

CAN_FORK = hasattr(os, "fork") and sys.platform.startswith("linux")
"""Elsewhere a fork may break libraries of the system, and threads have to do."""


class Board:
    """
    Memory that workers share with their parent: a count for each, and whether to stop.
    """

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, _CELL.size * (workers + 1))

    def add(self, worker: int, amount: int) -> None:
        """
        Count what a worker has done; each has a cell of its own.
        """
        place = _CELL.size * worker
        (before,) = _CELL.unpack_from(self._memory, place)
        _CELL.pack_into(self._memory, place, before + amount)

    def total(self) -> int:
        """
        Return what all have done so far.
        """
        cells = len(self._memory) // _CELL.size - 1
        return sum(
            int(_CELL.unpack_from(self._memory, _CELL.size * cell)[0]) for cell in range(cells)
        )

    def stop(self) -> None:
        """
        Ask every worker to end with what it has.
        """
        _CELL.pack_into(self._memory, len(self._memory) - _CELL.size, 1)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked for the end."""
        return bool(_CELL.unpack_from(self._memory, len(self._memory) - _CELL.size)[0])


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """
    What became of one task.
    """

    value: T | None
    lost: str | None = None
    """Why there is no value: how its process ended."""


class _Pickler(pickle.Pickler):
    """
    Lets secrets through to the parent, which anywhere else refuse to be written.
    """

    def reducer_override(self, obj: object) -> Any:
        """See `pickle.Pickler`."""
        if type(obj) is Secret:
            return Secret, (obj.reveal(),)
        names = _attributes(type(obj))
        if names is not None:
            return _made, (type(obj), *(getattr(obj, name) for name in names))
        return NotImplemented


def _attributes(kind: type) -> tuple[str, ...] | None:
    """
    Return the attributes of a frozen class of data, `None` for any other class.

    The library asks for them anew for each object that it writes or reads: of a large scan's
    matches that is seconds, in the one process that all others wait for.
    """
    if kind not in _ATTRIBUTES:
        getstate = getattr(kind, "__getstate__", None)
        usual = getattr(getstate, "__name__", "") == "_dataclass_getstate"
        names = tuple(one.name for one in fields(kind)) if usual and is_dataclass(kind) else None
        _ATTRIBUTES[kind] = names
    return _ATTRIBUTES[kind]


_ATTRIBUTES: dict[type, tuple[str, ...] | None] = {}


def _made(kind: type[T], *values: object) -> T:
    made = object.__new__(kind)
    for name, value in zip(_attributes(kind) or (), values, strict=True):
        object.__setattr__(made, name, value)
    return made


def fork_each(
    tasks: Sequence[Callable[[], T]], board: Board, watch: Callable[[], None] | None = None
) -> list[Outcome[T]]:
    """
    Run each task in a process of its own; return what they return, in their order.

    `watch` is called several times a second meanwhile.  An exception of a task is raised here
    once all have ended.  Ctrl-C stops the board, and comes through as
    `KeyboardInterrupt` only if it is pressed again.
    """
    pipes: list[tuple[int, IO[bytes]]] = []
    for task in tasks:
        pipes.append(_start(task, pipes))
    texts = _collect([pipe for _, pipe in pipes], board, watch)
    outcomes: list[Outcome[T]] = []
    errors: list[BaseException] = []
    for (child, _), text in zip(pipes, texts, strict=True):
        _, status = os.waitpid(child, 0)
        if not text or status != 0:
            outcomes.append(Outcome(None, _ending(status)))
            continue
        # Written by our own child into a pipe that only we hold.
        done, value = pickle.loads(text)  # noqa: S301
        if done:
            outcomes.append(Outcome(value))
        else:
            errors.append(value)
    if errors:
        raise errors[0]
    return outcomes


def run_each(
    tasks: Sequence[Callable[[], T]], board: Board, watch: Callable[[], None] | None = None
) -> list[Outcome[T]]:
    """
    Do the same in threads of this process.
    """
    outcomes: list[Outcome[T]] = [Outcome(None) for _ in tasks]
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            outcomes[number] = Outcome(tasks[number]())
        except BaseException as error:  # noqa: BLE001 # raised again in the caller's thread
            errors.append(error)
            board.stop()

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(len(tasks))]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        try:
            for thread in threads:
                thread.join(_POLL_S)
            if watch is not None:
                watch()
        except KeyboardInterrupt:
            board.stop()
    if errors:
        raise errors[0]
    return outcomes


class Aside(Generic[T]):
    """
    One task that a process of its own does while we go on, if `worth` it and the system can fork.
    """

    def __init__(self, task: Callable[[], T], *, worth: bool) -> None:
        self._task = task
        self._running = _start(task, []) if worth and CAN_FORK else None

    def result(self) -> T:
        """
        Return what the task returns, or raise what it raises; call it once.

        A process that died is made up for here.
        """
        if self._running is None:
            return self._task()
        child, pipe = self._running
        with pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        if not text or status != 0:
            return self._task()
        done, value = pickle.loads(text)  # noqa: S301 # written by our own child
        if done:
            result: T = value
            return result
        raise value


def settle() -> None:
    """
    Take all that there is for no garbage, and look for some among the rest but seldom.

    Of millions of matches and places next to nothing ever is.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _start(task: Callable[[], T], others: Sequence[tuple[int, IO[bytes]]]) -> tuple[int, IO[bytes]]:
    inner, outer = os.pipe()
    with warnings.catch_warnings():
        # Numerical libraries keep idle threads, which a fork leaves behind on purpose.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        os.close(outer)
        return child, os.fdopen(inner, "rb", buffering=0)
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        settle()
        os.close(inner)
        for _, pipe in others:
            pipe.close()
        with os.fdopen(outer, "wb") as file:
            file.write(_result(task))
        code = 0
    finally:
        # Nothing of the parent's is tidied up here: neither its folders nor its threads.
        os._exit(code)


def _result(task: Callable[[], T]) -> bytes:
    result: tuple[bool, object]
    try:
        result = True, task()
    except BaseException as error:  # noqa: BLE001 # raised again in the parent
        result = False, error
    stream = io.BytesIO()
    try:
        _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(result)
    except (TypeError, AttributeError, pickle.PicklingError):
        stream = io.BytesIO()
        told = RuntimeError(f"a worker could not say what it learnt: {type(result[1]).__name__}")
        _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump((False, told))
    return stream.getvalue()


def _collect(
    pipes: Sequence[IO[bytes]], board: Board, watch: Callable[[], None] | None
) -> list[bytes]:
    texts: dict[IO[bytes], list[bytes]] = {pipe: [] for pipe in pipes}
    open_ = list(pipes)
    while open_:
        try:
            ready, _, _ = select.select(open_, [], [], _POLL_S)
            for pipe in ready:
                chunk = pipe.read(_CHUNK)
                if chunk:
                    texts[pipe].append(chunk)
                else:
                    open_.remove(pipe)
                    pipe.close()
            if watch is not None:
                watch()
        except KeyboardInterrupt:
            if board.stopped:
                raise
            board.stop()
    return [b"".join(texts[pipe]) for pipe in pipes]


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"its process was killed by signal {os.WTERMSIG(status)}"
    return f"its process ended with code {os.waitstatus_to_exitcode(status)}"
