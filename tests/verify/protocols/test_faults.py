"""
A server that breaks off, talks nonsense or is another one calls no credential dead.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from scanner.model import Status
from tests.verify.conftest import Notes
from tests.verify.protocols.scene import HOST, ask
from tests.verify.protocols.servers import PASSWORD

SCHEMES = ("postgresql", "mysql", "mongodb", "redis", "amqp", "mqtt", "nats", "ldap", "smtp", "imap", "ftp", "ssh")  # fmt: skip
LOUD = b"535 5.7.8 -ERR WRONGPASS 28P01 Access denied 1045 AUTHENTICATIONFAILED Authorization Violation 530 incorrect"
FAULTS = {
    "it hangs up": b"",
    "a page": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nwrong",
    "nonsense": bytes(range(256)),
    "zeros": b"\0" * 512,
    "a lost end": b"\x4a\0\0",
    "words of a refusal in one heap": LOUD + b"\r\n",
    "a line without an end": b"x" * (1 << 16),
}


@pytest.fixture
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A server that says one thing to everybody, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        try:
            while True:
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(request.param)
                    peer.shutdown(socket.SHUT_WR)
                    peer.settimeout(2)
                    while peer.recv(1 << 16):
                        pass
        except OSError:
            return

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("port", FAULTS.values(), ids=FAULTS, indirect=True)
def test_a_fault_settles_nothing(port: int, scheme: str) -> None:
    notes = Notes()
    user = "cn=app,dc=w" if scheme == "ldap" else "app"
    verdict = ask(f"{scheme}://{user}:{PASSWORD}@{HOST}/x", port, notes=notes)

    assert verdict.status is Status.UNKNOWN, verdict
    assert PASSWORD not in repr(verdict) + repr(notes.lines)
