"""
Mail, directories, brokers and files: the servers themselves.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from scanner.model import Status
from tests.verify.protocols.scene import HOST, ask
from tests.verify.protocols.servers import (
    PASSWORD,
    Running,
    free_port,
    owned_by,
    run,
    tool,
)

pytestmark = pytest.mark.servers
LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("nats")
    server = Running(free_port(), folder)
    (folder / "c").write_text(
        f'host: 127.0.0.1\nport: {server.port}\nauthorization {{ users: [{{user: app, password: "{PASSWORD}"}}] }}\n'
    )
    server.start([tool("nats-server"), "-c", str(folder / "c")])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("mqtt")
    owned_by(folder, "mosquitto")
    server = Running(free_port(), folder)
    run([tool("mosquitto_passwd"), "-c", "-b", str(folder / "pw"), "app", PASSWORD])
    (folder / "pw").chmod(0o644)
    (folder / "c").write_text(
        f"listener {server.port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/pw\n"
    )
    server.start([tool("mosquitto"), "-c", str(folder / "c")])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("ldap")
    server = Running(free_port(), folder)
    (folder / "db").mkdir()
    (folder / "c").write_text(
        "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        f"database mdb\nsuffix dc=w\nrootdn cn=boss,dc=w\nrootpw {PASSWORD}\ndirectory {folder}/db\n"
    )
    server.start(
        [tool("slapd"), "-d", "0", "-f", str(folder / "c"), "-h", f"ldap://127.0.0.1:{server.port}"]
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("imap")
    owned_by(folder, "dovecot")
    server = Running(free_port(), folder)
    (folder / "users").write_text(f"app:{{PLAIN}}{PASSWORD}:1000:1000::{folder}/home::\n")
    (folder / "users").chmod(0o644)
    (folder / "c").write_text(
        f"base_dir = {folder}/run\nlog_path = {folder}/log\nprotocols = imap\nssl = no\nlisten = 127.0.0.1\n"
        f"disable_plaintext_auth = no\nmail_location = maildir:{folder}/mail\n"
        f"service imap-login {{\n  inet_listener imap {{\n    port = {server.port}\n  }}\n"
        "  inet_listener imaps {\n    port = 0\n  }\n}\n"
        f"passdb {{\n  driver = passwd-file\n  args = {folder}/users\n}}\n"
        f"userdb {{\n  driver = passwd-file\n  args = {folder}/users\n}}\n"
    )
    server.start([tool("dovecot"), "-F", "-c", str(folder / "c")])
    yield server
    server.stop()


SMTP = """
import sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
port, password = int(sys.argv[1]), sys.argv[2].encode()
def check(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"app", password), handled=False)
Controller(object(), hostname="127.0.0.1", port=port, authenticator=check, auth_require_tls=False).start()
time.sleep(600)
"""
FTP = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
users = DummyAuthorizer()
users.add_user("app", sys.argv[2], ".")
FTPHandler.authorizer = users
FTPServer(("127.0.0.1", int(sys.argv[1])), FTPHandler).serve_forever()
"""


@pytest.fixture(scope="module")
def aiosmtpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(free_port(), tmp_path_factory.mktemp("smtp"))
    server.start([sys.executable, "-c", SMTP, str(server.port), PASSWORD])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pyftpdlib(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    server = Running(free_port(), tmp_path_factory.mktemp("ftp"))
    server.start([sys.executable, "-c", FTP, str(server.port), PASSWORD], cwd=server.folder)
    yield server
    server.stop()


CASES = {
    "IMAP": ("dovecot", f"imap://app:{PASSWORD}@{HOST}", LIVE, ""),
    "IMAP, wrong": ("dovecot", f"imap://app:wrong-{PASSWORD}@{HOST}", DEAD, "AUTHENTICATIONFAILED"),
    "SMTP": ("aiosmtpd", f"smtp://app:{PASSWORD}@{HOST}", LIVE, ""),
    "SMTP, wrong": ("aiosmtpd", f"smtp://app:wrong-{PASSWORD}@{HOST}", DEAD, "535"),
    "FTP": ("pyftpdlib", f"ftp://app:{PASSWORD}@{HOST}", LIVE, ""),
    "FTP, wrong": ("pyftpdlib", f"ftp://app:wrong-{PASSWORD}@{HOST}", DEAD, "530"),
    "FTP, unknown": ("pyftpdlib", f"ftp://who:{PASSWORD}@{HOST}", DEAD, "530"),
    "NATS": ("nats", f"nats://app:{PASSWORD}@{HOST}", LIVE, ""),
    "NATS, wrong": ("nats", f"nats://app:wrong-{PASSWORD}@{HOST}", DEAD, "Authorization"),
    "NATS, unknown": ("nats", f"nats://who:{PASSWORD}@{HOST}", DEAD, "Authorization"),
    "MQTT": ("mosquitto", f"mqtt://app:{PASSWORD}@{HOST}", LIVE, ""),
    "MQTT, wrong": ("mosquitto", f"mqtt://app:wrong-{PASSWORD}@{HOST}", UNSURE, "not authorized"),
    "LDAP": ("slapd", f"ldap://cn=boss,dc=w:{PASSWORD}@{HOST}", LIVE, "cn=boss"),
    "LDAP, wrong": ("slapd", f"ldap://cn=boss,dc=w:wrong-{PASSWORD}@{HOST}", DEAD, "49"),
    "LDAP, unknown": ("slapd", f"ldap://cn=who,dc=w:{PASSWORD}@{HOST}", DEAD, "49"),
}


@pytest.mark.parametrize(("server", "url", "status", "word"), CASES.values(), ids=CASES)
def test_each_answer_is_read_right(
    request: pytest.FixtureRequest, server: str, url: str, status: Status, word: str
) -> None:
    verdict = ask(url, request.getfixturevalue(server).port)

    assert (verdict.status, word in repr(verdict)) == (status, True), verdict
