"""
Asks the database or server whose URL stands around a password.
"""

from __future__ import annotations

import dataclasses
import importlib
import secrets
import threading
from collections.abc import Mapping
from typing import cast

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target, targets_of
from scanner.verify.protocols.verdicts import Speaker
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.transport import Transport

# Kind → its module, with a function `speak`, and whether somebody who cannot exist is
# sent first: where a login proves nothing but that the server let one in.
_SPEAKERS: Mapping[str, tuple[str, bool]] = {
    "amqp": ("scanner.verify.protocols.amqp", True),
    "ftp": ("scanner.verify.protocols.ftp", True),
    "imap": ("scanner.verify.protocols.imap", True),
    "ldap": ("scanner.verify.protocols.ldap", False),
    "mongodb": ("scanner.verify.protocols.mongodb", False),
    "mqtt": ("scanner.verify.protocols.mqtt", True),
    "mysql": ("scanner.verify.protocols.mysql", False),
    "nats": ("scanner.verify.protocols.nats", True),
    "postgresql": ("scanner.verify.protocols.postgresql", False),
    "redis": ("scanner.verify.protocols.redis", False),
    "ssh": ("scanner.verify.protocols.ssh", True),
    "smtp": ("scanner.verify.protocols.smtp", True),
}
_CALIBRATION = "calibration"


class Protocols:
    """
    See `Verifier`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[tuple[str, str, int], threading.Lock] = {}
        self._doubts: dict[tuple[str, str, int], str | None] = {}

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:  # noqa: ARG002 # a protocol
        """
        See `Verifier.accepts`.
        """
        return bool(_known(finding))

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        if not consent.found_hosts:
            return []
        return [
            Planned(host=t.host, method=t.kind, path=f":{t.port} one login, then reading")
            for t in _known(finding)
        ]

    def excuse(self, finding: Finding, consent: Consent) -> str:  # noqa: ARG002 # a protocol
        """
        See `Explains.excuse`.
        """
        return "needs --allow-found-hosts"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.
        """
        if not consent.found_hosts:
            return Verification(status=Status.NOT_TRIED, reason="needs --allow-found-hosts")
        verdicts = []
        for known in _known(finding):
            target = dataclasses.replace(known, at_home=consent.believe)
            verdict = self._one(target, finding, transport)
            if verdict.status is Status.ACTIVE:
                return verdict
            verdicts.append(verdict)
        return next((v for v in verdicts if v.status is not Status.INACTIVE), verdicts[0])

    def _one(self, target: Target, finding: Finding, transport: Transport) -> Verification:
        name, calibrated = _SPEAKERS[target.kind]
        try:
            speak = cast("Speaker", importlib.import_module(name).speak)
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.startswith("scanner."):
                raise
            return Verification(
                status=Status.NOT_TRIED, reason="needs the extra: pip install unsealed[databases]"
            )
        try:
            doubt = self._doubt(target, transport, speak) if calibrated else None
            if doubt is not None:
                return Verification(status=Status.UNKNOWN, reason=doubt)
            verdict = _ask(target, transport, speak, finding.fingerprint)
        except (RefusedError, TransportError) as error:
            # One of several servers may not answer; the others are asked nevertheless.
            return Verification(status=Status.UNKNOWN, reason=str(error))
        return verdict

    def _doubt(self, target: Target, transport: Transport, speak: Speaker) -> str | None:
        key = target.kind, target.host, target.port
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if key not in self._doubts:
                nobody = dataclasses.replace(
                    target,
                    user=f"unsealed-{secrets.token_hex(6)}",
                    password=secrets.token_hex(16),
                    doubt=None,
                    place=None,
                )
                verdict = _ask(nobody, transport, speak, _CALIBRATION)
                let_in = verdict.status is Status.ACTIVE
                self._doubts[key] = "the server lets anybody in" if let_in else None
        return self._doubts[key]


def verifier() -> Protocols:
    """
    Return the verifier of this module.
    """
    return Protocols()


def _known(finding: Finding) -> list[Target]:
    return [target for target in targets_of(finding) if target.kind in _SPEAKERS]


def _ask(target: Target, transport: Transport, speak: Speaker, finding: str) -> Verification:
    outcome = "no answer"
    try:
        with Link(transport, target, finding) as link:
            verdict = speak(link, target)
        outcome = verdict.status.value
    except RefusedError as error:
        outcome = f"not sent: {error}"
        raise
    finally:
        transport.note(
            host=target.host, what=target.kind, shown="login", finding=finding, outcome=outcome
        )
    return verdict
