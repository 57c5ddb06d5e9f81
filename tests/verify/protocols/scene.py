"""
A scanned line, its finding, and the verdict of the server that it names.
"""

from __future__ import annotations

from pathlib import Path

from scanner.model import Document, Finding, Place, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.protocols.verifier import verifier
from scanner.verify.registry import Consent
from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.conftest import Leap, Notes
from tests.verify.usable import engine, finding_of

HOST = "db.widgets.test"
ALLOWED = Consent(found_hosts=True)


def found(url: str) -> Finding:
    """Return what the shipped rules find in a file with this URL."""
    return found_in(f"URL={url}\n")


def found_in(text: str) -> Finding:
    """Return the one credential that the shipped rules find in a file."""
    batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
    (match,) = engine().scanner().scan(batch)
    return finding_of(match)


def ask(
    url: str,
    port: int,
    *,
    seconds: float = 10.0,
    notes: Notes | None = None,
    ca_file: Path | None = None,
) -> Verification:
    """Ask the server on a port of the loopback, which stands in for `HOST`."""
    return ask_about(found(url), port, seconds=seconds, notes=notes, ca_file=ca_file)


def ask_about(
    finding: Finding,
    port: int,
    *,
    seconds: float = 10.0,
    notes: Notes | None = None,
    ca_file: Path | None = None,
) -> Verification:
    """Ask about a finding."""
    options = Options(
        allow_private=True,
        allow_found_hosts=True,
        ca_file=ca_file,
        limits=Limits(seconds=seconds, rate=1e6),
    )
    leap = Leap()
    transport = Transport(
        notes or Notes(),
        options,
        routes={HOST: Route("127.0.0.1", port)},
        sleep=leap.sleep,
        clock=leap.clock,
    )
    one = verifier()
    assert one.accepts(finding, None), finding.companions
    return one.verify(finding, transport, ALLOWED)
