"""
Asks the SSH server that stands beside a private key whether the key opens it.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import asyncssh

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.companions import secret_of
from scanner.verify.pem import pem_of
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.ssh import rights_of
from scanner.verify.protocols.ssh_login import Client, HostKeys, Outcome, log_in
from scanner.verify.protocols.target import Target, targets_of
from scanner.verify.protocols.verdicts import active, unclear
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.transport import Transport

_KEYS = frozenset({"private-key", "private-key-base64"})
_NEEDS = "needs --allow-found-hosts"
_SEALED = "the key is encrypted: it opens nothing without its passphrase"
_CALIBRATION = "calibration"
_NOTHING = "\0"


class SshKeys:
    """
    See `Verifier`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[tuple[str, int, str], threading.Lock] = {}
        self._doubts: dict[tuple[str, int, str], str | None] = {}

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:  # noqa: ARG002 # a protocol
        """
        See `Verifier.accepts`.
        """
        return finding.rule_id in _KEYS and bool(_targets(finding))

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        if not consent.found_hosts or _key(finding) is None:
            return []
        return [
            Planned(host=t.host, method="ssh", path=f":{t.port} one login, and no command")
            for t in _targets(finding)
        ]

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        See `Explains.excuse`.
        """
        if _is_sealed(finding):
            return _SEALED
        return "the key is of a form that is not read" if consent.found_hosts else _NEEDS

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.

        Never `inactive`: no server is the issuer of a key, which may open others.
        """
        key = _key(finding)
        if key is None or not consent.found_hosts:
            return Verification(status=Status.NOT_TRIED, reason=self.excuse(finding, consent))
        verdict = Verification(status=Status.UNKNOWN)
        for target in _targets(finding):
            try:
                verdict = self._one(target, key, finding, transport)
            except (RefusedError, TransportError) as error:
                verdict = unclear(target, error)
            if verdict.status is Status.ACTIVE:
                return verdict
        return verdict

    def _one(
        self, target: Target, key: Any, finding: Finding, transport: Transport
    ) -> Verification:
        doubt = self._doubt(target, transport)
        if doubt is not None:
            return unclear(target, doubt)
        outcome = _log_in(target, key, transport, finding.fingerprint)
        seen = f"the host's key is {outcome.host_key}"
        if outcome.accepted:
            return active(target, rights=rights_of(target.user), reason=seen)
        if outcome.refused:
            return unclear(
                target, f"{target.host} refuses it for {target.user}, but it may open others"
            )
        return unclear(target, f"the server asks for something else, or for more; {seen}")

    def _doubt(self, target: Target, transport: Transport) -> str | None:
        """
        Return why this login proves nothing: a key that cannot exist is taken too.
        """
        at = target.host, target.port, target.user
        with self._lock:
            turn = self._turns.setdefault(at, threading.Lock())
        with turn:
            if at not in self._doubts:
                nobody = asyncssh.generate_private_key("ssh-ed25519")
                let_in = _log_in(target, nobody, transport, _CALIBRATION).accepted
                self._doubts[at] = "the server lets anybody in" if let_in else None
        return self._doubts[at]


def verifier() -> SshKeys:
    """
    Return the verifier of this module.
    """
    return SshKeys()


def _log_in(target: Target, key: Any, transport: Transport, finding: str) -> Outcome:
    word = "no answer"
    try:
        with Link(transport, target, finding) as link:
            client = Client(HostKeys(link.known_hosts, needed=False), password=None, key=key)
            outcome = log_in(link.hand_over(), target, client, seconds=link.seconds_left)
        word = "accepted" if outcome.accepted else "refused"
    finally:
        transport.note(host=target.host, what="ssh", shown="login", finding=finding, outcome=word)
    return outcome


def _targets(finding: Finding) -> list[Target]:
    found = [target for target in targets_of(finding) if target.kind == "ssh" and target.user]
    # The key is no password, and no text of a server is looked through for it.
    return [dataclasses.replace(target, password=_NOTHING) for target in found]


def _key(finding: Finding) -> Any | None:
    try:
        return _read(finding)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        return None


def _is_sealed(finding: Finding) -> bool:
    try:
        _read(finding)
    except asyncssh.KeyEncryptionError:
        return True
    except asyncssh.KeyImportError as error:
        return "passphrase" in str(error).lower()
    # The older form says so in its head, which is no part of what `pem_of` reads.
    return "ENCRYPTED" in (secret_of(finding) or "")


def _read(finding: Finding) -> Any | None:
    secret = secret_of(finding)
    pem = None if secret is None else pem_of(secret)
    return None if pem is None else asyncssh.import_private_key(pem)
