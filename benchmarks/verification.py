"""
A thousand findings of fifty providers on the loopback, each of which answers after 50 ms.

    python -m benchmarks.verification --rounds 3

Told are the wall time of each round and the most requests that any provider got within
one second, which the transport's rate bounds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from bisect import bisect_left
from pathlib import Path

from scanner.model import Status
from scanner.verify.runner import Selection
from scanner.verify.transport import Limits, Options
from tests.verify.conftest import Anywhere, Notes
from tests.verify.provider import Authority, Provider
from tests.verify.test_runner import Thousand, runner


def round_of(authority: Authority) -> tuple[float, int, int]:
    """Return seconds, live ones, and the most requests to one host in a second."""
    provider = Provider(authority)
    try:
        run = Thousand(provider)
        transport = Anywhere(provider, Notes(), Options(ca_file=authority.ca_file, limits=Limits()))
        transport._sleep = time.sleep  # noqa: SLF001 # the tests' transport does not wait
        began = time.perf_counter()
        asked = runner().verify(run.findings, transport, Selection())
        took = time.perf_counter() - began
        transport.close()
        live = sum(f.verification.status is Status.ACTIVE for f in asked)
        return took, live, max(most_in_a_second(times) for times in run.arrivals().values())
    finally:
        provider.close()


def most_in_a_second(times: list[float]) -> int:
    """Return the most that came within one second."""
    return max(bisect_left(times, early + 1.0) - index for index, early in enumerate(times))


def main() -> None:
    """Measure, and print a line a round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        took = []
        for number in range(rounds):
            seconds, live, most = round_of(authority)
            took.append(seconds)
            print(f"{number + 1}: {seconds:.2f} s, {live} of 1000 live, at most {most} in a second")
    print(f"median {statistics.median(took):.2f} s; the rate is {Limits().rate:.0f} a second")


if __name__ == "__main__":
    main()
