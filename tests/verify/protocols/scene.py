"""
A scanned line, its finding, and the verdict of the server that it names.
"""

from __future__ import annotations

from scanner.model import Document, Finding, Place, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.protocols.verifier import verifier
from scanner.verify.registry import Consent
from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.conftest import Notes
from tests.verify.usable import engine, finding_of

HOST = "db.widgets.test"
ALLOWED = Consent(found_hosts=True)


def found(url: str) -> Finding:
    """Return what the shipped rules find in a file with this URL."""
    batch = ListBatch([(Document(Place.FILE, path=b"a"), f"URL={url}\n".encode())])
    (match,) = engine().scanner().scan(batch)
    return finding_of(match)


def ask(url: str, port: int, *, seconds: float = 10.0, notes: Notes | None = None) -> Verification:
    """Ask the server on a port of the loopback, which stands in for `HOST`."""
    transport = Transport(
        notes or Notes(),
        Options(
            allow_private=True, allow_found_hosts=True, limits=Limits(seconds=seconds, rate=1e6)
        ),
        routes={HOST: Route("127.0.0.1", port)},
        sleep=lambda _: None,
    )
    one, finding = verifier(), found(url)
    assert one.accepts(finding, None), url
    return one.verify(finding, transport, ALLOWED)
