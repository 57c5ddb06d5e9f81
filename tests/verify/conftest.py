"""
A provider on the loopback, and a transport that takes it for any host.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.provider import Authority, Provider

QUICK = Limits(
    seconds=2.0, rate=5000.0, burst=1000, at_once=64, tries=2, patience=1000, run_seconds=1e9
)


class Leap:
    """A clock that nobody waits for: sleeping puts it forward."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def clock(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._ahead += seconds


class Notes:
    """A request log in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def write(self, **line: object) -> None:
        self.lines.append(line)


class Everywhere(dict[str, Route]):
    """Every host leads to one server."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self._route = route

    def get(self, key: str, default: object = None) -> Route:  # type: ignore[override]
        return self._route

    def __contains__(self, key: object) -> bool:
        return True


class Anywhere(Transport):
    """A transport all of whose hosts are one server's."""

    def __init__(self, provider: Provider, notes: Notes, options: Options) -> None:
        leap = Leap()
        super().__init__(notes, options, resolve=_never, sleep=leap.sleep, clock=leap.clock)
        self._routes = Everywhere(provider.route())


def _never(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was to be resolved")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider(authority: Authority) -> Iterator[Provider]:
    server = Provider(authority)
    yield server
    server.close()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def anywhere(
    provider: Provider, notes: Notes, authority: Authority
) -> Iterator[Callable[..., Transport]]:
    """Return a maker of transports whose every host is `provider`."""
    made: list[Transport] = []

    def make(*, limits: Limits = QUICK, **options: object) -> Transport:
        made.append(
            Anywhere(
                provider,
                notes,
                Options(ca_file=authority.ca_file, limits=limits, **options),  # type: ignore[arg-type]
            )
        )
        return made[-1]

    yield make
    for transport in made:
        transport.close()
