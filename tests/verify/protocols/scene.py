"""
A scanned line, its finding, and the verdict of the server that it names.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from scanner.model import Document, Finding, Place, Status, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.protocols.verifier import verifier
from scanner.verify.registry import Consent
from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.conftest import Leap, Notes
from tests.verify.usable import engine, finding_of

HOST = "db.widgets.test"
ALLOWED = Consent(found_hosts=True)
REFUSED = "refused in words that the living get too"
BELIEVE = "too (--believe-refusals"


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
    believe: bool = False,
) -> Verification:
    """Ask the server on a port of the loopback, which stands in for `HOST`."""
    return ask_about(
        found(url), port, seconds=seconds, notes=notes, ca_file=ca_file, believe=believe
    )


def judge(url: str, port: int, expected: Status | str, word: str, *, seconds: float = 10.0) -> None:
    """Insist on a verdict and a word in it."""
    verdict = ask(url, port, seconds=seconds)
    if expected == REFUSED:
        assert (verdict.status, BELIEVE in str(verdict.reason)) == (Status.UNKNOWN, True), verdict
        verdict, expected = ask(url, port, seconds=seconds, believe=True), Status.INACTIVE
    assert (verdict.status, word in repr(verdict)) == (expected, True), verdict


def ask_about(
    finding: Finding,
    port: int,
    *,
    seconds: float = 10.0,
    notes: Notes | None = None,
    ca_file: Path | None = None,
    believe: bool = False,
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
    return one.verify(finding, transport, dataclasses.replace(ALLOWED, believe=believe))
