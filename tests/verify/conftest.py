"""
A provider on the loopback, and a transport that takes it for any host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.provider import Authority, Provider

QUICK = Limits(seconds=2.0, rate=5000.0, burst=1000, at_once=64, tries=2, patience=1000)


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
        super().__init__(notes, options, resolve=_never, sleep=_no_pause)
        self._routes = Everywhere(provider.route())


def _no_pause(seconds: float) -> None:
    """Retries need not wait here; test_transport.py tests that they do."""


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
