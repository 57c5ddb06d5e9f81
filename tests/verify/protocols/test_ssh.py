"""
What each way of an SSH server amounts to, against servers of a few lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from scanner.errors import ConfigError
from scanner.model import Document, Finding, Place, Status, Verification
from scanner.secret import Secret
from scanner.sources.batch import ListBatch
from scanner.verify.protocols import ssh_keys
from scanner.verify.protocols.ssh_login import HostKeys
from scanner.verify.protocols.verifier import verifier
from scanner.verify.registry import Consent
from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.conftest import Leap, Notes
from tests.verify.protocols.scene import ALLOWED, HOST, found_in
from tests.verify.protocols.servers import PASSWORD
from tests.verify.usable import engine, finding_of

LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN
TEXT = f"sshpass -p '{PASSWORD}' ssh app@{HOST} uptime\n"
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
KEY_OF_RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
KEY = asyncssh.generate_private_key("ssh-ed25519")
KEY_OF_RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


class Server(asyncssh.SSHServer):
    """A server that takes one password, and nothing else, unless a child says more."""

    tried: list[str] = []  # noqa: RUF012 # emptied by the fixture

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self.tried.append(password)
        return (username, password) == ("app", PASSWORD)


class Anybody(Server):
    def begin_auth(self, username: str) -> bool:
        return False


class AnyPassword(Server):
    def validate_password(self, username: str, password: str) -> bool:
        self.tried.append(password)
        return True


class Asking(asyncssh.SSHServer):
    """A server that asks for the password as a question."""

    questions = (("Password: ", False),)

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> object:
        return "", "", "", list(self.questions)

    def validate_kbdint_response(self, username: str, responses: list[str]) -> bool:
        Server.tried.extend(responses)
        return (username, list(responses)) == ("app", [PASSWORD])


class AskingForACode(Asking):
    questions = (("Verification code: ", False),)


class RunOut(Server):
    def validate_password(self, username: str, password: str) -> bool:
        self.tried.append(password)
        if (username, password) == ("app", PASSWORD):
            raise asyncssh.PasswordChangeRequired("change it")
        return False


class Keys(asyncssh.SSHServer):
    """A server that takes one key."""

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "app" and key.public_data == KEY.public_data


class AnyKey(Keys):
    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return True


Serve = Callable[[type[asyncssh.SSHServer]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return what starts a server in a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    made = []
    Server.tried = []

    async def listen(kind: type[asyncssh.SSHServer]) -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(kind, "127.0.0.1", 0, server_host_keys=[HOST_KEY])

    def start(kind: type[asyncssh.SSHServer]) -> int:
        made.append(asyncio.run_coroutine_threadsafe(listen(kind), loop).result(20))
        return int(made[-1].get_port())

    async def end() -> None:
        for server in made:
            server.close()
            await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    yield start
    asyncio.run_coroutine_threadsafe(end(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def transport_to(port: int, notes: Notes | None = None, **options: object) -> Transport:
    given = {
        "allow_private": True,
        "allow_found_hosts": True,
        "limits": Limits(seconds=15.0, rate=1e6),
    }
    leap = Leap()
    return Transport(
        notes or Notes(),
        Options(**(given | options)),  # type: ignore[arg-type]
        routes={HOST: Route("127.0.0.1", port)},
        sleep=leap.sleep,
        clock=leap.clock,
    )


def password(port: int, text: str = TEXT, **options: object) -> Verification:
    return verifier().verify(found_in(text), transport_to(port, **options), ALLOWED)


WAYS = {
    "a password": (Server, TEXT, LIVE, "log in to this host as app"),
    "a wrong one": (Server, TEXT.replace(PASSWORD, f"x{PASSWORD}"), UNSURE, "--believe-refusals"),
    "another user": (Server, TEXT.replace("app@", "who@"), UNSURE, "--believe-refusals"),
    "anybody": (Anybody, TEXT, UNSURE, "without the password"),
    "any password": (AnyPassword, TEXT, UNSURE, "lets anybody in"),
    "a question": (Asking, TEXT, LIVE, "log in"),
    "a question, wrong": (
        Asking,
        TEXT.replace(PASSWORD, f"x{PASSWORD}"),
        UNSURE,
        "--believe-refusals",
    ),
    "a question for a code": (AskingForACode, TEXT, UNSURE, "something else"),
    "it must be changed": (RunOut, TEXT, LIVE, "must be changed"),
    "keys alone": (Keys, TEXT, UNSURE, "something else"),
}


@pytest.mark.parametrize(("kind", "text", "status", "word"), WAYS.values(), ids=WAYS)
def test_each_way_is_read_right(
    serve: Serve, kind: type[asyncssh.SSHServer], text: str, status: Status, word: str
) -> None:
    verdict = password(serve(kind), text)

    assert (verdict.status, word in repr(verdict)) == (status, True), verdict
    assert PASSWORD not in repr(verdict)


@pytest.mark.parametrize("kind", [Server, Asking])
def test_a_password_is_tried_once(serve: Serve, kind: type[asyncssh.SSHServer]) -> None:
    wrong = f"x{PASSWORD}"
    password(serve(kind), TEXT.replace(PASSWORD, wrong))

    assert Server.tried.count(wrong) == 1
    assert len(Server.tried) == 2, "what cannot exist, and the password"


def public(port: int, **options: object) -> Verification:
    """Ask as if the server stood outside of the house."""
    return password(port, allow_private=False, **options)


def known(folder: Path, key: asyncssh.SSHKey, mark: str = "") -> Path:
    file = folder / "known"
    file.write_text(f"{mark}{HOST} {key.export_public_key().decode()}")
    return file


def test_outside_of_the_house_a_password_is_for_a_known_host_alone(
    serve: Serve, tmp_path: Path
) -> None:
    port = serve(Server)
    other = asyncssh.generate_private_key("ssh-ed25519")

    for file in (None, known(tmp_path, other), known(tmp_path, HOST_KEY, "@revoked ")):
        verdict = public(port, known_hosts=file)
        assert (verdict.status, "--known-hosts" in str(verdict.reason)) == (UNSURE, True)
    assert Server.tried == []
    assert public(port, known_hosts=known(tmp_path, HOST_KEY)).status is LIVE


def test_a_list_of_known_hosts_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="known"):
        HostKeys(tmp_path / "none", needed=True)


def finding_of_key(pem: str) -> Finding:
    text = f"Host w\n  HostName {HOST}\n  User app\n\n{pem}"
    batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
    matches = engine().scanner().scan(batch)
    return next(finding_of(m) for m in matches if m.rule_id == "private-key")


def key(port: int, made: asyncssh.SSHKey, notes: Notes | None = None) -> Verification:
    finding = finding_of_key(made.export_private_key().decode())
    return ssh_keys.verifier().verify(finding, transport_to(port, notes), ALLOWED)


def test_a_key_is_live_where_it_opens_and_never_dead(serve: Serve) -> None:
    port = serve(Keys)
    notes = Notes()
    live = key(port, KEY, notes)
    other = key(port, asyncssh.generate_private_key("ssh-ed25519"))

    assert (live.status, live.identity) == (LIVE, "app")
    assert HOST_KEY.get_fingerprint() in str(live.reason)
    assert (other.status, "may open others" in str(other.reason)) == (UNSURE, True)
    assert "PRIVATE" not in repr(notes.lines)


def test_a_server_that_takes_any_key_or_anybody_proves_nothing(serve: Serve) -> None:
    assert key(serve(AnyKey), KEY).status is UNSURE
    assert key(serve(Anybody), KEY).status is UNSURE


@pytest.mark.parametrize("form", ["pkcs1-pem", "pkcs8-pem"])
def test_an_encrypted_key_is_not_tried(serve: Serve, form: str) -> None:
    sealed = KEY_OF_RSA.export_private_key(form, PASSWORD, cipher_name="aes256-cbc")
    finding = dataclasses.replace(
        finding_of_key(KEY.export_private_key().decode()), secret=Secret(sealed)
    )
    notes = Notes()
    room = ssh_keys.verifier()
    verdict = room.verify(finding, transport_to(serve(Keys), notes), ALLOWED)

    assert (verdict.status, notes.lines) == (Status.NOT_TRIED, [])
    assert "passphrase" in str(verdict.reason)
    assert room.plan(finding, ALLOWED) == []


def test_nothing_is_sent_without_consent(serve: Serve) -> None:
    finding, notes = finding_of_key(KEY.export_private_key().decode()), Notes()
    room = ssh_keys.verifier()
    verdict = room.verify(finding, transport_to(serve(Keys), notes), Consent())

    assert (verdict.status, notes.lines) == (Status.NOT_TRIED, [])
    assert room.plan(finding, Consent()) == []
    assert [p.method for p in room.plan(finding, ALLOWED)] == ["ssh"]


def test_without_the_library_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("scanner.verify.protocols.ssh", "scanner.verify.protocols.ssh_login"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "asyncssh", None)

    verdict = password(9)

    assert (verdict.status, "unsealed[databases]" in str(verdict.reason)) == (
        Status.NOT_TRIED,
        True,
    )


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\n\r\n", b"SSH-2.0-x\r\n\0\0\0\0", b""])
def test_what_is_no_ssh_settles_nothing(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for _ in range(2):
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        port = int(listener.getsockname()[1])
        assert password(port).status is UNSURE
        assert key(port, KEY).status is UNSURE
        thread.join()


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        verdict = password(port, limits=Limits(seconds=0.5))

    assert (verdict.status, "in time" in str(verdict.reason)) == (UNSURE, True), verdict
