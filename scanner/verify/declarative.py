"""
Asks what `rules/checks/` declares.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.checks import PLACEHOLDER, Check, load_checks
from scanner.verify.checks_judge import fields, judge
from scanner.verify.checks_link import (
    Link,
    elsewhere,
    host_of_link,
    is_pair,
    links,
    missing,
    same_owner,
)
from scanner.verify.checks_render import render
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, Reply, TransportError
from scanner.verify.rights import plain_words
from scanner.verify.transport import Transport

CALIBRATION = "calibration"
_IDENTITY = (
    "login", "username", "email", "user.email", "user.login", "user.name", "user.username",
    "data.email", "data.username", "data.name", "account.email", "account.name", "name",
    "user", "account", "organization.name", "org_name", "id",
)  # fmt: skip
_EXPIRES = ("expires_at", "expires_on", "expiry", "result.expires_on")
_LONGEST = 200
_CONSENTS: Mapping[str, tuple[str, Callable[[Consent], bool]]] = {
    "found-host": ("--allow-found-hosts", lambda consent: consent.found_hosts),
    "login": ("--allow-login", lambda consent: consent.login),
    "costs": ("--allow-costs", lambda consent: consent.costs),
}


Rules = Callable[[str], Rule]
"""Rule id in, rule out; raises `KeyError`."""


def rule_of(finding: Finding, rules: Rules) -> Rule | None:
    """
    Return the rule that found it; `None` if it is of an older pack.
    """
    try:
        return rules(finding.rule_id)
    except KeyError:
        return None


class Declarative:
    """
    The checks of some folders, read when a provider is first met.
    """

    def __init__(self, folders: Sequence[Path], rules: Rules) -> None:
        self._folders = folders
        self._rules = rules
        self._lock = threading.Lock()
        self._checks: dict[str, tuple[Check, ...]] = {}
        self._proofs: dict[str, _Proof] = {}

    def checks(self, provider: str) -> tuple[Check, ...]:
        """
        Return what there is to ask this provider.
        """
        with self._lock:
            if provider not in self._checks:
                self._checks[provider] = tuple(
                    check for folder in self._folders for check in load_checks(folder, provider)
                )
            return self._checks[provider]

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        planned = []
        for link in self._permitted(finding, consent)[0]:
            try:
                request = render(link.check, link.values, finding=finding.fingerprint)
            except RefusedError:
                continue
            planned.append(Planned(host=request.host, method=request.method, path=request.shown))
        return planned

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.
        """
        chosen, excuse = self._permitted(finding, consent)
        if not chosen:
            return Verification(status=Status.NOT_TRIED, reason=excuse)
        verdicts: list[tuple[Status, str]] = []
        settled: set[str] = set()
        refused: set[str] = set()
        for link in chosen:
            host = link.check.host()
            if host in settled:
                continue
            status, reason, reply = self._ask(link, finding, transport)
            if status is Status.INACTIVE:
                # Another path of a host that knows the key to be dead adds nothing.
                settled.add(host)
                refused.add(host_of_link(link))
            if status is Status.ACTIVE and reply is not None:
                return _told(link, reply, reason)
            verdicts.append((status, reason))
        if all(status is Status.INACTIVE for status, _ in verdicts):
            other = elsewhere(finding, refused)
            if other is not None:
                doubt = f"refused, but perhaps of another server: {other} is named beside it"
                return Verification(status=Status.UNKNOWN, reason=doubt)
            return Verification(status=Status.INACTIVE, reason=verdicts[0][1])
        unsettled = next(reason for status, reason in verdicts if status is not Status.INACTIVE)
        return Verification(status=Status.UNKNOWN, reason=unsettled)

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return why nothing would be sent about a finding.
        """
        return self._permitted(finding, consent)[1] or "a value cannot stand in a request"

    def _permitted(self, finding: Finding, consent: Consent) -> tuple[list[Link], str]:
        checks = self.checks(finding.provider)
        if not checks:
            return [], "no check is known for this provider"
        found = links(finding, rule_of(finding, self._rules), checks)
        if not found:
            return [], f"not found beside it: {', '.join(missing(finding, checks))}"
        allowed = _own([link for link in found if not _lacking(link.check, consent)])
        if not allowed:
            flags = sorted({flag for link in found for flag in _lacking(link.check, consent)})
            return [], f"needs {', '.join(flags)}"
        return allowed, ""

    def _ask(
        self, link: Link, finding: Finding, transport: Transport
    ) -> tuple[Status, str, Reply | None]:
        try:
            request = render(link.check, link.values, finding=finding.fingerprint)
            if link.check.calibrate:
                doubt = self._proof(link, transport)
                if doubt is not None:
                    return Status.UNKNOWN, doubt, None
            reply = transport.send(request)
        except (RefusedError, TransportError) as error:
            return Status.UNKNOWN, str(error), None
        status, reason = judge(link.check, reply)
        if status is Status.INACTIVE and not link.sure:
            doubt = "the id beside it may be another's" if is_pair(link.check) else "not its kind"
            return Status.UNKNOWN, f"refused, but perhaps for another reason: {doubt}", None
        return status, reason, reply

    def _proof(self, link: Link, transport: Transport) -> str | None:
        """
        Return why the endpoint proves nothing, `None` if it refuses what cannot exist.

        Asked once a run for each check and each host.
        """
        host = render(link.check, link.values, finding=CALIBRATION).host
        with self._lock:
            proof = self._proofs.setdefault(f"{link.check.id} {host}", _Proof())
        with proof.turn:
            if not proof.asked:
                proof.doubt = _calibrate(link, transport)
                proof.asked = True
        return proof.doubt


class _Proof:
    """
    Whether an endpoint tells a real token from an impossible one.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.asked = False
        self.doubt: str | None = None


def _calibrate(link: Link, transport: Transport) -> str | None:
    check = link.check
    hosts = {name for name in check.companions() if f"{{{name}}}" in check.host()}
    values = {
        name: value if name in hosts else _impossible(name, len(value))
        for name, value in link.values.items()
    }
    try:
        reply = transport.send(render(check, values, finding=CALIBRATION))
    except (RefusedError, TransportError) as error:
        return f"calibration failed: {error}"
    if reply.status >= 500 or reply.status == 429:
        return f"calibration was answered {reply.status}"
    if judge(check, reply)[0] is Status.ACTIVE:
        return "a token that cannot exist is accepted too"
    return None


def _impossible(name: str, length: int) -> str:
    # Repeating digits: no issuer draws such a token, and nothing of the real one is in it.
    stem = hashlib.sha256(f"unsealed calibration {name}".encode()).hexdigest()[:4]
    return (f"{stem}unsealed" + "0" * length)[: max(16, length)]


def _own(chosen: list[Link]) -> list[Link]:
    """
    Return the links without those for a self-hosted server where the host is the public one.
    """
    fixed = [host_of_link(link) for link in chosen if not link.check.guesses_host()]
    return [
        link
        for link in chosen
        if PLACEHOLDER.fullmatch(link.check.host()) is None
        or not any(same_owner(host_of_link(link), host) for host in fixed)
    ]


def _lacking(check: Check, consent: Consent) -> list[str]:
    return [
        flag
        for need, (flag, given) in _CONSENTS.items()
        if need in check.needs and not given(consent)
    ]


def _told(link: Link, reply: Reply, reason: str) -> Verification:
    check = link.check
    hidden = [v for k, v in link.values.items() if k == "secret" or len(v) >= 16]

    def safe(paths: tuple[str, ...]) -> tuple[str, ...]:
        values = (_clean(value) for value in fields(reply, paths))
        # A reply may echo what it was sent; that must not reach a report.
        return tuple(v for v in values if v and not any(h in v or v in h for h in hidden))

    def first(paths: tuple[str, ...]) -> str | None:
        return next(iter(safe(paths)), None)

    scopes = safe(check.scopes)
    return Verification(
        status=Status.ACTIVE,
        identity=first(check.identity or _IDENTITY),
        scopes=scopes,
        created_at=first(check.created),
        last_used_at=first(check.last_used),
        expires_at=first(check.expires or _EXPIRES),
        reason=reason,
        rights=plain_words(check.provider, scopes),
    )


def _clean(value: str) -> str:
    return "".join(c for c in value if c.isprintable())[:_LONGEST]
