"""
Mail, directories, brokers and files: the servers themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.model import Status
from tests.verify.protocols.scene import HOST, REFUSED, judge
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
        f"host: 127.0.0.1\nport: {server.port}\nauthorization {{ users: [\n"
        f'{{user: far, password: "{PASSWORD}", allowed_connection_types: ["WEBSOCKET"]}},\n'
        f'{{user: app, password: "{PASSWORD}"}}, {{user: changed, password: "new-{PASSWORD}"}},\n'
        f'{{user: little, password: "{PASSWORD}", permissions: {{publish: {{deny: ">"}}, subscribe: {{deny: ">"}}}}}}] }}\n'
    )
    server.start([tool("nats-server"), "-c", str(folder / "c")])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("mqtt")
    owned_by(folder, "mosquitto")
    server = Running(free_port(), folder)
    for index, name in enumerate(("app", "little", "gone")):
        begin = ["-c"] if index == 0 else []
        run([tool("mosquitto_passwd"), *begin, "-b", str(folder / "pw"), name, PASSWORD])
    run([tool("mosquitto_passwd"), "-D", str(folder / "pw"), "gone"])
    (folder / "pw").chmod(0o644)
    (folder / "acl").write_text("user app\ntopic readwrite #\nuser little\ntopic deny #\n")
    (folder / "acl").chmod(0o644)
    (folder / "c").write_text(
        f"listener {server.port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/pw\n"
        f"acl_file {folder}/acl\n"
    )
    server.start([tool("mosquitto"), "-c", str(folder / "c")])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mosquitto_of_accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dynsec")
    server = Running(free_port(), folder)
    salt = b"twelve bytes"
    mark = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 101)
    coded = {"password": base64.b64encode(mark).decode(), "salt": base64.b64encode(salt).decode()}
    clients = [{"username": "app", "iterations": 101, **coded},
               {"username": "shut", "iterations": 101, "disabled": True, **coded}]  # fmt: skip
    (folder / "accounts.json").write_text(json.dumps({"clients": clients}))
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    (folder / "c").write_text(
        f"listener {server.port} 127.0.0.1\nallow_anonymous false\nplugin {plugin}\n"
        f"plugin_opt_config_file {folder}/accounts.json\n"
    )
    owned_by(folder, "mosquitto")
    shutil.chown(folder / "accounts.json", "mosquitto")
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
        f"moduleload ppolicy\ndatabase mdb\nsuffix dc=w\nrootdn cn=boss,dc=w\nrootpw {PASSWORD}\n"
        f"directory {folder}/db\noverlay ppolicy\nppolicy_default cn=rules,dc=w\n"
        "access to dn.exact=dc=w by dn.exact=cn=app,dc=w read by * auth\naccess to * by * auth\n"
    )
    rows = ["dn: dc=w\nobjectClass: dcObject\nobjectClass: organization\no: w\ndc: w"]
    rows.append(
        "dn: cn=rules,dc=w\nobjectClass: device\nobjectClass: pwdPolicy\ncn: rules\n"
        "pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxAge: 3600"
    )
    ages = {"app": "", "little": "", "late": "pwdChangedTime: 20200101000000Z",
            "shut": "pwdAccountLockedTime: 000001010000Z", "changed": ""}  # fmt: skip
    for name, more in ages.items():
        now = "pwdChangedTime: 20990101000000Z" if name != "late" else more
        words = PASSWORD if name != "changed" else f"new-{PASSWORD}"
        rows.append(
            f"dn: cn={name},dc=w\nobjectClass: person\ncn: {name}\nsn: x\nuserPassword: {words}\n{now}"
            + (f"\n{more}" if more and name != "late" else "")
        )
    (folder / "ldif").write_text("\n\n".join(rows) + "\n")
    run([tool("slapadd"), "-f", str(folder / "c"), "-l", str(folder / "ldif")])
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
    (folder / "users").write_text(
        f"app:{{PLAIN}}{PASSWORD}:1000:1000::{folder}/home::\n"
        f"shut:{{PLAIN}}{PASSWORD}:1000:1000::{folder}/home::nologin=yes\n"
        f"changed:{{PLAIN}}new-{PASSWORD}:1000:1000::{folder}/home::\n"
        f"little:{{PLAIN}}{PASSWORD}:1000:1000::/nowhere::\n"
        f"far:{{PLAIN}}{PASSWORD}:1000:1000::{folder}/home::allow_nets=10.9.9.9\n"
    )
    (folder / "users").chmod(0o644)
    (folder / "c").write_text(
        f"base_dir = {folder}/run\nlog_path = {folder}/log\nprotocols = imap\nssl = no\nlisten = 127.0.0.1\n"
        # Failures from one address would each be answered later than the last.
        "auth_failure_delay = 0\nservice anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"
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
    users = {b"app": password, b"changed": b"new-" + password}
    return AuthResult(success=users.get(data.login) == data.password, handled=False)
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
users.add_user("little", sys.argv[2], ".", perm="")
users.add_user("changed", "new-" + sys.argv[2], ".")
users.add_user("gone", sys.argv[2], ".")
users.remove_user("gone")
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
    "IMAP, wrong": (
        "dovecot",
        f"imap://app:wrong-{PASSWORD}@{HOST}",
        REFUSED,
        "AUTHENTICATIONFAILED",
    ),
    "SMTP": ("aiosmtpd", f"smtp://app:{PASSWORD}@{HOST}", LIVE, ""),
    "SMTP, wrong": ("aiosmtpd", f"smtp://app:wrong-{PASSWORD}@{HOST}", DEAD, "535"),
    "FTP": ("pyftpdlib", f"ftp://app:{PASSWORD}@{HOST}", LIVE, ""),
    "FTP, wrong": ("pyftpdlib", f"ftp://app:wrong-{PASSWORD}@{HOST}", REFUSED, "530"),
    "FTP, unknown": ("pyftpdlib", f"ftp://who:{PASSWORD}@{HOST}", REFUSED, "530"),
    "NATS": ("nats", f"nats://app:{PASSWORD}@{HOST}", LIVE, ""),
    "NATS, wrong": ("nats", f"nats://app:wrong-{PASSWORD}@{HOST}", REFUSED, "Authorization"),
    "NATS, unknown": ("nats", f"nats://who:{PASSWORD}@{HOST}", REFUSED, "Authorization"),
    "MQTT": ("mosquitto", f"mqtt://app:{PASSWORD}@{HOST}", LIVE, ""),
    "MQTT, wrong": ("mosquitto", f"mqtt://app:wrong-{PASSWORD}@{HOST}", UNSURE, "not authorized"),
    "LDAP": ("slapd", f"ldap://cn=boss,dc=w:{PASSWORD}@{HOST}", LIVE, "cn=boss"),
    "LDAP, wrong": ("slapd", f"ldap://cn=boss,dc=w:wrong-{PASSWORD}@{HOST}", REFUSED, "49"),
    "IMAP, unknown": ("dovecot", f"imap://who:{PASSWORD}@{HOST}", REFUSED, "AUTHENTICATIONFAILED"),
    "IMAP, changed": (
        "dovecot",
        f"imap://changed:{PASSWORD}@{HOST}",
        REFUSED,
        "AUTHENTICATIONFAILED",
    ),
    "IMAP, no mailbox": ("dovecot", f"imap://little:{PASSWORD}@{HOST}", LIVE, ""),
    "IMAP, locked": ("dovecot", f"imap://shut:{PASSWORD}@{HOST}", UNSURE, "CONTACTADMIN"),
    "SMTP, unknown": ("aiosmtpd", f"smtp://who:{PASSWORD}@{HOST}", DEAD, "535"),
    "SMTP, changed": ("aiosmtpd", f"smtp://changed:{PASSWORD}@{HOST}", DEAD, "535"),
    "FTP, removed": ("pyftpdlib", f"ftp://gone:{PASSWORD}@{HOST}", REFUSED, "530"),
    "FTP, changed": ("pyftpdlib", f"ftp://changed:{PASSWORD}@{HOST}", REFUSED, "530"),
    "FTP, may do nothing": ("pyftpdlib", f"ftp://little:{PASSWORD}@{HOST}", LIVE, ""),
    "NATS, changed": ("nats", f"nats://changed:{PASSWORD}@{HOST}", REFUSED, "Authorization"),
    "NATS, may do nothing": ("nats", f"nats://little:{PASSWORD}@{HOST}", LIVE, ""),
    "MQTT, may do nothing": ("mosquitto", f"mqtt://little:{PASSWORD}@{HOST}", LIVE, ""),
    "MQTT, removed": ("mosquitto", f"mqtt://gone:{PASSWORD}@{HOST}", UNSURE, "not authorized"),
    "MQTT, an account": ("mosquitto_of_accounts", f"mqtt://app:{PASSWORD}@{HOST}", LIVE, ""),
    "MQTT, locked": (
        "mosquitto_of_accounts",
        f"mqtt://shut:{PASSWORD}@{HOST}",
        UNSURE,
        "authorized",
    ),
    "LDAP, a user": ("slapd", f"ldap://cn=app,dc=w:{PASSWORD}@{HOST}", LIVE, "cn=app"),
    "LDAP, may do nothing": (
        "slapd",
        f"ldap://cn=little,dc=w:{PASSWORD}@{HOST}",
        LIVE,
        "cn=little",
    ),
    "LDAP, changed": ("slapd", f"ldap://cn=changed,dc=w:{PASSWORD}@{HOST}", REFUSED, "49"),
    "LDAP, locked": ("slapd", f"ldap://cn=shut,dc=w:{PASSWORD}@{HOST}", REFUSED, "49"),
    "LDAP, expired": ("slapd", f"ldap://cn=late,dc=w:{PASSWORD}@{HOST}", LIVE, "it has run out"),
    "LDAP, expired, wrong": ("slapd", f"ldap://cn=late,dc=w:no-{PASSWORD}@{HOST}", REFUSED, "49"),
    "IMAP, not from here": (
        "dovecot",
        f"imap://far:{PASSWORD}@{HOST}",
        REFUSED,
        "AUTHENTICATIONFAILED",
    ),
    "NATS, not in this way": ("nats", f"nats://far:{PASSWORD}@{HOST}", REFUSED, "Authorization"),
    "LDAP, unknown": ("slapd", f"ldap://cn=who,dc=w:{PASSWORD}@{HOST}", REFUSED, "49"),
}


@pytest.mark.parametrize(("server", "url", "status", "word"), CASES.values(), ids=CASES)
def test_each_answer_is_read_right(
    request: pytest.FixtureRequest, server: str, url: str, status: Status | str, word: str
) -> None:
    judge(url, request.getfixturevalue(server).port, status, word)
