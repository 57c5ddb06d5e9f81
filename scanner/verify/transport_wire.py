"""
One HTTP/1.1 connection with a deadline for the whole exchange and a cap on its size.

The standard library's timeout is for each read, so a server that sends a byte a
second would hold it for ever; here every read gets what is left of the whole.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass

_HEADERS_MOST = 100
_READ_SIZE = 1 << 16


class WireError(Exception):
    """
    The exchange did not end well; the text says how and names no data.
    """

    def __init__(self, reason: str, *, unanswered: bool = False) -> None:
        super().__init__(reason)
        self.unanswered = unanswered
        """Not one byte of an answer came, so the same request may be sent again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came back, as bytes.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    reusable: bool


class _Timed(io.RawIOBase):
    """
    Reads of a socket, each bounded by what is left of the deadline.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self.seen = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        count = self._sock.recv_into(buffer)  # type: ignore[arg-type] # a writable buffer
        self.seen += count
        return count


class _Readable:
    """
    The only thing `HTTPResponse` wants of a socket.
    """

    def __init__(self, raw: _Timed) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw, _READ_SIZE)


class Connection:
    """
    A connected socket that can be asked several times.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.used = False

    def exchange(
        self, head: bytes, body: bytes, *, method: str, deadline: float, most: int
    ) -> Answer:
        """
        Send one request and return the whole answer.

        Raise `WireError` if it does not come whole, in time and within `most` bytes.
        """
        raw = _Timed(self._sock, deadline)
        try:
            self._sock.settimeout(max(0.001, deadline - time.monotonic()))
            self._sock.sendall(head + body)
            return self._receive(raw, method, most)
        except TimeoutError as error:
            raise WireError("no whole answer in time") from error
        except http.client.IncompleteRead as error:
            raise WireError("the answer was cut short") from error
        except (http.client.HTTPException, ValueError) as error:
            # RemoteDisconnected is both a reset and bad HTTP: nothing was answered.
            raise WireError("the answer is not HTTP", unanswered=raw.seen == 0) from error
        except ssl.SSLError as error:
            raise WireError("the encrypted connection broke", unanswered=raw.seen == 0) from error
        except OSError as error:
            raise WireError("the connection broke", unanswered=raw.seen == 0) from error
        finally:
            self.used = True

    def _receive(self, raw: _Timed, method: str, most: int) -> Answer:
        response = http.client.HTTPResponse(_Readable(raw), method=method)  # type: ignore[arg-type] # wants makefile alone
        response.begin()
        headers = tuple(response.getheaders())
        if len(headers) > _HEADERS_MOST:
            raise WireError("the answer has too many headers")
        parts: list[bytes] = []
        size = 0
        while part := response.read1(_READ_SIZE):
            parts.append(part)
            size += len(part)
            if size > most:
                raise WireError("the answer is too large")
        if response.length:
            raise WireError("the answer was cut short")
        whole = response.isclosed() or response.length == 0
        reusable = whole and not response.will_close
        return Answer(response.status, headers, b"".join(parts), reusable)

    def close(self) -> None:
        """
        Let go of the socket.
        """
        self._sock.close()


def open_socket(address: str, port: int, *, deadline: float) -> socket.socket:
    """
    Connect to an address, never a name.

    Raise `WireError` if nobody answers in time.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError as error:
        sock.close()
        raise WireError("no connection in time") from error
    except OSError as error:
        sock.close()
        raise WireError("no connection", unanswered=True) from error
    return sock


def wrap_tls(
    sock: socket.socket, context: ssl.SSLContext, host: str, *, deadline: float
) -> socket.socket:
    """
    Return the socket under TLS, the certificate checked against `host`.

    Raise `WireError` if it does not fit, and close the socket.
    """
    try:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise WireError(f"the certificate is refused: {error.verify_message}") from error
    except TimeoutError as error:
        sock.close()
        raise WireError("no encrypted connection in time") from error
    except (OSError, ValueError) as error:
        sock.close()
        raise WireError("no encrypted connection", unanswered=True) from error


def tunnel(
    sock: socket.socket, host: str, port: int, authorization: str | None, *, deadline: float
) -> None:
    """
    Ask an HTTP proxy for a way through to `host`; what runs inside is encrypted for it alone.

    Raise `WireError` if the proxy refuses, and close the socket.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if authorization is not None:
        lines.append(f"Proxy-Authorization: {authorization}")
    head = b""
    try:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        # Byte by byte, so that nothing of the tunnel's own traffic is taken.
        while not head.endswith(b"\r\n\r\n") and len(head) < _READ_SIZE:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
            byte = sock.recv(1)
            if not byte:
                break
            head += byte
    except OSError as error:
        sock.close()
        raise WireError("the proxy does not answer") from error
    status = head.split(b" ", 2)[1:2]
    if not head.endswith(b"\r\n\r\n") or status != [b"200"]:
        sock.close()
        raise WireError("the proxy refuses")
