"""
A hostile finding for every verifier in code that asks the server beside a secret: no
value leads inside the house, and nothing secret is said to whom no certificate proves.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import urllib.parse

import pytest

from scanner.model import Finding, Status
from scanner.secret import Secret
from scanner.verify.registry import Consent
from scanner.verify.transport import Limits, Options, Transport
from tests.verify.cloud.scene import ask, findings_in
from tests.verify.cloud.test_hostile_findings import HOSTILE, with_value
from tests.verify.conftest import Leap, Notes
from tests.verify.test_kubernetes import finding as cluster_token
from tests.verify.test_vault import approle, lease, token, userpass
from tests.verify.web.scene import coded

HOST = "db.widgets.test"
OUTSIDE = "8.8.8.8"
PASSWORD = "kT7mQz9xW2" + "pL4vB"
CONSENT = Consent(found_hosts=True, login=True, costs=True, canaries=True)
# What draws a client on: hello, no encryption here, and yes to whatever is asked.
GREETINGS = {
    "ftp": b"220 x\r\n500 no\r\n331 x\r\n230 x\r\n",
    "imap": b"* OK x\r\na1 NO x\r\na2 OK x\r\n",
    "ldap": b"\x30\x0c\2\1\1\x78\7\x0a\1\2\4\0\4\0\x30\x0c\2\1\2\x61\7\x0a\1\0\4\0\4\0",
    "mysql": b"\x0a\0\0\0\x0a8.0\0" + b"\1\0\0\0",
    "nats": b'INFO {"auth_required":true}\r\nPONG\r\n',
    "postgresql": b"NR\0\0\0\x08\0\0\0\3R\0\0\0\x08\0\0\0\0",
    "redis": b"-NOAUTH x\r\n+OK\r\n",
    "smtp": b"220 x\r\n250 AUTH PLAIN\r\n235 x\r\n",
}
KINDS = ("amqp", "ftp", "imap", "ldap", "mongodb", "mqtt", "mysql", "nats", "postgresql", "redis",
         "smtp", "ssh")  # fmt: skip
AUTH = coded("app", PASSWORD)
TEXTS = {
    **{kind: f"URL={kind}://app:{PASSWORD}@{HOST}/orders\n" for kind in KINDS},
    "settings": f"DB_CONNECTION=mysql\nDB_HOST={HOST}\nDB_USERNAME=app\nDB_PASSWORD={PASSWORD}\n",
    "git": f"git clone https://app:{PASSWORD}@{HOST}/a.git\n",
    "page": f"curl -u app:{PASSWORD} https://{HOST}/status\n",
    "container": json.dumps({"auths": {f"https://{HOST}": {"auth": AUTH}}}),
    "npm": f"registry=https://{HOST}/\n//{HOST}/:_authToken={AUTH}\n",
    "index": f"[shop]\nrepository: https://{HOST}/simple/\nusername: app\npassword: {PASSWORD}\n",
}
PATHS = {"container": ".docker/config.json", "npm": ".npmrc", "index": ".pypirc"}


def findings() -> dict[str, Finding]:
    """One of each kind, as the shipped rules find it."""
    vault = {"token": token(), "approle": approle(), "userpass": userpass(), "lease": lease()}
    found = {f"vault, {name}": finding for name, finding in vault.items()}
    found["cluster, token"] = cluster_token()
    for name, text in TEXTS.items():
        for rule, finding in findings_in(text, PATHS.get(name, "conf/.env")).items():
            if finding.companions:
                found[f"{name}, {rule}"] = finding
    return found


class Lured(Transport):
    """Connects to nobody; remembers whom it would have, and what was said."""

    def __init__(self, inside: str = "") -> None:
        leap = Leap()
        self.reached: list[str] = []
        self._said: list[socket.socket] = []
        self._inside = inside
        limits = Limits(
            seconds=5.0, rate=1e6, tries=1, patience=10**6, budget=None, run_seconds=1e9
        )
        options = Options(allow_found_hosts=True, limits=limits)
        super().__init__(Notes(), options, resolve=self._lead, sleep=leap.sleep, clock=leap.clock)
        self.kind = ""

    def _lead(self, host: str, port: int) -> list[str]:
        if self._inside:
            return [self._inside]
        if host.strip("[]").replace(".", "").replace(":", "").isalnum() and host[-1].isdigit():
            return [host.strip("[]")]
        return [OUTSIDE]

    def _socket(self, host: str, port: int, deadline: float, *, found_host: bool) -> socket.socket:
        self.reached.append(self._where(host, port, found_host)[0])
        ours, theirs = socket.socketpair()
        theirs.sendall(GREETINGS.get(self.kind, b""))
        theirs.shutdown(socket.SHUT_WR)
        self._said.append(theirs)
        return ours

    def said(self) -> bytes:
        """Everything that was said in the clear, since the last time."""
        words = b""
        for sock in self._said:
            with sock:
                sock.setblocking(False)
                try:
                    words += sock.recv(1 << 20)
                except OSError:
                    continue
        self._said.clear()
        return words


def variants(finding: Finding) -> list[Finding]:
    """It, and with each hostile value in each place."""
    names = ("secret", *dict.fromkeys(c.name for c in finding.companions))
    found = [with_value(finding, name, value) for name in names for value in HOSTILE]
    return [
        finding,
        *(dataclasses.replace(one, fingerprint=f"{n:032x}") for n, one in enumerate(found)),
    ]


ALL = findings()


def test_every_kind_is_there() -> None:
    assert all(any(name.startswith(f"{kind}, ") for name in ALL) for kind in TEXTS)


@pytest.mark.parametrize("name", ALL)
def test_nothing_secret_is_said_to_whom_nothing_proves(name: str) -> None:
    transport = Lured()
    transport.kind = name.partition(",")[0]
    for finding in variants(ALL[name]):
        verdict = ask(finding, transport, consent=CONSENT)

        words, secret = transport.said(), secret_of(finding)
        assert verdict.status in {Status.UNKNOWN, Status.NOT_TRIED}, (finding, verdict)
        assert not secret or secret not in words, finding
        assert not secret or urllib.parse.quote(secret).encode() not in words, finding
    assert set(transport.reached) == {OUTSIDE}
    transport.close()


@pytest.mark.parametrize("inside", ["169.254.169.254", "127.0.0.1", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("name", ALL)
def test_no_name_leads_inside(name: str, inside: str) -> None:
    transport = Lured(inside)

    verdict = ask(ALL[name], transport, consent=CONSENT)

    assert verdict.status in {Status.UNKNOWN, Status.NOT_TRIED}
    assert not transport.reached


def secret_of(finding: Finding) -> bytes:
    """The secret, where it is long enough to be told from chance."""
    whole = finding.secret.reveal() if isinstance(finding.secret, Secret) else b""
    return whole if len(whole) >= 8 and whole not in HOSTILE else b""
