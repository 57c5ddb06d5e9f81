"""
How fast and how much: a rate for each host, one budget for the run, and an end to
asking a host that does not answer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class Pace:
    """
    Evenly spaced turns, `burst` at once at most, and never more than the rate allows in
    any stretch of time at the server itself.

    When a request arrives is known only to lie between its turn and its answer.  So one
    counts from its turn until a whole second after its answer, however late either came.
    """

    def __init__(
        self, rate: float, *, burst: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a rate and a burst are positive")
        self.most = max(1, int(rate))
        """How many may arrive within one stretch: a second, or longer for a low rate."""

        self._stretch = self.most / rate
        self._interval = 1.0 / rate
        self._slack = (burst - 1) * self._interval
        self._clock = clock
        self._next = 0.0
        self._asked = 0
        self._answered: deque[float] = deque()
        self._lock = threading.Lock()

    def delay(self) -> float:
        """
        Take a turn and return 0, or return the seconds after which to try again.
        """
        with self._lock:
            now = self._clock()
            while self._answered and self._answered[0] + self._stretch <= now:
                self._answered.popleft()
            wait = max(0.0, self._next - now)
            if self._asked + len(self._answered) >= self.most:
                oldest = self._answered[0] if self._answered else now
                wait = max(wait, oldest + self._stretch - now)
            if wait > 0:
                return wait
            self._next = max(self._next, now - self._slack) + self._interval
            self._asked += 1
            return 0.0

    def done(self) -> None:
        """
        Say that a turn was used: there is an answer, or none will come.
        """
        with self._lock:
            self._asked -= 1
            self._answered.append(self._clock())

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

    def __init__(self, pace: Pace, *, at_once: int, patience: int) -> None:
        self.pace = pace
        # One that waits for its turn has a slot too, so the others that are under way
        # are always fewer than may arrive: there is a moment to wait for.
        self.slots = threading.BoundedSemaphore(min(at_once, pace.most))
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
