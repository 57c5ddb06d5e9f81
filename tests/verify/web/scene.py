"""
A scanned text, its finding, and the verdict of the place of the web that it names.
"""

from __future__ import annotations

import base64
import http.client
import json

from scanner.model import Document, Finding, Place, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.registry import Consent
from scanner.verify.transport import Limits, Options, Route, Transport
from scanner.verify.web.verifier import verifier
from tests.lookalikes import fill
from tests.verify.conftest import Leap, Notes
from tests.verify.usable import engine, finding_of

HOST = "registry.widgets.test"
ALLOWED = Consent(found_hosts=True)
PASSWORD = fill("{{alnum:9}}-{{alnum:9}}")
OTHER = fill("{{alnum:9}}-{{alnum:9}}", seed=5)


def coded(user: str, password: str) -> str:
    """User and password as Basic has them."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def found(text: str) -> Finding:
    """Return the one finding of a text that a place of the web can be asked about."""
    batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
    asked = [
        f for m in engine().scanner().scan(batch) if verifier().accepts(f := finding_of(m), None)
    ]
    (finding,) = asked
    return finding


def transport_to(port: int, notes: Notes | None = None, host: str = HOST) -> Transport:
    """A transport that finds a host on a port of the loopback."""
    options = Options(
        allow_private=True, allow_found_hosts=True, limits=Limits(seconds=10.0, rate=1e6)
    )
    routes = {host: Route("127.0.0.1", port)}
    leap = Leap()
    return Transport(notes or Notes(), options, routes=routes, sleep=leap.sleep, clock=leap.clock)


def ask(text: str, port: int, notes: Notes | None = None) -> Verification:
    """Ask the server on a port of the loopback, which stands in for `HOST`."""
    transport = transport_to(port, notes)
    try:
        return verifier().verify(found(text), transport, ALLOWED)
    finally:
        transport.close()


def call(method: str, port: int, path: str, body: object, **headers: str) -> tuple[int, bytes]:
    """Send one JSON request of the test's own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(
            method, path, json.dumps(body), {"Content-Type": "application/json", **headers}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
