"""
What each answer of a place of the web amounts to, and to whom the secret is never sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from scanner.model import Status, Verification
from scanner.verify.registry import Consent
from scanner.verify.transport import Transport
from scanner.verify.web.verifier import verifier
from tests.lookalikes import fill
from tests.verify.conftest import Notes
from tests.verify.provider import Asked, Behaviour, Provider, Say
from tests.verify.web.scene import ALLOWED, OTHER, PASSWORD, coded, found

LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN
HOST = "git.shop.net"
BASIC = {"WWW-Authenticate": 'Basic realm="x"'}
NO = Say(401, b"no", kind="text/plain", headers=BASIC)
GIT = "application/x-git-upload-pack-advertisement"
CLONE = f"git clone https://app:{PASSWORD}@{HOST}/a/b.git\n"
PAGE = f"url = https://app:{PASSWORD}@{HOST}/status\n"
DOCKER = json.dumps({"auths": {HOST: {"auth": coded("app", PASSWORD)}}})
TOKEN = fill("{{alnum:44}}")
NPM = f"//{HOST}/team/:_authToken={TOKEN}\n"

Ask = Callable[..., Verification]


@pytest.fixture
def ask(anywhere: Callable[..., Transport], provider: Provider) -> Ask:
    """Return what asks about a text, with a server that behaves so."""

    def about(text: str, behave: Behaviour) -> Verification:
        provider.behave = behave
        transport = anywhere(allow_found_hosts=True)
        return verifier().verify(found(text), transport, ALLOWED)

    return about


def login(asked: Asked) -> str:
    """What was sent to log in: `app`'s password, somebody else's, or nothing."""
    word = asked.headers.get("authorization", "")
    if not word:
        return "nothing"
    pair = base64.b64decode(word.partition(" ")[2]).decode() if word[:5] == "Basic" else word
    return "real" if PASSWORD in pair or TOKEN in pair else "nobody"


def guarded(real: Say, refusal: Say = NO) -> Behaviour:
    """Return a server that refuses all but the real one."""
    return lambda asked: real if login(asked) == "real" else refusal


GUARDED = {
    "accepted": (PAGE, Say(200, b"<html>", kind="text/html"), LIVE, ""),
    "refused": (PAGE, NO, DEAD, "401"),
    "refused for want of a token": (
        PAGE, Say(401, b"you must use a personal access token", headers=BASIC), UNSURE, "words"),
    "locked": (PAGE, Say(401, b"account is locked", headers=BASIC), UNSURE, "words"),
    "refused by something else": (PAGE, Say(401, b"", headers={"WWW-Authenticate": "Negotiate"}), UNSURE, "another kind"),
    "may do little": (PAGE, Say(403), LIVE, "403"),
    "nothing there": (PAGE, Say(404), LIVE, "404"),
    "redirect": (PAGE, Say(302, headers={"Location": "https://evil.test/"}), UNSURE, "302"),
    "too many": (PAGE, Say(429, headers={"Retry-After": "99"}), UNSURE, "429"),
    "broken": (PAGE, Say(500), UNSURE, "500"),
    "reset": (PAGE, Say(fault="reset"), UNSURE, ""),
    "cut": (PAGE, Say(fault="truncated"), UNSURE, "cut short"),
    "no HTTP": (PAGE, Say(fault="garbage"), UNSURE, "not HTTP"),
    "git accepted": (CLONE, Say(200, b"001e", kind=GIT), LIVE, "push"),
    "git's place is a page": (CLONE, Say(200, b"<html>", kind="text/html"), UNSURE, "not git"),
    "npm knows its name": (NPM, Say(200, b'{"username": "ada"}'), LIVE, "ada"),
    "npm refuses": (NPM, NO, DEAD, "401"),
    "npm knows nobody": (NPM, Say(200, b"{}"), UNSURE, "names nobody"),
    "Docker accepted": (DOCKER, Say(200), LIVE, "list every"),
    "Docker refuses": (DOCKER, NO, DEAD, "401"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "say", "status", "word"), GUARDED.values(), ids=GUARDED)
def test_each_answer_is_read_right(
    ask: Ask, text: str, say: Say, status: Status, word: str
) -> None:
    verdict = ask(text, guarded(say))

    assert (verdict.status, word in repr(verdict)) == (status, True), verdict


@pytest.mark.parametrize("text", [PAGE, CLONE, DOCKER, NPM], ids=["page", "git", "docker", "npm"])
@pytest.mark.parametrize(
    "everyone",
    [Say(200, b'{"username": "you"}'), Say(500), Say(302), Say(fault="reset")],
    ids=["open", "broken", "redirect", "reset"],
)
def test_where_anybody_is_answered_so_the_secret_is_not_sent(
    ask: Ask, provider: Provider, text: str, everyone: Say
) -> None:
    verdict = ask(text, lambda asked: everyone)

    assert verdict.status is UNSURE
    assert "real" not in [login(asked) for asked in provider.asked]


@pytest.mark.parametrize("text", [PAGE, CLONE, DOCKER, NPM], ids=["page", "git", "docker", "npm"])
def test_a_refused_secret_is_sent_once_and_read_only(
    ask: Ask, provider: Provider, notes: Notes, text: str
) -> None:
    ask(text, guarded(NO))

    assert [login(asked) for asked in provider.asked].count("real") == 1
    assert {asked.method for asked in provider.asked} == {"GET"}
    assert not {PASSWORD, TOKEN, coded("app", PASSWORD)} & set(repr(notes.lines).split("'"))


@pytest.mark.parametrize("fault", ["reset", "garbage", "truncated"])
def test_a_login_is_not_repeated_when_the_line_breaks(
    ask: Ask, provider: Provider, fault: str
) -> None:
    ask(PAGE, guarded(Say(fault=fault)))

    assert [login(asked) for asked in provider.asked].count("real") == 1


def test_a_ban_for_our_own_tries_is_no_sign_of_life(ask: Ask) -> None:
    tries: list[str] = []

    def behave(asked: Asked) -> Say:
        tries.append(login(asked))
        return NO if len(tries) < 3 else Say(403)

    assert ask(PAGE, behave).status is UNSURE


def test_one_place_is_calibrated_once_a_run(
    anywhere: Callable[..., Transport], provider: Provider
) -> None:
    provider.behave = guarded(NO)
    room, transport = verifier(), anywhere(allow_found_hosts=True)
    for password in (PASSWORD, OTHER):
        room.verify(found(PAGE.replace(PASSWORD, password)), transport, ALLOWED)

    logins = [asked.headers.get("authorization", "") for asked in provider.asked]
    assert [bool(word) for word in logins] == [False, True, True, True]


def service(realm: str) -> Behaviour:
    """A registry with a token service, which takes the real one alone."""
    bearer = {"WWW-Authenticate": f'Bearer realm="{realm}",service="shop"'}

    def behave(asked: Asked) -> Say:
        if asked.target.startswith("/v2/"):
            return Say(401, headers=bearer)
        good = login(asked) == "real"
        return Say(200, b'{"token": "t"}') if good else Say(401, b"{}")

    return behave


def test_a_token_service_of_the_same_domain_is_asked(ask: Ask, provider: Provider) -> None:
    verdict = ask(DOCKER, service("https://auth.shop.net/token"))

    assert verdict.status is LIVE
    assert {asked.host for asked in provider.asked} == {HOST, "auth.shop.net"}


def test_a_token_service_refuses(ask: Ask) -> None:
    other = DOCKER.replace(coded("app", PASSWORD), coded("app", OTHER))

    assert ask(other, service("https://auth.shop.net/token")).status is DEAD


REALMS = [
    "https://auth.evil.test/token",
    "https://shop.net.evil.test/token",
    "http://auth.shop.net/token",
    "https://x@auth.shop.net/token",
    "https://[::1/token",
    "//auth.shop.net/token",
    "https://169.254.169.254/token",
    "",
]


@pytest.mark.parametrize("realm", REALMS)
def test_no_other_token_service_is_sent_the_secret(
    ask: Ask, provider: Provider, realm: str
) -> None:
    verdict = ask(DOCKER, service(realm))

    assert verdict.status is UNSURE
    assert {asked.host for asked in provider.asked} == {HOST}
    assert "real" not in [login(asked) for asked in provider.asked]


DOUBTS = {
    "a service that wants tokens": f"git clone https://app:{PASSWORD}@github.com/a/b.git\n",
    "netrc says no service": f"machine {HOST} login app password {PASSWORD}\n",
    "a bare name": f"git clone https://app:{PASSWORD}@forge/a/b.git\n",
    "perhaps escaped": f"git clone https://app:{PASSWORD}%21x@{HOST}/a/b.git\n",
}


@pytest.mark.parametrize("text", DOUBTS.values(), ids=DOUBTS)
def test_a_refusal_is_doubted(ask: Ask, text: str) -> None:
    assert ask(text, lambda asked: NO).status is UNSURE


@pytest.mark.parametrize(
    "path", ["api/delete/7", "job/x/build", "logout", "hooks/7f", "cgi-bin/reset", "run"]
)
def test_a_path_that_may_be_a_deed_is_not_asked(ask: Ask, provider: Provider, path: str) -> None:
    verdict = ask(PAGE.replace("/status", f"/{path}"), guarded(Say()))

    assert (verdict.status, provider.asked) == (Status.NOT_TRIED, [])
    assert "deed" in str(verdict.reason)


@pytest.mark.parametrize("text", [PAGE, CLONE, DOCKER, NPM], ids=["page", "git", "docker", "npm"])
def test_nothing_is_sent_without_consent(
    anywhere: Callable[..., Transport], provider: Provider, text: str
) -> None:
    room = verifier()
    verdict = room.verify(found(text), anywhere(), Consent())

    assert (verdict.status, provider.asked) == (Status.NOT_TRIED, [])
    assert room.plan(found(text), Consent()) == []
    assert "--allow-found-hosts" in room.excuse(found(text), Consent())


@pytest.mark.parametrize("text", [PAGE, CLONE, DOCKER, NPM], ids=["page", "git", "docker", "npm"])
def test_the_plan_names_what_is_sent(ask: Ask, provider: Provider, text: str) -> None:
    planned = {p.path for p in verifier().plan(found(text), ALLOWED)}
    ask(text, guarded(Say(200, b'{"username": "ada"}', kind=GIT)))

    assert {asked.target for asked in provider.asked} <= planned


def test_nothing_is_said_in_the_clear_outside_of_the_house(
    notes: Notes,
) -> None:
    from scanner.verify.transport import Options

    options = Options(allow_private=True, allow_found_hosts=True)
    transport = Transport(notes, options, resolve=lambda host, port: ["93.184.216.34"])
    verdict = verifier().verify(found(PAGE.replace("https", "http")), transport, ALLOWED)

    assert (verdict.status, verdict.reason) == (UNSURE, "not encrypted")
