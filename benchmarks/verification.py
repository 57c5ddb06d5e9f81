"""
A thousand findings of fifty providers on the loopback, each of which answers after 50 ms.

    python benchmarks/verification.py --rounds 3

Told are the time of each round, on the wall and of the processor, and the most requests
that any provider got within one second, which the transport's rate bounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scanner.model import Status
from scanner.verify.runner import Selection
from scanner.verify.transport import Limits, Options
from tests.verify.conftest import Anywhere, Notes
from tests.verify.provider import Authority, Provider
from tests.verify.test_runner import Thousand, runner


def round_of(authority: Authority) -> tuple[float, float, int, int]:
    """Return seconds, of the processor too, live ones, and the most to a host in a second."""
    provider = Provider(authority)
    try:
        run = Thousand(provider)
        transport = Anywhere(provider, Notes(), Options(ca_file=authority.ca_file, limits=Limits()))
        transport._sleep = time.sleep  # noqa: SLF001 # the tests' transport does not wait
        began, used = time.perf_counter(), time.process_time()
        asked = runner().verify(run.findings, transport, Selection())
        took, used = time.perf_counter() - began, time.process_time() - used
        transport.close()
        live = sum(f.verification.status is Status.ACTIVE for f in asked)
        return took, used, live, run.most_in_a_second()
    finally:
        provider.close()


def main() -> None:
    """Measure, and print a line a round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        took = []
        for number in range(rounds):
            seconds, used, live, most = round_of(authority)
            took.append(seconds)
            print(
                f"{number + 1}: {seconds:.2f} s ({used:.2f} s of the processor), "
                f"{live} of 1000 live, at most {most} in a second"
            )
    print(f"median {statistics.median(took):.2f} s; the rate is {Limits().rate:.0f} a second")


if __name__ == "__main__":
    main()
