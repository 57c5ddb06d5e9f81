"""
A proxy is what the command line names, and learns nothing but where to.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from scanner.verify.request import RefusedError, Request, TransportError
from scanner.verify.transport import Limits, Options, Transport
from tests.verify.conftest import Notes
from tests.verify.provider import Authority, Provider

HOST = "api.example.com"


class Proxy:
    """Connects every tunnel to one port, or answers as it is told."""

    def __init__(self, port: int, answer: bytes = b"HTTP/1.1 200 ok\r\n\r\n") -> None:
        self.heads: list[bytes] = []
        self.seen = b""
        self._to = port
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._threads = [threading.Thread(target=self._run, daemon=True)]
        self._threads[0].start()

    def url(self, user: str = "") -> str:
        """What `--proxy` is given."""
        return f"http://{user}127.0.0.1:{self.port}"

    def close(self) -> None:
        """End it."""
        self._server.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._server.accept()
                with sock:
                    self._tunnel(sock)

    def _tunnel(self, sock: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(4096)
        self.heads.append(head)
        sock.sendall(self._answer)
        if not self._answer.startswith(b"HTTP/1.1 200"):
            return
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._to)) as out:
            back = threading.Thread(target=self._copy, args=(out, sock), daemon=True)
            back.start()
            while data := sock.recv(65536):
                self.seen += data
                out.sendall(data)

    def _copy(self, out: socket.socket, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := out.recv(65536):
                sock.sendall(data)


@pytest.fixture
def proxy(provider: Provider) -> Iterator[Proxy]:
    made = Proxy(provider.port)
    yield made
    made.close()


def transport(proxy: Proxy, authority: Authority, notes: Notes, *, user: str = "") -> Transport:
    def never(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    options = Options(
        proxy=proxy.url(user),
        ca_file=authority.ca_file,
        allow_found_hosts=True,
        limits=Limits(seconds=2.0, tries=1),
    )
    return Transport(notes, options, resolve=never)


def request(**changes: object) -> Request:
    given = {"host": HOST, "path": "/", "shown": "/", "finding": "f", "headers": {"X": "hidden7"}}
    return Request(**(given | changes))  # type: ignore[arg-type]


def test_a_request_goes_through_a_tunnel_that_hides_it(
    proxy: Proxy, authority: Authority, notes: Notes, provider: Provider
) -> None:
    through = transport(proxy, authority, notes, user="ada:pw%40@")
    reply = through.send(request())
    through.close()

    assert reply.status == 200
    assert provider.asked[0].headers["x"] == "hidden7"
    assert proxy.heads[0].startswith(f"CONNECT {HOST}:443 ".encode())
    assert b"Proxy-Authorization: Basic YWRhOnB3QA==" in proxy.heads[0]
    assert b"hidden7" not in proxy.seen
    assert "proxy-authorization" not in provider.asked[0].headers


def test_a_proxy_that_leads_elsewhere_is_found_out(authority: Authority, notes: Notes) -> None:
    elsewhere = Provider(authority, certificate="evil.example")
    proxy = Proxy(elsewhere.port)
    try:
        with pytest.raises(TransportError, match="certificate"):
            transport(proxy, authority, notes).send(request())
        assert not elsewhere.asked
    finally:
        proxy.close()
        elsewhere.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 407 no\r\n\r\n", id="refuses"),
        pytest.param(b"HTTP/1.1 302 x\r\nLocation: http://evil/\r\n\r\n", id="redirects"),
        pytest.param(b"garbage\r\n\r\n", id="speaks something else"),
        pytest.param(b"HTTP/1.1 200", id="stops"),
    ],
)
def test_a_proxy_that_does_not_lead_on(
    provider: Provider, authority: Authority, notes: Notes, answer: bytes
) -> None:
    proxy = Proxy(provider.port, answer)
    try:
        with pytest.raises(TransportError):
            transport(proxy, authority, notes).send(request())
        assert not provider.asked
    finally:
        proxy.close()


def test_a_found_name_is_judged_before_a_proxy_hears_of_it(
    proxy: Proxy, authority: Authority, notes: Notes
) -> None:
    with pytest.raises(RefusedError, match="leads to"):
        transport(proxy, authority, notes).send(request(found_host=True))

    assert not proxy.heads
