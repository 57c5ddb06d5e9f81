"""
A socket to a pinned address, with one deadline for the whole talk and a cap on its size.
"""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

from scanner.verify.protocols.target import Target
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.transport import Transport
from scanner.verify.transport_address import refusal
from scanner.verify.transport_wire import WireError, wrap_tls

_MOST_BYTES = 1 << 20
_LONGEST_LINE = 1 << 14


class Link:
    """
    One connection to one server, closed by `with`.

    What is not encrypted stays in the house: to a public address the server must offer
    TLS and show a certificate of its own name before anything secret is said.
    """

    def __init__(self, transport: Transport, target: Target, finding: str) -> None:
        """
        Connect.  Raise `RefusedError` or `TransportError`.
        """
        self._transport = transport
        self._target = target
        self._deadline = time.monotonic() + transport.limits.seconds
        self._sock = transport.connect(
            target.host, target.port, finding=finding, what=target.kind, found_host=True
        )
        self._kept = b""
        self._seen = 0
        self.encrypted = False
        if target.tls:
            self.secure()

    def __enter__(self) -> Link:  # noqa: PYI034 # Self is of Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    @property
    def needs_tls(self) -> bool:
        """
        Whether encryption must begin before anything secret is said.
        """
        return not self.encrypted and (self._target.wants_tls or not self._is_inside())

    @property
    def seconds_left(self) -> float:
        """
        What is left of the time for the whole talk.
        """
        return max(0.001, self._deadline - time.monotonic())

    @property
    def known_hosts(self) -> Path | None:
        """
        The user's list of the keys of SSH hosts.
        """
        return self._transport.options.known_hosts

    def hand_over(self) -> socket.socket:
        """
        Return the socket for a library that speaks by itself; it may close it.
        """
        return self._sock

    def refuse_if_open(self) -> None:
        """
        Raise `RefusedError` if a secret would be readable on its way.
        """
        if self.needs_tls:
            raise RefusedError("the server offers no encryption")

    def secure(self) -> None:
        """
        Begin TLS, the certificate checked against the host.
        """
        if self._kept:
            # What came before the handshake would count as said under it.
            raise TransportError("the server spoke out of turn")
        try:
            self._sock = wrap_tls(
                self._sock, self._transport.tls, self._target.host, deadline=self._deadline
            )
        except WireError as error:
            raise TransportError(str(error)) from error
        self.encrypted = True

    def send(self, data: bytes) -> None:
        """
        Send all of it.
        """
        try:
            self._wait()
            self._sock.sendall(data)
        except OSError as error:
            raise TransportError("the connection broke") from error

    def take(self, count: int) -> bytes:
        """
        Return exactly so many bytes.
        """
        if count > _MOST_BYTES:
            raise TransportError("the answer is too large")
        while len(self._kept) < count:
            self._more()
        data, self._kept = self._kept[:count], self._kept[count:]
        return data

    def line(self) -> bytes:
        """
        Return one line without its end.
        """
        while b"\n" not in self._kept:
            if len(self._kept) > _LONGEST_LINE:
                raise TransportError("the answer has too long a line")
            self._more()
        line, _, self._kept = self._kept.partition(b"\n")
        return line.rstrip(b"\r")

    def _more(self) -> None:
        try:
            self._wait()
            data = self._sock.recv(1 << 16)
        except TimeoutError as error:
            raise TransportError("no whole answer in time") from error
        except (OSError, ssl.SSLError) as error:
            raise TransportError("the connection broke") from error
        if not data:
            raise TransportError("the server hung up")
        self._seen += len(data)
        if self._seen > _MOST_BYTES:
            raise TransportError("the answer is too large")
        self._kept += data

    def _wait(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TransportError("no whole answer in time")
        self._sock.settimeout(left)

    def _is_inside(self) -> bool:
        return is_inside(self._sock, self._transport)


def is_inside(sock: socket.socket, transport: Transport) -> bool:
    """
    Say whether a socket leads to an address inside the house, which the user allowed.
    """
    if not transport.options.allow_private or transport.options.proxy is not None:
        return False
    try:
        peer = str(sock.getpeername()[0])
    except OSError:
        return False
    return refusal(peer, allow_private=False) is not None
