"""
Asks the registry, repository or page whose URL or settings stand around a password.
"""

from __future__ import annotations

from scanner.model import Finding, Status, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.registry import Consent, Planned
from scanner.verify.request import RefusedError, TransportError
from scanner.verify.transport import Transport
from scanner.verify.web import container, git, npm
from scanner.verify.web.caller import Calibrations, Caller, calibrate, judge, unknown
from scanner.verify.web.place import CONTAINER, GIT, INDEX, NPM, Place, places_of

_NEEDS = "needs --allow-found-hosts"
_DEED = "reading its path may be a deed"
# The public registry has a check of its own in the packs, which needs no flag.
_DECLARED = frozenset({"registry.npmjs.org"})


class Web:
    """
    See `Verifier`.
    """

    def __init__(self) -> None:
        self._known = Calibrations()

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:  # noqa: ARG002 # a protocol
        """
        See `Verifier.accepts`.
        """
        return bool(_places(finding))

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        See `Verifier.plan`.
        """
        if not consent.found_hosts:
            return []
        return [
            Planned(host=place.host, method="GET", path=path)
            for place in _places(finding)
            if not place.may_do_more
            for path in _paths(place)
        ]

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        See `Explains.excuse`.
        """
        if not consent.found_hosts:
            return _NEEDS
        return _DEED if any(place.may_do_more for place in _places(finding)) else "no place for it"

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        See `Verifier.verify`.
        """
        places = [place for place in _places(finding) if not place.may_do_more]
        if not consent.found_hosts or not places:
            return Verification(status=Status.NOT_TRIED, reason=self.excuse(finding, consent))
        verdicts = []
        for place in places:
            verdict = self._one(place, finding, transport)
            if verdict.status is Status.ACTIVE:
                return verdict
            verdicts.append(verdict)
        return next((v for v in verdicts if v.status is not Status.INACTIVE), verdicts[0])

    def _one(self, place: Place, finding: Finding, transport: Transport) -> Verification:
        caller = Caller(transport, place, finding.fingerprint, self._known)
        try:
            if place.kind == GIT:
                return git.ask(caller)
            if place.kind == CONTAINER:
                return container.ask(caller)
            if place.kind == NPM:
                return npm.ask(caller)
            return _ask_page(caller)
        except (RefusedError, TransportError) as error:
            # One of several places may not answer; the others are asked nevertheless.
            return unknown(str(error))


def verifier() -> Web:
    """
    Return the verifier of this module.
    """
    return Web()


def _places(finding: Finding) -> list[Place]:
    return [place for place in places_of(finding) if not (place.bearer and place.host in _DECLARED)]


def _paths(place: Place) -> tuple[str, ...]:
    match place.kind:
        case "git":
            return git.paths(place.path)
        case "container":
            return container.paths()
        case "npm":
            return npm.paths(place.path)
        case _:
            return (_page(place),)


def _page(place: Place) -> str:
    # A folder's name without its slash is answered with a redirect, which is not followed.
    return f"/{place.path}/" if place.kind == INDEX and place.path else f"/{place.path}"


def _ask_page(caller: Caller) -> Verification:
    path = _page(caller.place)
    before = calibrate(caller, path)
    if before.doubt is not None:
        return unknown(before.doubt)
    return judge(caller, path, caller.real(path), before)
