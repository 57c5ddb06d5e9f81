"""
Providers that never were: one TLS server on the loopback that plays any host.

It mints a certificate for whatever name a client asks for, under an authority of
its own, and answers with what `behave` returns.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from scanner.verify.transport import Route

_CODED = re.compile(r"(?<=[Bb]asic )[A-Za-z0-9+/=]+|[A-Za-z0-9+/]{24,}={0,2}")
NOW = dt.datetime.now(dt.timezone.utc)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    host: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    def whole(self) -> str:
        """Everything that was said, base64 undone, for looking for a secret."""
        head = "\n".join(f"{k}: {v}" for k, v in self.headers.items())
        said = f"{self.target}\n{head}\n{self.body.decode()}"
        for text in _CODED.findall(said):
            with contextlib.suppress(ValueError):
                said += base64.b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")
        return said


@dataclass(frozen=True)
class Say:
    """What to answer."""

    status: int = 200
    body: bytes = b"{}"
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: str = ""
    """`reset`, `truncated`, `drip`, `huge`, `garbage`, `hang`."""


Behaviour = Callable[[Asked], Say]


class Authority:
    """A certificate authority that is nobody's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
        self._cert = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(days=9))
            .not_valid_after(NOW + dt.timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, True, True, False, False),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(self._cert.public_bytes(serialization.Encoding.PEM))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def file(self, host: str) -> Path:
        """Return where certificate and key for this host are, once it has a context."""
        return self.folder / f"{abs(hash(host))}.pem"

    def context(self, host: str, *, expired: bool = False) -> ssl.SSLContext:
        """Return a server's context with a certificate for this host."""
        with self._lock:
            return self._context(host, expired=expired)

    def _context(self, host: str, *, expired: bool) -> ssl.SSLContext:
        known = self._contexts.get(host)
        if known is not None:
            return known
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        cert = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._cert.subject)
            .public_key(self._leaf.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(days=8))
            .not_valid_after(NOW + dt.timedelta(days=-1 if expired else 8))
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        file = self.file(host)
        file.write_bytes(
            cert.public_bytes(serialization.Encoding.PEM)
            + self._leaf.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self._contexts[host] = context
        return context


class Provider:
    """The server; `behave` may be changed at any time."""

    def __init__(
        self,
        authority: Authority,
        behave: Behaviour | None = None,
        *,
        certificate: str | None = None,
        expired: bool = False,
    ) -> None:
        self.behave = behave or (lambda asked: Say())
        self.asked: list[Asked] = []
        self._authority = authority
        self._certificate = certificate
        self._expired = expired
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._socket.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def route(self) -> Route:
        """Where a transport finds this server."""
        return Route("127.0.0.1", self.port)

    def close(self) -> None:
        """End it, and every connection."""
        self._ended.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._socket.close()
        for sock in list(self._open):
            sock.close()

    def _accept(self) -> None:
        while True:
            sock, _ = self._socket.accept()
            if self._ended.is_set():
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        first = self._authority.context(self._certificate or "localhost", expired=self._expired)
        wanted: list[str] = []

        def choose(sock: ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            wanted.append(name or "")
            if name and self._certificate is None:
                sock.context = self._authority.context(name)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context = first
        context.sni_callback = choose  # type: ignore[assignment]
        try:
            sock = context.wrap_socket(plain, server_side=True)
        except (OSError, ValueError):
            return
        finally:
            plain.close()  # the wrapped one has its descriptor
        self._open.add(sock)
        try:
            while self._answer(sock):
                pass
        except OSError:
            pass
        finally:
            self._open.discard(sock)
            sock.close()

    def _answer(self, sock: ssl.SSLSocket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            part = sock.recv(65536)
            if not part:
                return False
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += sock.recv(65536)
        method, target, _ = lines[0].split(" ")
        asked = Asked(headers["host"], method, target, headers, body, time.monotonic())
        self.asked.append(asked)
        return self._say(sock, self.behave(asked))

    def _say(self, sock: ssl.SSLSocket, say: Say) -> bool:
        if say.delay:
            time.sleep(say.delay)
        if say.fault == "reset":
            return False
        if say.fault == "hang":
            self._ended.wait(30)
            return False
        if say.fault == "garbage":
            sock.sendall(b"\x00\x01 not http at all\r\n\r\n")
            return False
        extra = "".join(f"{k}: {v}\r\n" for k, v in say.headers.items())
        size = 1 << 40 if say.fault == "huge" else len(say.body)
        if say.fault == "truncated":
            size += 10
        head = (
            f"HTTP/1.1 {say.status} x\r\nContent-Type: {say.kind}\r\n{extra}"
            f"Content-Length: {size}\r\n\r\n"
        ).encode()
        if say.fault == "drip":
            for byte in head + say.body:
                if self._ended.wait(0.2):
                    return False
                sock.sendall(bytes([byte]))
            return False
        if say.fault == "huge":
            sock.sendall(head)
            while not self._ended.is_set():
                sock.sendall(b"x" * 65536)
            return False
        if say.status in {204, 304}:
            sock.sendall(f"HTTP/1.1 {say.status} x\r\n{extra}\r\n".encode())
            return True
        sock.sendall(head + say.body)
        return say.fault != "truncated"
