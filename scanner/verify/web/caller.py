"""
One place of the web, asked: with nothing, with what cannot exist, and with the secret once.
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from scanner.model import Status, Verification
from scanner.verify.request import Reply, Request
from scanner.verify.transport import Transport
from scanner.verify.web.place import Place

CALIBRATION = "calibration"
# A refusal in such words may be of something else than the password.
_MORE = re.compile(
    r"(?i)\b(?:tokens?|two.?factor|2fa|mfa|one.?time|otp|app.?passwords?|(?:un)?locked|lockout"
    r"|disabled|blocked|banned|suspended|captcha|expired|rate limit|too many|network|ip address"
    r"|not allowed|sso|saml)\b"
)
_TAG = re.compile(r"<[^<>]{1,200}>")


@dataclass(frozen=True, slots=True)
class Calibrated:
    """
    How a place answers to nobody.
    """

    doubt: str | None
    """Why it proves nothing, `None` if it does."""

    status: int = 401


class Calibrations:
    """
    What each place answers to nobody, asked once a run.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[object, threading.Lock] = {}
        self._known: dict[object, Calibrated] = {}

    def of(self, key: object, ask: Callable[[], Calibrated]) -> Calibrated:
        """
        Return what is known of a place, asking if nothing is.
        """
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if key not in self._known:
                self._known[key] = ask()
        return self._known[key]


class Caller:
    """
    Asks one place about one credential.
    """

    def __init__(
        self, transport: Transport, place: Place, finding: str, known: Calibrations
    ) -> None:
        self._transport = transport
        self.place = place
        self._finding = finding
        self._known = known

    def calibrated(self, path: str, ask: Callable[[Caller, str], Calibrated]) -> Calibrated:
        """
        Return how a path answers to nobody.
        """
        place = self.place
        key = place.host, place.port, place.tls, place.bearer, path
        return self._known.of(key, lambda: ask(self, path))

    def stranger(self, path: str) -> Reply:
        """
        Return what somebody without a credential is answered.
        """
        return self._get(path, None, CALIBRATION)

    def nobody(self, path: str) -> Reply:
        """
        Return what a credential that cannot exist is answered; nothing of the real one is in it.
        """
        if self.place.bearer:
            return self._get(path, f"Bearer {secrets.token_hex(20)}", CALIBRATION)
        pair = f"unsealed-{secrets.token_hex(6)}:{secrets.token_hex(16)}".encode()
        return self._get(path, f"Basic {base64.b64encode(pair).decode('ascii')}", CALIBRATION)

    def real(self, path: str) -> Reply:
        """
        Return what the credential is answered; sent once, whatever comes of it.
        """
        return self._get(path, self.place.authorization, self._finding)

    def at(self, host: str, port: int, *, tls: bool) -> Caller:
        """
        Return the same for another host: the caller has seen to it that it is the issuer's.
        """
        place = self.place
        moved = Place(
            kind=place.kind, host=host, port=port, tls=tls, user=place.user,
            password=place.password, bearer=place.bearer, doubt=place.doubt,
        )  # fmt: skip
        return Caller(self._transport, moved, self._finding, self._known)

    def _get(self, path: str, authorization: str | None, finding: str) -> Reply:
        headers = {"Accept": "*/*"}
        if authorization is not None:
            headers["Authorization"] = authorization
        place = self.place
        return self._transport.send(
            Request(
                host=place.host,
                port=place.port,
                tls=place.tls,
                path=path,
                shown=path,
                finding=finding,
                headers=headers,
                found_host=True,
                once=authorization is not None and finding != CALIBRATION,
            )
        )


def calibrate(caller: Caller, path: str) -> Calibrated:
    """
    Return whether a place refuses a stranger and what cannot exist; asked once a run.
    """
    return caller.calibrated(path, _calibrate)


def _calibrate(caller: Caller, path: str) -> Calibrated:
    status = 401
    for name, reply in (("a stranger", caller.stranger(path)), ("nobody", caller.nobody(path))):
        if reply.status < 300:
            return Calibrated(f"the place is open to {name}")
        if reply.status not in (401, 403):
            return Calibrated(f"the place answers {reply.status} to {name}")
        status = reply.status
    return Calibrated(None, status)


def judge(caller: Caller, path: str, reply: Reply, before: Calibrated) -> Verification:
    """
    Return what an answer to the credential amounts to, where nobody was refused.
    """
    place, status = caller.place, reply.status
    if 200 <= status < 300:
        return active(place)
    if status == 401:
        return refused(place, reply)
    if status in (403, 404) and before.status == 401:
        # A ban for our own tries looks the same; then what cannot exist is banned too.
        if caller.nobody(path).status == 401:
            return active(place, reason=f"it is known there, but this place is answered {status}")
        return unknown(f"the server answers {status} to anybody by now")
    return unknown(f"the server answered {status}")


def refused(place: Place, reply: Reply) -> Verification:
    """
    Return what a 401 is worth.
    """
    challenge = reply.headers.get("www-authenticate", "").lower()
    wanted = "bearer" if place.bearer else "basic"
    if wanted not in challenge and not (place.bearer and "basic" in challenge):
        return unknown("refused, but by a server that asks for another kind of login")
    if _MORE.search(_TAG.sub(" ", reply.text()[:4096])):
        return unknown("refused in words that may mean something else than the password")
    if place.doubt is not None:
        return unknown(f"the server said 401, but {place.doubt}")
    return Verification(status=Status.INACTIVE, reason="the server said 401 to it")


def active(
    place: Place,
    *,
    identity: str | None = None,
    reason: str | None = None,
    rights: tuple[str, ...] = (),
) -> Verification:
    """
    Return that it was accepted.
    """
    shown = identity or place.user
    if place.password in shown:
        shown = ""
    return Verification(
        status=Status.ACTIVE, identity=shown[:200] or None, reason=reason, rights=rights
    )


def unknown(reason: str) -> Verification:
    """
    Return that nothing was learned, and why.
    """
    return Verification(status=Status.UNKNOWN, reason=reason)
