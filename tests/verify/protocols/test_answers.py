"""
What each answer of a server amounts to, against servers of a few lines.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from scanner.model import Status
from scanner.verify.protocols.scram import Scram
from scanner.verify.protocols.target import Target, target_of
from scanner.verify.protocols.verifier import verifier
from scanner.verify.registry import Consent
from scanner.verify.request import TransportError
from scanner.verify.transport import Options, Transport
from tests.verify.conftest import Notes
from tests.verify.protocols.scene import HOST, REFUSED, ask, found, judge
from tests.verify.protocols.servers import PASSWORD

Serve = Callable[[list[bytes]], int]
GREETING = (
    b"\x0a5.5.5\0" + b"\1\0\0\0" + b"saltsalt" + b"\0" + b"\xff\xf7" + b"\x21" + b"\2\0" + b"\x0f\x80"
    + b"\x15" + b"\0" * 10 + b"saltsaltsalt\0" + b"mysql_native_password\0"
)  # fmt: skip


def error(code: str, text: str) -> bytes:
    body = f"SFATAL\0C{code}\0M{text}\0\0".encode()
    return b"E" + struct.pack("!I", len(body) + 4) + body


def auth(code: int, body: bytes = b"") -> bytes:
    return b"R" + struct.pack("!II", len(body) + 8, code) + body


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def failure(code: int, text: str = "said") -> bytes:
    return packet(2, b"\xff" + struct.pack("<H", code) + b"#HY000" + text.encode())


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return what starts a server that sends one piece after each thing it hears."""
    made = []

    def start(pieces: list[bytes], *, speaks_first: bool = False) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        made.append(listener)

        def talk() -> None:
            try:
                while True:
                    peer, _ = listener.accept()
                    with peer:
                        for index, piece in enumerate(pieces):
                            if (index or not speaks_first) and not peer.recv(1 << 16):
                                break
                            peer.sendall(piece)
            except OSError:
                return

        threading.Thread(target=talk, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in made:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


MD5 = auth(5, b"salt")
POSTGRESQL = {
    "wrong": ([MD5, error("28P01", "no")], Status.INACTIVE),
    "right": ([MD5, auth(0) + b"Z\0\0\0\5I", error("42501", "no")], Status.ACTIVE),
    "right, no database": ([MD5, auth(0) + error("3D000", "no")], Status.ACTIVE),
    "right, may not log in": ([MD5, auth(0) + error("28000", "no")], Status.ACTIVE),
    "kept out before the password": ([error("28000", "no pg_hba.conf entry")], Status.UNKNOWN),
    "starting up": ([error("57P03", "starting")], Status.UNKNOWN),
    "too many clients": ([error("53300", "full")], Status.UNKNOWN),
    "not asked": ([auth(0) + b"Z\0\0\0\5I"], Status.UNKNOWN),
    "Kerberos": ([auth(7)], Status.UNKNOWN),
    "cut short": ([MD5, error("28P01", "no")[:9]], Status.UNKNOWN),
    "silence": ([], Status.UNKNOWN),
    "a page": ([b"HTTP/1.1 200 OK\r\n\r\n<html>"], Status.UNKNOWN),
    "a huge answer": ([b"R\xff\xff\xff\xff" + b"x" * 99], Status.UNKNOWN),
}


@pytest.mark.parametrize(("pieces", "status"), POSTGRESQL.values(), ids=POSTGRESQL)
def test_postgresql(serve: Serve, pieces: list[bytes], status: Status) -> None:
    verdict = ask(f"postgresql://app:{PASSWORD}@{HOST}/orders", serve(pieces), seconds=2)

    assert verdict.status is status, verdict
    assert PASSWORD not in repr(verdict)


MYSQL = {
    "wrong": ([packet(0, GREETING), failure(1045)], REFUSED),
    "locked": ([packet(0, GREETING), failure(4151)], Status.ACTIVE),
    "locked, as MySQL says it": ([packet(0, GREETING), failure(3118)], Status.ACTIVE),
    "expired": ([packet(0, GREETING), failure(1862)], Status.ACTIVE),
    "no database": ([packet(0, GREETING), failure(1049)], Status.ACTIVE),
    "no right to the database": ([packet(0, GREETING), failure(1044)], Status.ACTIVE),
    "right": ([packet(0, GREETING), packet(2, b"\0\0\0\2\0\0\0"), failure(1820)], Status.ACTIVE),
    "host not allowed": ([packet(0, b"\xff\x6a\x04not allowed")], Status.UNKNOWN),
    "wants encryption": ([packet(0, GREETING), failure(3159)], Status.UNKNOWN),
    "wants the password": ([packet(0, GREETING), packet(2, b"\xfecaching_sha2_password\0" + b"s" * 20 + b"\0"), packet(4, b"\1\4")], Status.UNKNOWN),
    "another login": ([packet(0, GREETING), packet(2, b"\xfeauth_pam\0x")], Status.UNKNOWN),
    "a page": ([b"HTTP/1.1 200 OK\r\n\r\n<html>" + b"x" * 5000], Status.UNKNOWN),
    "a short greeting": ([packet(0, b"\x0a5\0")], Status.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "status"), MYSQL.values(), ids=MYSQL)
def test_mysql(serve: Callable[..., int], pieces: list[bytes], status: Status) -> None:
    port = serve(pieces, speaks_first=True)

    judge(f"mysql://app:{PASSWORD}@{HOST}/orders", port, status, "", seconds=2)


CLOSED = b"-NOAUTH no\r\n"
REDIS = {
    "wrong": ([CLOSED, b"-WRONGPASS no\r\n"], Status.INACTIVE),
    "wrong, before version 6": ([CLOSED, b"-ERR invalid password\r\n"], Status.INACTIVE),
    "right, may nothing": ([CLOSED, b"+OK\r\n", b"-NOPERM\r\n", b"-NOPERM\r\n", b"-WRONGPASS\r\n"], Status.ACTIVE),
    "any password": ([CLOSED, b"+OK\r\n", b"-NOPERM\r\n", b"-NOPERM\r\n", b"+OK\r\n"], Status.UNKNOWN),
    "open to all": ([b"+PONG\r\n", b"+OK\r\n"], Status.UNKNOWN),
    "loading": ([CLOSED, b"-LOADING\r\n"], Status.UNKNOWN),
    "a page": ([b"HTTP/1.1 200 OK\r\n"], Status.UNKNOWN),
    "cut short": ([CLOSED, b"-WRONG"], Status.UNKNOWN),
    "hung up after it": ([CLOSED, b"+OK\r\n"], Status.ACTIVE),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "status"), REDIS.values(), ids=REDIS)
def test_redis(serve: Serve, pieces: list[bytes], status: Status) -> None:
    verdict = ask(f"redis://:{PASSWORD}@{HOST}/0", serve(pieces), seconds=2)

    assert verdict.status is status, verdict


def test_a_server_that_drips_ends_in_time(serve: Serve) -> None:
    port = serve([b"+"])
    listener_holds = ask(f"redis://:{PASSWORD}@{HOST}/0", port, seconds=0.3)

    assert listener_holds.status is Status.UNKNOWN


def test_what_is_not_encrypted_does_not_leave_the_house(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.verify.protocols.link.is_inside", lambda *_: False)
    for url in (f"redis://:{PASSWORD}@{HOST}/0", f"mongodb://a:{PASSWORD}@{HOST}/"):
        verdict = ask(url, serve([b"+PONG\r\n", b"+OK\r\n"]), seconds=2)

        assert (verdict.status, verdict.reason) == (
            Status.UNKNOWN,
            "the server offers no encryption",
        )


def test_nothing_is_sent_without_consent() -> None:
    one, finding = verifier(), found(f"redis://:{PASSWORD}@{HOST}/0")
    transport = Transport(Notes(), Options())

    assert one.plan(finding, Consent()) == []
    assert one.verify(finding, transport, Consent()).status is Status.NOT_TRIED


def test_the_log_tells_of_a_login_and_not_its_secret(serve: Serve) -> None:
    notes = Notes()
    ask(f"redis://:{PASSWORD}@{HOST}/0", serve([CLOSED, b"-WRONGPASS no\r\n"]), notes=notes)

    assert [(n["method"], n["outcome"]) for n in notes.lines] == [
        ("redis", "connected"),
        ("redis", "inactive"),
    ]
    assert PASSWORD not in repr(notes.lines)


def test_the_log_says_that_nothing_was_sent() -> None:
    notes = Notes()
    transport = Transport(notes, Options(allow_found_hosts=True), resolve=lambda *_: ["10.0.0.1"])

    verifier().verify(found(f"redis://:{PASSWORD}@{HOST}/0"), transport, Consent(found_hosts=True))

    (line,) = notes.lines
    assert str(line["outcome"]).startswith("not sent: the name leads to")


PLACES = {
    "all parts": ("postgresql://app", "db.shop.net:5000/orders?sslmode=require", ("postgresql", "db.shop.net", 5000, "app", "orders")),
    "the least": ("redis://", "cache.shop.net", ("redis", "cache.shop.net", 6379, "", "")),
    "a driver": ("mysql+pymysql://app", "10.0.0.7/x", ("mysql", "10.0.0.7", 3306, "app", "x")),
    "an address": ("mysql://app", "[::1]:1/x", ("mysql", "::1", 1, "app", "x")),
    "a full stop after it": ("redis://", "cache.shop.net.", ("redis", "cache.shop.net", 6379, "", "")),
    "escapes": ("mysql://a%40b", "db.shop.net/a%20b", ("mysql", "db.shop.net", 3306, "a@b", "a b")),
}  # fmt: skip
NO_PLACES = {
    "an unknown kind": ("gopher://app", "shop.net"),
    "several hosts": ("mongodb://app", "a.shop.net:1,b.shop.net:2/x"),
    "a placeholder": ("mysql://app", "${HOST}/x"),
    "a part of a password": ("mysql://app", "ss@shop.net/x"),
    "no host": ("mysql://app", "/x"),
    "a name of a service": ("mongodb+srv://app", "cluster0.shop.net/x"),
}  # fmt: skip


@pytest.mark.parametrize(("login", "where", "parts"), PLACES.values(), ids=PLACES)
def test_a_url_tells_its_server(login: str, where: str, parts: tuple[object, ...]) -> None:
    target = target_of(login, where, "pw-7")

    assert target is not None
    assert (target.kind, target.host, target.port, target.user, target.path) == parts


@pytest.mark.parametrize(("login", "where"), NO_PLACES.values(), ids=NO_PLACES)
def test_a_url_that_tells_no_server_is_left_alone(login: str, where: str) -> None:
    assert target_of(login, where, "pw-7") is None


@pytest.mark.parametrize(
    ("login", "where", "first"),
    [
        ("mongodb://app", "db.shop.net/x?tls=true", True),
        ("mongodb://app", "db.shop.net/x?ssl=true", True),
        ("mongodb://app", "db.shop.net/x", False),
        ("rediss://", "cache.shop.net", True),
        ("postgresql://app", "db.shop.net/x?sslmode=require", False),
    ],
)
def test_encryption_begins_where_the_protocol_has_it(login: str, where: str, first: bool) -> None:
    target = target_of(login, where, "pw-7")

    assert target is not None
    assert target.tls is first


def test_a_password_does_not_print() -> None:
    assert "pw-7" not in repr(Target(kind="x", host="h", port=1, user="u", password="pw-7"))


def test_scram_fits_the_example_of_rfc_7677(monkeypatch: pytest.MonkeyPatch) -> None:
    scram = Scram("sha256", "user", "pencil")
    scram._nonce, scram._bare = "rOprNGfwEbeRWgbNEkqO", "n=user,r=rOprNGfwEbeRWgbNEkqO"
    server = (
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )

    assert scram.answer(server).endswith(b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    assert scram.proves(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert not scram.proves(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert not scram.proves(b"e=invalid-proof")


@pytest.mark.parametrize(
    "text", [b"", b"r=x", b"r=other,s=AA==,i=1", b"\xff", b"r=,s=,i=99999999999"]
)
def test_a_challenge_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(TransportError):
        Scram("sha256", "user", "pencil").answer(text)


CONNACK = b"\x20\2\0"
INFO = b'INFO {"auth_required":true}\r\n'
EHLO = b"250-x\r\n250 AUTH PLAIN\r\n"


def not_in(text: bytes, *policy: int | None) -> bytes:
    """LDAP's answer to a bind, with what a password policy has against it."""
    body = b"\x0a\1\x31\4\0\4" + bytes([len(text)]) + text
    whole = b"\2\1\2\x61" + bytes([len(body)]) + body
    for error in policy:
        value = b"" if error is None else b"\x81\1" + bytes([error])
        value = b"\x30" + bytes([len(value)]) + value
        name = b"1.3.6.1.4.1.42.2.27.8.5.1"
        one = b"\4" + bytes([len(name)]) + name + b"\4" + bytes([len(value)]) + value
        one = b"\x30" + bytes([len(one)]) + one
        whole += b"\xa0" + bytes([len(one)]) + one
    return b"\x30" + bytes([len(whole)]) + whole


OTHERS = {
    "MQTT, bad login": ("mqtt", False, [CONNACK + b"\4"], Status.INACTIVE),
    "MQTT, not authorized": ("mqtt", False, [CONNACK + b"\5"], Status.UNKNOWN),
    "MQTT, open to all": ("mqtt", False, [CONNACK + b"\0"], Status.UNKNOWN),
    "MQTT, unavailable": ("mqtt", False, [CONNACK + b"\3"], Status.UNKNOWN),
    "NATS, wrong": ("nats", True, [INFO, b"-ERR 'Authorization Violation'\r\n"], REFUSED),
    "NATS, too many": ("nats", True, [INFO, b"-ERR 'maximum connections exceeded'\r\n"], Status.UNKNOWN),
    "NATS, open to all": ("nats", True, [b"INFO {}\r\n"], Status.UNKNOWN),
    "NATS, a page": ("nats", True, [b"HTTP/1.1 200 OK\r\n"], Status.UNKNOWN),
    "SMTP, wrong": ("smtp", True, [b"220 x\r\n", EHLO, b"535 5.7.8 Authentication credentials invalid\r\n"], Status.INACTIVE),
    "SMTP, Postfix": ("smtp", True, [b"220 x\r\n", EHLO, b"535 5.7.8 Error: authentication failed\r\n"], REFUSED),
    "SMTP, another way in": ("smtp", True, [b"220 x\r\n", EHLO, b"535 5.7.8 see https://x.test\r\n"], Status.UNKNOWN),
    "SMTP, later": ("smtp", True, [b"220 x\r\n", EHLO, b"454 4.7.0 later\r\n"], Status.UNKNOWN),
    "SMTP, open to all": ("smtp", True, [b"220 x\r\n", EHLO, b"235 ok\r\n"], Status.UNKNOWN),
    "IMAP, wrong": ("imap", True, [b"* OK\r\n", b"a2 NO [AUTHENTICATIONFAILED] no\r\n"], REFUSED),
    "IMAP, out of order": ("imap", True, [b"* OK\r\n", b"a2 NO [UNAVAILABLE] no\r\n"], Status.UNKNOWN),
    "FTP, wrong": ("ftp", True, [b"220 x\r\n", b"331 x\r\n", b"530 Login incorrect.\r\n"], REFUSED),
    "FTP, full": ("ftp", True, [b"220 x\r\n", b"331 x\r\n", b"530 too many users\r\n"], Status.UNKNOWN),
    "LDAP, wrong": ("ldap", False, [b"\x30\x0c\2\1\2\x61\7\x0a\1\x31\4\0\4\0"], REFUSED),
    "LDAP, wrong, says Active Directory": ("ldap", False, [not_in(b"80090308: data 52e, v4563")], Status.INACTIVE),
    "LDAP, no such user, says it": ("ldap", False, [not_in(b"80090308: data 525, v4563")], Status.INACTIVE),
    "LDAP, right, but off": ("ldap", False, [not_in(b"80090308: data 533, v4563")], Status.ACTIVE),
    "LDAP, locked, says it": ("ldap", False, [not_in(b"80090308: data 775, v4563")], Status.UNKNOWN),
    "LDAP, right, but run out": ("ldap", False, [not_in(b"", 0)], Status.ACTIVE),
    "LDAP, locked by a policy": ("ldap", False, [not_in(b"", 1)], Status.UNKNOWN),
    "LDAP, a policy without an error": ("ldap", False, [not_in(b"", None)], REFUSED),
    "LDAP, busy": ("ldap", False, [b"\x30\x0c\2\1\2\x61\7\x0a\1\x33\4\0\4\0"], Status.UNKNOWN),
    "LDAP, damaged": ("ldap", False, [b"\x30\x03\2\1\2"], Status.UNKNOWN),
    "AMQP, a page": ("amqp", False, [b"HTTP/1.1 200 OK\r\n"], Status.UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "first", "pieces", "status"), OTHERS.values(), ids=OTHERS)
def test_other_servers(
    serve: Callable[..., int], kind: str, first: bool, pieces: list[bytes], status: Status
) -> None:
    port = serve(pieces, speaks_first=first)

    judge(f"{kind}://app:{PASSWORD}@{HOST}", port, status, "", seconds=2)
