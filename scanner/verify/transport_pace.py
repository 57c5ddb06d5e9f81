"""
How fast and how much: a rate for each host, one budget for the run, and an end to
asking a host that does not answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """
    A token bucket: `burst` at once, then `rate` a second.

    Each taker is told its own moment, so that waiting needs no lock.
    """

    def __init__(
        self, rate: float, *, burst: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a rate and a burst are positive")
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def delay(self) -> float:
        """
        Take one turn, and return the seconds to wait before using it.
        """
        with self._lock:
            now = self._clock()
            turn = max(self._next, now - self._slack)
            self._next = turn + self._interval
            return max(0.0, turn - now)

    def hold(self, seconds: float) -> None:
        """
        Give no turn for a while: the host asked for it.
        """
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


class Budget:
    """
    The most requests a run may send; retries count.
    """

    def __init__(self, most: int | None) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self) -> bool:
        """
        Count one request; false if none is left.
        """
        with self._lock:
            if self._left is None:
                return True
            if self._left <= 0:
                return False
            self._left -= 1
            return True


class Host:
    """
    What one host bears: its pace, its requests in flight, its silence.
    """

    def __init__(self, rate: float, *, burst: int, at_once: int, patience: int) -> None:
        self.pace = Pace(rate, burst=burst)
        self.slots = threading.BoundedSemaphore(at_once)
        self._patience = patience
        self._failures = 0

    @property
    def is_silent(self) -> bool:
        """Whether it failed so often in a row that asking on is pointless."""
        return self._failures >= self._patience

    def answered(self) -> None:
        """
        Note that it does answer.
        """
        self._failures = 0

    def failed(self) -> None:
        """
        Note a request without an answer.
        """
        self._failures += 1
