"""
The one room through which every request goes.

HTTPS with the certificate checked, no redirects, an address resolved once and
connected to as resolved, nothing inside the house, a deadline and a size for each
answer, a pace for each host, a budget, and a line in the log for each request.
Nothing of the environment counts: no proxy variables, no netrc, no profiles.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scanner.verify.request import RefusedError, Reply, Request, TransportError, Trust
from scanner.verify.request_log import Log
from scanner.verify.transport_address import (
    AddressError,
    Addresses,
    Resolver,
    host_of,
    refusal,
    system_resolver,
)
from scanner.verify.transport_pace import Budget, Host, Pace
from scanner.verify.transport_trust import TrustError, found_context, parse_proxy, tls_context
from scanner.verify.transport_wire import (
    Answer,
    Connection,
    WireError,
    open_socket,
    tunnel,
    wrap_tls,
)
from scanner.verify.transport_words import asked_wait, back_off, head, reply

_AGAIN = frozenset({429, 500, 502, 503, 504})

_Way = tuple[str, int, bool, Trust | None]
"""What a connection may be used for again: host, port, encrypted, whom to trust."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    Bounds on one run.
    """

    seconds: float = 15.0
    """For one request, from connecting to the last byte."""

    body: int = 1 << 20
    rate: float = 10.0
    """Requests a second to one host."""

    burst: int = 1
    at_once: int = 4
    """Requests in flight to one host."""

    tries: int = 3
    longest_wait: float = 20.0
    """Seconds that a `Retry-After` may ask for; longer ones end the trying."""

    budget: int | None = 5000
    resolve_seconds: float = 5.0
    run_seconds: float = 900.0
    patience: int = 4
    """Failures in a row after which a host is asked no more."""


@dataclass(frozen=True, slots=True)
class Route:
    """
    Where a test's server stands in for a host.  No flag, file or variable makes one.
    """

    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    What the user allowed, and how out.
    """

    allow_private: bool = False
    allow_found_hosts: bool = False
    proxy: str | None = None
    """`http://[user:password@]host:port`, from the command line alone."""

    ca_file: Path | None = None
    known_hosts: Path | None = None
    """The keys of SSH hosts, in OpenSSH's form."""

    limits: Limits = field(default_factory=Limits)


class Transport:
    """
    Sends requests for verifiers; safe to use from several threads.
    """

    def __init__(
        self,
        log: Log,
        options: Options | None = None,
        *,
        resolve: Resolver = system_resolver,
        routes: Mapping[str, Route] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        All but log and options are for tests: objects passed in code.
        """
        self.options = options or Options()
        self.limits = self.options.limits
        self.tls = tls_context(self.options.ca_file)
        self._log = log
        self._proxy = None if self.options.proxy is None else parse_proxy(self.options.proxy)
        self._routes = dict(routes or {})
        self._sleep = sleep
        self._clock = clock
        self._addresses = Addresses(
            resolve,
            allow_private=self.options.allow_private,
            timeout=self.limits.resolve_seconds,
        )
        self._budget = Budget(self.limits.budget)
        self._lock = threading.Lock()
        self._hosts: dict[str, Host] = {}
        self._end = clock() + self.limits.run_seconds
        self._idle: dict[_Way, list[Connection]] = defaultdict(list)

    def send(self, request: Request) -> Reply:
        """
        Return the reply.

        Raise `RefusedError` if it must not be sent, `TransportError` if no usable answer came.
        """
        request.refuse_if_unsound()
        host = self._permitted(request)
        bounds = self._bounds(host)
        with bounds.slots:
            for attempt in range(1, self.limits.tries + 1):
                last = request.once or attempt == self.limits.tries
                try:
                    answer = self._attempt(request, host, bounds)
                except WireError as error:
                    bounds.failed()
                    if last or not error.unanswered:
                        raise TransportError(str(error)) from error
                    self._sleep(back_off(attempt))
                    continue
                bounds.answered()
                if answer.status not in _AGAIN or last:
                    return reply(answer)
                wait = asked_wait(answer)
                if wait is not None and wait > self.limits.longest_wait:
                    return reply(answer)
                pause = back_off(attempt) if wait is None else wait
                bounds.pace.hold(pause)
        raise AssertionError("the last try returns or raises")

    def connect(
        self, host: str, port: int, *, finding: str, what: str, found_host: bool = True
    ) -> socket.socket:
        """
        Return a plain socket to a pinned address, for drivers of other protocols.

        `what` is logged as the method (`postgresql`, `ssh`).  Raise like `send`.
        """
        request = Request(
            host=host, port=port, path="/", shown="", finding=finding, found_host=found_host
        )
        name = self._permitted(request)
        bounds = self._bounds(name)
        try:
            with bounds.slots, self._turn(bounds):
                deadline = time.monotonic() + self.limits.seconds
                sock = self._socket(name, port, deadline, found_host=found_host)
        except WireError as error:
            self._note(request, what, str(error))
            raise TransportError(str(error)) from error
        self._note(request, what, "connected")
        return sock

    def pinned(self, host: str, port: int, *, found_host: bool = True) -> tuple[str, int]:
        """
        Return address and port for a driver that insists on connecting by itself.

        The driver must be given the name for TLS and the address to connect to.
        """
        request = Request(
            host=host, port=port, path="/", shown="", finding="", found_host=found_host
        )
        name = self._permitted(request)
        bounds = self._bounds(name)
        with bounds.slots, self._turn(bounds):
            return self._where(name, port, found_host)

    def note(self, *, host: str, what: str, shown: str, finding: str, outcome: int | str) -> None:
        """
        Log what a driver did with a pinned address; `shown` holds no secret.
        """
        self._log.write(host=host, method=what, path=shown, finding=finding, outcome=outcome)

    def stop(self) -> None:
        """
        Send nothing more.
        """
        self._end = float("-inf")

    def close(self) -> None:
        """
        Close what is kept open.
        """
        with self._lock:
            for kept in self._idle.values():
                for connection in kept:
                    connection.close()
            self._idle.clear()

    def _permitted(self, request: Request) -> str:
        if request.found_host and not self.options.allow_found_hosts:
            raise RefusedError(
                "the host stands in the finding; --allow-found-hosts lets it be asked"
            )
        if not 0 < request.port < 1 << 16:
            raise RefusedError("not a port")
        if not request.tls and not (request.found_host and self.options.allow_private):
            raise RefusedError("not encrypted")
        try:
            host = host_of(request.host)
            if request.trust is not None and request.trust.name is not None:
                host_of(request.trust.name)
            address, _ = self._where(host, request.port, request.found_host)
        except AddressError as error:
            raise RefusedError(str(error)) from error
        if not request.tls and refusal(address, allow_private=False) is None:
            # The flag lets what is inside be asked; it lets nothing out in the clear.
            raise RefusedError("not encrypted")
        return host

    def _where(self, host: str, port: int, found_host: bool) -> tuple[str, int]:
        route = self._routes.get(host)
        if route is not None:
            return route.address, route.port
        if self._proxy is not None and not found_host:
            # The proxy resolves the names of our packs; the certificate must still be
            # the host's own.  A found name is resolved and judged here, whoever connects.
            return host, port
        return self._addresses.of(host, port), port

    def _bounds(self, host: str) -> Host:
        limits = self.limits
        with self._lock:
            if host not in self._hosts:
                self._hosts[host] = Host(
                    Pace(limits.rate, burst=limits.burst, clock=self._clock),
                    at_once=limits.at_once,
                    patience=limits.patience,
                )
            return self._hosts[host]

    @contextlib.contextmanager
    def _turn(self, bounds: Host) -> Iterator[None]:
        """
        Wait for a turn at a host, and count it until what is done with it has ended.
        """
        if bounds.is_silent:
            raise TransportError("the host did not answer earlier requests")
        while wait := bounds.pace.delay():
            self._refuse_if_over()
            self._sleep(wait)
        try:
            self._refuse_if_over()
            if not self._budget.take():
                raise RefusedError("the budget of requests is used up")
            yield
        finally:
            bounds.pace.done()

    def _refuse_if_over(self) -> None:
        if self._clock() > self._end:
            raise RefusedError("the time for the whole run is over")

    def _attempt(self, request: Request, host: str, bounds: Host) -> Answer:
        # A kept connection may turn out to be closed, which takes a second request.
        kept = None if request.once else self._kept(request, host)
        if kept is not None:
            try:
                return self._exchange(request, host, bounds, kept)
            except WireError as error:
                if not error.unanswered:
                    raise
                # A kept connection that the server closed meanwhile says nothing about it.
        return self._exchange(request, host, bounds, None)

    def _kept(self, request: Request, host: str) -> Connection | None:
        with self._lock:
            idle = self._idle[_way(request, host)]
            return idle.pop() if idle else None

    def _exchange(
        self, request: Request, host: str, bounds: Host, connection: Connection | None
    ) -> Answer:
        try:
            with self._turn(bounds):
                deadline = time.monotonic() + self.limits.seconds
                if connection is None:
                    connection = self._connect(request, host, deadline)
                answer = self._ask(connection, request, host, deadline)
        except WireError as error:
            self._note(request, request.method, str(error))
            if connection is not None:
                connection.close()
            raise
        except (RefusedError, TransportError):
            if connection is not None:
                connection.close()
            raise
        self._note(request, request.method, answer.status)
        if answer.reusable:
            with self._lock:
                self._idle[_way(request, host)].append(connection)
        else:
            connection.close()
        return answer

    def _ask(self, connection: Connection, request: Request, host: str, deadline: float) -> Answer:
        return connection.exchange(
            head(request, host),
            request.body,
            method=request.method,
            deadline=deadline,
            most=self.limits.body,
        )

    def _connect(self, request: Request, host: str, deadline: float) -> Connection:
        sock = self._socket(host, request.port, deadline, found_host=request.found_host)
        if request.tls:
            trust = request.trust
            try:
                context = self.tls if trust is None else found_context(trust, self.options.ca_file)
            except TrustError as error:
                sock.close()
                raise WireError(str(error)) from error
            name = host if trust is None or trust.name is None else trust.name
            sock = wrap_tls(sock, context, name, deadline=deadline)
        return Connection(sock)

    def _socket(self, host: str, port: int, deadline: float, *, found_host: bool) -> socket.socket:
        try:
            address, at = self._where(host, port, found_host)
        except AddressError as error:
            raise WireError(str(error)) from error
        if self._proxy is None or host in self._routes:
            return open_socket(address, at, deadline=deadline)
        try:
            nearest = self._proxy.address()
        except AddressError as error:
            raise WireError(f"the proxy: {error}") from error
        sock = open_socket(nearest, self._proxy.port, deadline=deadline)
        tunnel(sock, address, at, self._proxy.authorization, deadline=deadline)
        return sock

    def _note(self, request: Request, method: str, outcome: int | str) -> None:
        self._log.write(
            host=request.host,
            method=method,
            path=request.shown,
            finding=request.finding,
            outcome=outcome,
        )


def _way(request: Request, host: str) -> _Way:
    return host, request.port, request.tls, request.trust
