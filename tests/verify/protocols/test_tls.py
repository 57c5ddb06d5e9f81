"""
The servers themselves under TLS, from the first byte or later: who is trusted, and who is not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.model import Status
from tests.verify.protocols.scene import HOST, ask
from tests.verify.protocols.servers import (
    PASSWORD,
    Running,
    as_user,
    free_port,
    owned_by,
    run,
    tool,
)
from tests.verify.provider import Authority

pytestmark = pytest.mark.servers
Start = Callable[[Running, str], None]


def redis(server: Running, pem: str) -> None:
    (server.folder / "c").write_text(
        f"port 0\ntls-port {server.port}\nbind 127.0.0.1\ntls-auth-clients no\nrequirepass {PASSWORD}\n"
        f"tls-cert-file {pem}\ntls-key-file {pem}\ntls-ca-cert-file {pem}\nsave ''\n"
    )
    server.start([tool("redis-server"), str(server.folder / "c")], cwd=server.folder)


def nats(server: Running, pem: str) -> None:
    (server.folder / "c").write_text(
        f'host: 127.0.0.1\nport: {server.port}\ntls {{ cert_file: "{pem}", key_file: "{pem}" }}\n'
        f'authorization {{ users: [{{user: app, password: "{PASSWORD}"}}] }}\n'
    )
    server.start([tool("nats-server"), "-c", str(server.folder / "c")])


def mosquitto(server: Running, pem: str) -> None:
    folder = server.folder
    owned_by(folder, "mosquitto")
    run([tool("mosquitto_passwd"), "-c", "-b", str(folder / "pw"), "app", PASSWORD])
    (folder / "pw").chmod(0o644)
    (folder / "c").write_text(
        f"listener {server.port} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/pw\n"
        f"certfile {pem}\nkeyfile {pem}\n"
    )
    server.start([tool("mosquitto"), "-c", str(folder / "c")])


def slapd(server: Running, pem: str) -> None:
    folder = server.folder
    (folder / "db").mkdir()
    (folder / "c").write_text(
        f"TLSCertificateFile {pem}\nTLSCertificateKeyFile {pem}\n"
        "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
        f"database mdb\nsuffix dc=w\nrootdn cn=app,dc=w\nrootpw {PASSWORD}\ndirectory {folder}/db\n"
    )
    words = [
        tool("slapd"),
        "-d",
        "0",
        "-f",
        str(folder / "c"),
        "-h",
        f"ldaps://127.0.0.1:{server.port}",
    ]
    server.start(words)


def postgresql(server: Running, pem: str) -> None:
    folder = server.folder
    owned_by(folder, "postgres")
    key = folder / "key.pem"
    shutil.copy(pem, key)
    shutil.chown(key, "postgres", "postgres")
    key.chmod(0o600)
    data, user = str(folder / "data"), as_user("postgres")
    (folder / "pw").write_text(PASSWORD)
    run([*user, tool("initdb"), "-D", data, "-U", "app", "--auth-host=scram-sha-256",
         "--auth-local=trust", f"--pwfile={folder}/pw", "-N"], cwd="/")  # fmt: skip
    server.start(
        [*user, tool("postgres"), "-D", data, "-p", str(server.port), "-k", str(folder), "-c",
         "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "ssl=on", "-c", f"ssl_cert_file={key}",
         "-c", f"ssl_key_file={key}"], cwd="/")  # fmt: skip


SERVERS: dict[str, tuple[Start, str, bool]] = {
    # How it starts, its URL, and whether it says in words that a password is wrong.
    "Redis": (redis, "rediss://:PW@HOST/0", True),
    "NATS": (nats, "nats://app:PW@HOST?tls=true", True),
    "MQTT": (mosquitto, "mqtts://app:PW@HOST", False),
    "LDAP": (slapd, "ldaps://cn=app,dc=w:PW@HOST", True),
    "PostgreSQL": (postgresql, "postgresql://app:PW@HOST/postgres?sslmode=require", True),
}


@pytest.fixture(scope="module", params=SERVERS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[tuple[Running, str, bool]]:
    start, url, says = SERVERS[request.param]
    server = Running(free_port(), tmp_path_factory.mktemp("tls"))
    authority.context(HOST)
    pem = server.folder / "host.pem"
    shutil.copy(authority.file(HOST), pem)
    pem.chmod(0o644)
    try:
        start(server, str(pem))
        yield server, url.replace("HOST", HOST), says
    finally:
        server.stop()


def test_who_is_trusted_is_told_the_password_and_nobody_else(
    served: tuple[Running, str, bool], authority: Authority, tmp_path: Path
) -> None:
    server, url, says = served
    other = Authority(tmp_path)

    live = ask(url.replace("PW", PASSWORD), server.port, ca_file=authority.ca_file)
    wrong = ask(
        url.replace("PW", f"wrong-{PASSWORD}"),
        server.port,
        ca_file=authority.ca_file,
        believe=True,
    )
    stranger = ask(url.replace("PW", PASSWORD), server.port, ca_file=other.ca_file)

    assert live.status is Status.ACTIVE, live
    assert wrong.status is (Status.INACTIVE if says else Status.UNKNOWN), wrong
    assert (stranger.status, "certificate" in str(stranger.reason)) == (Status.UNKNOWN, True)
