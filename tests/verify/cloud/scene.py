"""
Look-alike files, the findings that the shipped rules make of them, and the verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from scanner.model import Document, Finding, Place, Verification
from scanner.sources.batch import ListBatch
from scanner.verify.registry import Consent
from scanner.verify.runner import Runner, Selection
from scanner.verify.transport import Transport
from tests.verify.provider import Asked, Behaviour, Say
from tests.verify.usable import engine, finding_of


@cache
def findings_in(text: str, path: str = "conf/.env") -> dict[str, Finding]:
    """What is found in one file, by rule."""
    batch = ListBatch([(Document(Place.FILE, path=path.encode()), text.encode())])
    found = [finding_of(match) for match in engine().scanner().scan(batch) if match.secret]
    return {finding.rule_id: finding for finding in found}


def ask(finding: Finding, transport: Transport, *, consent: Consent | None = None) -> Verification:
    """The verdict on one finding, by the way that a run takes."""
    runner = Runner([], engine().rule)
    (asked,) = runner.verify([finding], transport, Selection(consent=consent or Consent()))
    return asked.verification


@dataclass(frozen=True)
class Fault:
    """Something between us and the issuer, or its own trouble."""

    name: str
    say: Say

    def __call__(self, behave: Behaviour, *, host: str = "") -> Behaviour:
        """Every answer of the host (all, if empty) is this instead."""

        def faulty(asked: Asked) -> Say:
            return self.say if host in asked.host else behave(asked)

        return faulty


PORTAL = b"<!doctype html><html><body>Sign in. <Error><Code>InvalidClientTokenId</Code></Error>"
FAULTS: Sequence[Fault] = (
    Fault("reset", Say(fault="reset")),
    Fault("no answer in time", Say(fault="hang")),
    Fault("garbage", Say(fault="garbage")),
    Fault("truncated refusal", Say(403, b"<ErrorResponse><Error><Code>Inv", fault="truncated")),
    Fault("portal", Say(200, PORTAL, kind="text/html")),
    Fault("portal refusing", Say(403, PORTAL, kind="text/html")),
    Fault("portal in disguise", Say(401, PORTAL, kind="application/json")),
    Fault("too many", Say(429, b'{"error": "invalid_grant"}', headers={"Retry-After": "9999"})),
    Fault("broken", Say(500, b'{"error": "invalid_client"}')),
    Fault("away", Say(503, b"", headers={"Retry-After": "9999"})),
    Fault("bad gateway", Say(502, b"<html>bad gateway</html>", kind="text/html")),
    Fault("redirect", Say(302, b"", headers={"Location": "https://evil.example/"})),
    Fault("plain 401", Say(401, b"{}")),
    Fault("plain 403", Say(403, b"{}")),
    Fault("plain 400", Say(400, b"{}")),
    Fault("plain 404", Say(404, b"{}")),
    Fault("proxy wants a login", Say(407, b"{}")),
    Fault("empty", Say(200, b"")),
    Fault("nothing inside", Say(200, b"{}")),
    Fault("damaged", Say(400, b'{"error": "invalid_grant", "error_descr')),
)

Ask = Callable[[Finding], Verification]
