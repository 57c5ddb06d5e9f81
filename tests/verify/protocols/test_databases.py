"""
PostgreSQL, MariaDB and Redis themselves: every answer read right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from scanner.model import Status
from tests.verify.protocols.scene import HOST, REFUSED, ask, ask_about, found_in, judge
from tests.verify.protocols.servers import (
    PASSWORD,
    Running,
    as_user,
    free_port,
    owned_by,
    run,
    tool,
)

pytestmark = pytest.mark.servers
ESCAPED = PASSWORD.replace("-", "%2D")
LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("pg")
    owned_by(folder, "postgres")
    server = Running(free_port(), folder)
    data, user = str(folder / "data"), as_user("postgres")
    (folder / "pw").write_text(PASSWORD)
    run([*user, tool("initdb"), "-D", data, "-U", "boss", "--auth-host=scram-sha-256",
         "--auth-local=trust", f"--pwfile={folder}/pw", "-N"], cwd="/")  # fmt: skip
    with (folder / "data" / "pg_hba.conf").open("r+") as hba:
        rules = hba.read()
        hba.seek(0)
        hba.write("host all open 127.0.0.1/32 trust\nhost all old 127.0.0.1/32 md5\n"
                  "host all clear 127.0.0.1/32 password\nhost all banned 127.0.0.1/32 reject\n" + rules)  # fmt: skip
    server.start(
        [*user, tool("postgres"), "-D", data, "-p", str(server.port), "-k", str(folder),
         "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"], cwd="/")  # fmt: skip
    run(
        [*user, tool("psql"), "-h", str(folder), "-p", str(server.port), "-U", "boss", "-d", "postgres", "-v", "ON_ERROR_STOP=1"],
        f"""
        create role app login password '{PASSWORD}'; create role nobody password '{PASSWORD}';
        create role late login password '{PASSWORD}' valid until '2020-01-01';
        create role soon login password '{PASSWORD}' valid until '2099-01-01 00:00+00';
        create role gone login password '{PASSWORD}'; alter role gone password null;
        create role old login; create role clear login password '{PASSWORD}';
        create role open login; create role banned login password '{PASSWORD}';
        create role full login password '{PASSWORD}' connection limit 0;
        create role reader login password '{PASSWORD}'; grant pg_read_all_data to reader;
        set password_encryption = 'md5'; alter role old password '{PASSWORD}';
        create database orders; create database closed; revoke connect on database closed from public;
        """,
        cwd="/",
    )  # fmt: skip
    yield server
    server.stop()


POSTGRESQL = {
    "a superuser": (f"boss:{PASSWORD}@{HOST}/orders", LIVE, "superuser"),
    "a plain role": (f"app:{PASSWORD}@{HOST}/orders", LIVE, ""),
    "a role of a group": (f"reader:{PASSWORD}@{HOST}/orders", LIVE, "pg_read_all_data"),
    "a wrong password": (f"app:wrong-{PASSWORD}@{HOST}/orders", DEAD, "28P01"),
    "an unknown role": (f"who:{PASSWORD}@{HOST}/orders", DEAD, "28P01"),
    "an expired role": (f"late:{PASSWORD}@{HOST}/orders", DEAD, "28P01"),
    "a revoked password": (f"gone:{PASSWORD}@{HOST}/orders", DEAD, "28P01"),
    "no such database": (f"app:{PASSWORD}@{HOST}/nowhere", LIVE, "3D000"),
    "no right to the database": (f"app:{PASSWORD}@{HOST}/closed", LIVE, "42501"),
    "no right to log in": (f"nobody:{PASSWORD}@{HOST}/orders", LIVE, "28000"),
    "no connection left": (f"full:{PASSWORD}@{HOST}/orders", LIVE, "53300"),
    "md5": (f"old:{PASSWORD}@{HOST}/orders", LIVE, ""),
    "md5, wrong": (f"old:wrong-{PASSWORD}@{HOST}/orders", DEAD, "28P01"),
    "in the clear": (f"clear:{PASSWORD}@{HOST}/orders", LIVE, ""),
    "in the clear, wrong": (f"clear:wrong-{PASSWORD}@{HOST}/orders", DEAD, "28P01"),
    "a user whom nobody asks": (f"open:{PASSWORD}@{HOST}/orders", UNSURE, "without the password"),
    "a user who is kept out": (f"banned:{PASSWORD}@{HOST}/orders", UNSURE, "28000"),
    "encryption that it lacks": (f"app:{PASSWORD}@{HOST}/orders?sslmode=require", UNSURE, "encrypt"),
    "a wrong password of a bare name": (f"app:wrong-{PASSWORD}@127.0.0.1:PORT/x", UNSURE, "another server"),
    "a password in escapes": (f"app:{ESCAPED}@{HOST}/orders", LIVE, ""),
    "a wrong password in escapes": (f"app:x{ESCAPED}@{HOST}/orders", UNSURE, "escaped"),
}  # fmt: skip


@pytest.mark.parametrize(("url", "status", "word"), POSTGRESQL.values(), ids=POSTGRESQL)
def test_postgresql_is_read_right(
    postgresql: Running, url: str, status: Status | str, word: str
) -> None:
    url = url.replace("PORT", str(postgresql.port))

    judge(f"postgresql://{url}", postgresql.port, status, word)


def test_the_end_of_a_role_is_told(postgresql: Running) -> None:
    verdict = ask(f"postgres://soon:{PASSWORD}@{HOST}/orders", postgresql.port)

    assert verdict.expires_at == "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("my")
    owned_by(folder, "mysql")
    server = Running(free_port(), folder)
    data = f"--datadir={folder}/data"
    run([tool("mariadb-install-db"), "--no-defaults", "--user=mysql", data,
         "--auth-root-authentication-method=normal", "--skip-test-db"])  # fmt: skip
    sock = f"--socket={folder}/s"
    server.start([tool("mariadbd"), "--no-defaults", "--user=mysql", "--bind-address=127.0.0.1",
                  f"--port={server.port}", data, sock, f"--pid-file={folder}/pid"])  # fmt: skip
    run(
        [tool("mariadb"), "--no-defaults", sock, "-u", "root"],
        f"""
        create database orders; create database closed;
        create user boss identified by '{PASSWORD}'; grant all on *.* to boss with grant option;
        create user app identified by '{PASSWORD}'; grant select, insert on orders.* to app;
        create user shut identified by '{PASSWORD}' account lock;
        create user late identified by '{PASSWORD}' password expire;
        create user far@10.9.9.9 identified by '{PASSWORD}';
        create user gone identified by '{PASSWORD}'; set password for gone = password('other-one');
        """,
    )
    yield server
    server.stop()


MARIADB = {
    "a root": (f"boss:{PASSWORD}@{HOST}/orders", LIVE, "everything on the whole server"),
    "a user who may little": (f"app:{PASSWORD}@{HOST}/orders", LIVE, "select, insert"),
    "no database named": (f"app:{PASSWORD}@{HOST}", LIVE, "select, insert"),
    "a wrong password": (f"app:wrong-{PASSWORD}@{HOST}/orders", REFUSED, "1045"),
    "an unknown user": (f"who:{PASSWORD}@{HOST}/orders", REFUSED, "1045"),
    "a changed password": (f"gone:{PASSWORD}@{HOST}/orders", REFUSED, "1045"),
    "a user of another host": (f"far:{PASSWORD}@{HOST}/orders", REFUSED, "1045"),
    "a locked account": (f"shut:{PASSWORD}@{HOST}/orders", LIVE, "4151"),
    "an expired password": (f"late:{PASSWORD}@{HOST}/", LIVE, ""),
    "no right to the database": (f"app:{PASSWORD}@{HOST}/closed", LIVE, "1044"),
    "no such database": (f"boss:{PASSWORD}@{HOST}/nowhere", LIVE, "1049"),
}


@pytest.mark.parametrize(("url", "status", "word"), MARIADB.values(), ids=MARIADB)
def test_mariadb_is_read_right(mariadb: Running, url: str, status: Status | str, word: str) -> None:
    judge(f"mysql://{url}", mariadb.port, status, word)
    assert "IDENTIFIED" not in repr(ask(f"mysql://{url}", mariadb.port))


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("redis")
    server = Running(free_port(), folder)
    (folder / "c").write_text(
        f"bind 127.0.0.1\nport {server.port}\ndir {folder}\nsave ''\nrequirepass {PASSWORD}\n"
        f"user app on >{PASSWORD} ~orders:* +get +ping\nuser off off >{PASSWORD} ~* +@all\n"
        f"user boss on >{PASSWORD} ~* &* +@all\nuser any on nopass ~* +get\n"
        f"user gone on >other-one ~* +@all\n"
    )
    server.start([tool("redis-server"), str(folder / "c")])
    yield server
    server.stop()


REDIS = {
    "the default user": (f":{PASSWORD}@{HOST}/0", LIVE, "every command"),
    "a user": (f"boss:{PASSWORD}@{HOST}", LIVE, "every command"),
    "a user who may little": (f"app:{PASSWORD}@{HOST}/0", LIVE, "some commands"),
    "a wrong password": (f":wrong-{PASSWORD}@{HOST}/0", DEAD, "WRONGPASS"),
    "an unknown user": (f"who:{PASSWORD}@{HOST}/0", DEAD, "WRONGPASS"),
    "a user that is off": (f"off:{PASSWORD}@{HOST}/0", DEAD, "WRONGPASS"),
    "a changed password": (f"gone:{PASSWORD}@{HOST}/0", DEAD, "WRONGPASS"),
    "a user whom any password opens": (f"any:{PASSWORD}@{HOST}/0", UNSURE, "any password"),
}


@pytest.mark.parametrize(("url", "status", "word"), REDIS.values(), ids=REDIS)
def test_redis_is_read_right(redis: Running, url: str, status: Status | str, word: str) -> None:
    judge(f"redis://{url}", redis.port, status, word)


SETTINGS = {
    "variables": "DB_CONNECTION=%(kind)s\nDB_HOST=%(host)s\nDB_DATABASE=orders\nDB_USERNAME=%(user)s\nDB_PASSWORD=%(password)s\n",
    "Spring": "spring.datasource.url=jdbc:%(kind)s://%(host)s/orders\nspring.datasource.username=%(user)s\nspring.datasource.password=%(password)s\n",
    "YAML": "database:\n  adapter: %(kind)s\n  host: %(host)s\n  database: orders\n  username: %(user)s\n  password: %(password)s\n",
    "JDBC": "url = jdbc:%(kind)s://%(host)s/orders?user=%(user)s&password=%(password)s\n",
    "ODBC": 'dsn = "Driver={%(kind)s};Server=%(host)s;Database=orders;Uid=%(user)s;Pwd=%(password)s;"\n',
    "a call": "%(kind)s.connect(host='%(host)s', user='%(user)s', password='%(password)s', database='orders')\n",
}  # fmt: skip
OWN_POSTGRESQL = {
    "a password file": "%(host)s:5432:orders:%(user)s:%(password)s\n",
    "a string of libpq": 'dsn = "host=%(host)s dbname=orders user=%(user)s password=%(password)s"\n',
    "a command": "PGPASSWORD=%(password)s psql -h %(host)s -U %(user)s orders\n",
}
OWN_MYSQL = {
    "an option file": "[client]\nhost=%(host)s\nuser=%(user)s\npassword=%(password)s\n",
    "a command": "mysqldump -h %(host)s -u %(user)s -p%(password)s orders\n",
    "WordPress": "define('DB_NAME', 'orders');\ndefine('DB_USER', '%(user)s');\ndefine('DB_PASSWORD', '%(password)s');\ndefine('DB_HOST', '%(host)s');\n$table_prefix = 'wp_';\n",
}  # fmt: skip
SETTINGS_REDIS = {
    "variables": "REDIS_HOST=%(host)s\nREDIS_USERNAME=%(user)s\nREDIS_PASSWORD=%(password)s\n",
    "a section": "redis:\n  host: %(host)s\n  username: %(user)s\n  password: %(password)s\n",
}
RIGHT_AND_WRONG = {
    "right": ("app", PASSWORD, LIVE),
    "wrong": ("app", f"wrong-{PASSWORD}", DEAD),
    "changed": ("gone", PASSWORD, DEAD),
}


def _asked(text: str, kind: str, user: str, password: str, port: int) -> Status:
    whole = text % {"kind": kind, "host": HOST, "user": user, "password": password}
    return ask_about(found_in(whole), port, believe=True).status


@pytest.mark.parametrize(
    ("user", "password", "status"), RIGHT_AND_WRONG.values(), ids=RIGHT_AND_WRONG
)
@pytest.mark.parametrize(
    "text", [pytest.param(t, id=i) for i, t in {**SETTINGS, **OWN_POSTGRESQL}.items()]
)
def test_a_password_of_postgresql_is_asked_about_wherever_its_host_is_set(
    postgresql: Running, text: str, user: str, password: str, status: Status
) -> None:
    assert _asked(text, "postgresql", user, password, postgresql.port) is status


@pytest.mark.parametrize(
    ("user", "password", "status"), RIGHT_AND_WRONG.values(), ids=RIGHT_AND_WRONG
)
@pytest.mark.parametrize(
    "text", [pytest.param(t, id=i) for i, t in {**SETTINGS, **OWN_MYSQL}.items()]
)
def test_a_password_of_mysql_is_asked_about_wherever_its_host_is_set(
    mariadb: Running, text: str, user: str, password: str, status: Status
) -> None:
    assert _asked(text, "mysql", user, password, mariadb.port) is status


@pytest.mark.parametrize(
    ("user", "password", "status"), RIGHT_AND_WRONG.values(), ids=RIGHT_AND_WRONG
)
@pytest.mark.parametrize("text", SETTINGS_REDIS.values(), ids=SETTINGS_REDIS)
def test_a_password_of_redis_is_asked_about_wherever_its_host_is_set(
    redis: Running, text: str, user: str, password: str, status: Status
) -> None:
    assert _asked(text, "redis", user, password, redis.port) is status


def test_a_value_that_stands_in_two_files_is_not_called_dead_for_one_of_them(
    mariadb: Running,
) -> None:
    text = SETTINGS["variables"] % {
        "kind": "mysql",
        "host": HOST,
        "user": "app",
        "password": f"x{PASSWORD}",
    }
    finding = found_in(text)
    twice = (*finding.occurrences, dataclasses.replace(finding.occurrences[0], path=b"b"))

    verdict = ask_about(dataclasses.replace(finding, occurrences=twice), mariadb.port)

    assert (verdict.status, "another file" in str(verdict.reason)) == (UNSURE, True)
