"""
OpenSSH's own server: passwords and keys of a system user who is made for it.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from scanner.model import Status, Verification
from scanner.verify.protocols import ssh_keys
from scanner.verify.protocols.verifier import verifier
from scanner.verify.transport import Limits, Options, Route, Transport
from tests.verify.conftest import Leap, Notes
from tests.verify.protocols.scene import ALLOWED, BELIEVE, HOST, ask_about, found_in
from tests.verify.protocols.servers import PASSWORD, Running, free_port, run, tool
from tests.verify.usable import engine, finding_of

pytestmark = pytest.mark.servers
LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN


@dataclass
class Sshd:
    port: int
    user: str
    home: Path
    folder: Path

    def password(self, user: str, password: str, *, believe: bool = False) -> Verification:
        """What the server says of a password."""
        text = f"sshpass -p '{password}' ssh {user}@{HOST} uptime\n"
        return ask_about(found_in(text), self.port, believe=believe)

    def half_a_password(self, user: str, password: str) -> Verification:
        """What the server says of it where a key is wanted too."""
        text = f"sshpass -p '{password}' ssh {user}@{HOST} uptime\n"
        return verifier().verify(found_in(text), self.transport(Notes(), "127.0.0.2"), ALLOWED)

    def transport(self, notes: Notes, address: str = "127.0.0.1") -> Transport:
        """A transport to one of the server's addresses."""
        options = Options(
            allow_private=True, allow_found_hosts=True, limits=Limits(seconds=20.0, rate=1e6)
        )
        routes = {HOST: Route(address, self.port)}
        leap = Leap()
        return Transport(notes, options, routes=routes, sleep=leap.sleep, clock=leap.clock)

    def key(
        self, user: str, pem: str, notes: Notes | None = None, address: str = "127.0.0.1"
    ) -> Verification:
        """What the server says of a private key."""
        from scanner.model import Document, Place
        from scanner.sources.batch import ListBatch

        text = f"Host w\n  HostName {HOST}\n  User {user}\n\n{pem}"
        batch = ListBatch([(Document(Place.FILE, path=b"a"), text.encode())])
        (finding,) = (
            finding_of(m) for m in engine().scanner().scan(batch) if m.rule_id == "private-key"
        )
        transport = self.transport(notes or Notes(), address)
        room = ssh_keys.verifier()
        assert room.accepts(finding, None), finding.companions
        return room.verify(finding, transport, ALLOWED)

    def authorize(self, *lines: str) -> None:
        """Say which keys open the account."""
        (self.folder / "keys").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    for above in (folder, *folder.parents[:2]):
        above.chmod(0o755)
    user = f"unsealed{secrets.token_hex(4)}"
    run(["useradd", "--no-create-home", "--home-dir", str(folder), "--shell", "/bin/sh", user])
    run(["chpasswd"], text=f"{user}:{PASSWORD}\n")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host")])
    Path("/run/sshd").mkdir(exist_ok=True)
    server = Running(free_port(), folder)
    (folder / "c").write_text(
        f"ListenAddress 127.0.0.1\nPort {server.port}\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/keys\nStrictModes no\nUsePAM no\nPermitRootLogin no\n"
        f"AllowUsers {user} nobody\nPasswordAuthentication yes\nMaxStartups 100\n"
        # Several ways are needed from another of the server's addresses.
        f"ListenAddress 127.0.0.2\nMatch LocalAddress 127.0.0.2\n"
        "  AuthenticationMethods password,publickey publickey,password\n"
    )
    try:
        server.start([tool("sshd"), "-D", "-e", "-f", str(folder / "c")])
        yield Sshd(server.port, user, folder, folder)
    finally:
        server.stop()
        subprocess.run(["userdel", user], capture_output=True, check=False)


@pytest.fixture
def mend(sshd: Sshd) -> Iterator[None]:
    """Undo what a test does to the account."""
    yield
    run(["chpasswd"], text=f"{sshd.user}:{PASSWORD}\n")
    run(["usermod", "-U", "-e", "", "-s", "/bin/sh", sshd.user])
    run(["chage", "-d", "2024-01-01", "-M", "99999", sshd.user])


def test_a_password_that_is_live_wrong_or_of_nobody(sshd: Sshd) -> None:
    live = sshd.password(sshd.user, PASSWORD)

    assert (live.status, live.identity) == (LIVE, sshd.user), live
    assert re.search(r"SHA256:[A-Za-z0-9+/]{43}", str(live.reason))
    for user, word in ((sshd.user, f"wrong-{PASSWORD}"), ("who", PASSWORD)):
        assert sshd.password(user, word).status is UNSURE
        assert sshd.password(user, word, believe=True).status is DEAD


@pytest.mark.usefixtures("mend")
def test_a_password_that_was_changed(sshd: Sshd) -> None:
    run(["chpasswd"], text=f"{sshd.user}:other-{PASSWORD}\n")

    verdict = sshd.password(sshd.user, PASSWORD)

    assert (verdict.status, BELIEVE in str(verdict.reason)) == (UNSURE, True), verdict


@pytest.mark.usefixtures("mend")
def test_a_user_who_may_do_little_is_live(sshd: Sshd) -> None:
    run(["usermod", "-s", "/usr/sbin/nologin", sshd.user])

    assert sshd.password(sshd.user, PASSWORD).status is LIVE


@pytest.mark.usefixtures("mend")
def test_an_account_that_is_locked_refuses_as_with_a_wrong_password(sshd: Sshd) -> None:
    run(["usermod", "-L", sshd.user])

    verdict = sshd.password(sshd.user, PASSWORD)

    assert (verdict.status, BELIEVE in str(verdict.reason)) == (UNSURE, True), verdict


@pytest.mark.usefixtures("mend")
def test_a_password_that_ran_out_is_not_taken_for_a_wrong_one(sshd: Sshd) -> None:
    run(["chage", "-d", "2020-01-01", "-M", "30", sshd.user])

    assert sshd.password(sshd.user, PASSWORD).status in (LIVE, UNSURE)


def test_half_of_what_is_wanted_is_not_called_dead(sshd: Sshd) -> None:
    pem, public = pair()
    sshd.authorize(public)

    assert sshd.half_a_password(sshd.user, PASSWORD).status is UNSURE
    assert sshd.half_a_password(sshd.user, f"wrong-{PASSWORD}").status is UNSURE
    assert "or for more" in str(sshd.key(sshd.user, pem, address="127.0.0.2").reason)


def pair() -> tuple[str, str]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    return key.export_private_key().decode(), key.export_public_key().decode().strip()


def test_a_key_that_is_live_wrong_revoked_or_ran_out(sshd: Sshd) -> None:
    pem, public = pair()
    other, _ = pair()
    notes = Notes()
    sshd.authorize(public)

    live = sshd.key(sshd.user, pem, notes)
    wrong = sshd.key(sshd.user, other)
    sshd.authorize(f'expiry-time="20200101" {public}')
    expired = sshd.key(sshd.user, pem)
    sshd.authorize()
    revoked = sshd.key(sshd.user, pem)

    assert (live.status, live.identity) == (LIVE, sshd.user), live
    # A key has no issuer: what one server refuses may open another.
    assert {v.status for v in (wrong, expired, revoked)} == {UNSURE}
    assert all("may open others" in str(v.reason) for v in (wrong, expired, revoked))
    assert [line["finding"] for line in notes.lines if line["path"] == "login"] == [
        "calibration",
        "f" * 32,
    ]


def test_a_key_that_may_do_little_and_one_of_rsa(sshd: Sshd) -> None:
    pem, public = pair()
    sshd.authorize(f'restrict,command="/bin/false" {public}')
    assert sshd.key(sshd.user, pem).status is LIVE

    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    sshd.authorize(rsa.export_public_key().decode().strip())
    assert sshd.key(sshd.user, rsa.export_private_key("pkcs1-pem").decode()).status is LIVE


def test_a_key_of_a_locked_account_is_not_called_dead(sshd: Sshd, mend: None) -> None:
    pem, public = pair()
    sshd.authorize(public)
    run(["usermod", "-L", sshd.user])

    assert sshd.key(sshd.user, pem).status is UNSURE
