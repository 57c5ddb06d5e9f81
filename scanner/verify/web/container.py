"""
A container registry: `/v2/` by itself, or the token service that it names.

Protocol: https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import quote, urlsplit

from scanner.model import Status, Verification
from scanner.verify.checks_link import same_owner
from scanner.verify.request import RefusedError, Reply, TransportError
from scanner.verify.web.caller import Calibrated, Caller, active, calibrate, judge, refused, unknown

_PING = "/v2/"
_CATALOG = "/v2/_catalog?n=1"
_FIELD = re.compile(r'(\w+)="([^"]{1,500})"')


def paths() -> tuple[str, ...]:
    """
    Return what is asked, in order.
    """
    return (_PING, _CATALOG)


def ask(caller: Caller) -> Verification:
    """
    Return what the registry says of the credential.
    """
    hello = caller.stranger(_PING)
    challenge = hello.headers.get("www-authenticate", "")
    if hello.status != 401:
        word = "is open to anybody" if hello.status == 200 else f"answers {hello.status}"
        return unknown(f"the registry {word}")
    if challenge.lower().startswith("bearer"):
        return _by_token(caller, dict(_FIELD.findall(challenge)))
    before = calibrate(caller, _PING)
    if before.doubt is not None:
        return unknown(before.doubt)
    verdict = judge(caller, _PING, caller.real(_PING), before)
    if verdict.status is not Status.ACTIVE:
        return verdict
    return dataclasses.replace(verdict, rights=_rights(caller))


def _rights(caller: Caller) -> tuple[str, ...]:
    pull = "pull images of this registry"
    try:
        listed = caller.real(_CATALOG).status == 200
    except (RefusedError, TransportError):
        return (pull,)
    return ("list every repository of this registry", pull) if listed else (pull,)


def _by_token(caller: Caller, told: dict[str, str]) -> Verification:
    """
    Ask the token service; the token that it makes is for no repository, and is thrown away.
    """
    try:
        realm = urlsplit(told.get("realm", ""))
        port = realm.port
    except ValueError:
        return unknown("the registry names no token service")
    place = caller.place
    tls = realm.scheme == "https"
    host = (realm.hostname or "").lower()
    if not host or realm.username is not None or not same_owner(host, place.host):
        # A registry could name anybody, who would then be sent the password.
        return unknown("the registry names a token service of another domain")
    if not tls and (place.tls or realm.scheme != "http"):
        return unknown("the registry names a token service that is not encrypted")
    service = quote(told.get("service", ""), safe="")
    path = f"{realm.path or '/'}?service={service}"
    issuer = caller.at(host, port or (443 if tls else 80), tls=tls)
    # A stranger may have a token too, for what is public: only nobody's is no proof.
    before = issuer.calibrated(path, _calibrate_service)
    if before.doubt is not None:
        return unknown(before.doubt)
    reply = issuer.real(path)
    if reply.status == 200:
        return _told(issuer, reply)
    if reply.status == 401:
        return refused(place, _as_basic(reply))
    return judge(issuer, path, reply, before)


def _calibrate_service(issuer: Caller, path: str) -> Calibrated:
    status = issuer.nobody(path).status
    if status != 401:
        return Calibrated(f"the token service answers {status} to what cannot exist")
    return Calibrated(None)


def _told(issuer: Caller, reply: Reply) -> Verification:
    answer = reply.json()
    if not isinstance(answer, dict) or not (answer.get("token") or answer.get("access_token")):
        return unknown("the token service sent no token")
    return active(issuer.place, rights=("pull images that its user may see",))


def _as_basic(reply: Reply) -> Reply:
    # Token services take a Basic login by their specification, and need not say so.
    challenge = reply.headers.get("www-authenticate") or "Basic"
    return dataclasses.replace(reply, headers={**reply.headers, "www-authenticate": challenge})
