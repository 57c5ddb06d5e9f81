"""
Which server a password opens, where host, user and port stand apart from it.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import server_kinds, server_names
from scanner.detect.server import beside
from scanner.verify.protocols.target import target_of
from tests.lookalikes import fill

PASSWORD = fill("{{alnum:9}}-{{alnum:9}}")

FOUND = {
    "env": (
        "DB_CONNECTION=mysql\nDB_HOST=db.shop.net\nDB_PORT=3307\nDB_DATABASE=orders\nDB_USERNAME=app\nDB_PASSWORD=PW\n",
        "mysql://app@db.shop.net:3307/orders",
    ),
    "env, the kind by its port": (
        "export DB_HOST=db.shop.net\nexport DB_PORT=5432\nexport DB_USER=app\nexport DB_PASSWORD='PW'\n",
        "postgresql://app@db.shop.net:5432",
    ),
    "env, the kind by its words": (
        "POSTGRES_HOST=db.shop.net\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD=PW\nPOSTGRES_DB=orders\n",
        "postgresql://app@db.shop.net/orders",
    ),
    "libpq's own variables": (
        "PGHOST=db.shop.net\nPGUSER=app\nPGPASSWORD=PW\nPGDATABASE=orders\nPGSSLMODE=require\n",
        "postgresql://app@db.shop.net/orders?sslmode=require",
    ),
    "another server's settings beside it": (
        "REDIS_HOST=cache.shop.net\nREDIS_PASSWORD=other\nMYSQL_HOST=db.shop.net\nMYSQL_USER=app\nMYSQL_PASSWORD=PW\n",
        "mysql://app@db.shop.net",
    ),
    "Redis needs no user": (
        "REDIS_HOST=cache.shop.net\nREDIS_PORT=6380\nREDIS_PASSWORD=PW\nREDIS_TLS=true\n",
        "redis://@cache.shop.net:6380?sslmode=require",
    ),
    "root by its name": (
        "MYSQL_HOST=db.shop.net\nMYSQL_ROOT_PASSWORD=PW\n",
        "mysql://root@db.shop.net",
    ),
    "Spring with JDBC": (
        ("spring.datasource.url=jdbc:postgresql://db.shop.net:5433/orders?sslmode=verify-full\n"
        "spring.datasource.username=app\nspring.datasource.password=PW\n"),
        "postgresql://app@db.shop.net:5433/orders?sslmode=require",
    ),
    "Spring in YAML": (
        ("spring:\n  datasource:\n    url: jdbc:mysql://db.shop.net:3306/orders?useSSL=true\n    username: app\n"
        "    password: PW\n  mail:\n    host: mail.shop.net\n    password: other\n"),
        "mysql://app@db.shop.net:3306/orders?sslmode=require",
    ),
    "Spring and RabbitMQ": (
        "spring.rabbitmq.host=mq.shop.net\nspring.rabbitmq.username=app\nspring.rabbitmq.password=PW\n",
        "amqp://app@mq.shop.net",
    ),
    "Rails": (
        ("development:\n  adapter: sqlite3\n\nproduction:\n  adapter: postgresql\n  host: db.shop.net\n"
        "  database: orders\n  username: app\n  password: PW\n"),
        "postgresql://app@db.shop.net/orders",
    ),
    "sections of a YAML": (
        "mysql:\n  host: db.shop.net\n  user: app\n  password: PW\nredis:\n  host: cache.shop.net\n  password: other\n",
        "mysql://app@db.shop.net",
    ),
    "Django": (
        ("DATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.postgresql',\n        'NAME': 'orders',\n"
        "        'USER': 'app',\n        'PASSWORD': 'PW',\n        'HOST': 'db.shop.net',\n        'PORT': '5432',\n    }\n}\n"),
        "postgresql://app@db.shop.net:5432/orders",
    ),
    "Django's mail": (
        "EMAIL_HOST = 'smtp.shop.net'\nEMAIL_PORT = 587\nEMAIL_HOST_USER = 'app@shop.net'\nEMAIL_HOST_PASSWORD = 'PW'\n",
        "smtp://app%40shop.net@smtp.shop.net:587",
    ),
    "WordPress": (
        ("define( 'DB_NAME', 'orders' );\ndefine( 'DB_USER', 'app' );\ndefine( 'DB_PASSWORD', 'PW' );\n"
        "define( 'DB_HOST', 'db.shop.net' );\ndefine( 'DB_COLLATE', '' );\n"),
        "mysql://app@db.shop.net/orders",
    ),
    "an array of PHP": (
        "'mysql' => [\n    'host' => 'db.shop.net',\n    'username' => 'app',\n    'password' => 'PW',\n],\n",
        "mysql://app@db.shop.net",
    ),
    "a call": (
        "conn = psycopg2.connect(host='db.shop.net', user='app', password='PW', dbname='orders')\n",
        "postgresql://app@db.shop.net/orders",
    ),
    "a call of several lines": (
        "db = pymysql.connect(\n    host='db.shop.net',\n    user='app',\n    password='PW',\n)\n",
        "mysql://app@db.shop.net",
    ),
    "an object of JavaScript": (
        "const mysql = require('mysql2');\nconst pool = mysql.createPool({ host: 'db.shop.net', user: 'app', password: 'PW' });\n",
        "mysql://app@db.shop.net",
    ),
    "variables in camel case": (
        'String dbUrl = "jdbc:mariadb://db.shop.net/orders";\nString dbUser = "app";\nString dbPassword = "PW";\n',
        "mysql://app@db.shop.net/orders",
    ),
    "Kubernetes' names and values": (
        ('env:\n- name: DB_HOST\n  value: db.shop.net\n- name: DB_PORT\n  value: "3306"\n- name: DB_USER\n  value: app\n'
        "- name: DB_PASSWORD\n  value: PW\n"),
        "mysql://app@db.shop.net:3306",
    ),
    "XML": (
        "<mysql>\n  <host>db.shop.net</host>\n  <username>app</username>\n  <password>PW</password>\n</mysql>\n",
        "mysql://app@db.shop.net",
    ),
    "an option file": (
        "[client]\nuser=app\npassword=PW\nhost=db.shop.net\n\n[mysqldump]\nquick\n",
        "mysql://app@db.shop.net",
    ),
    "LDAP, quoted": (
        'LDAP_URL=ldaps://ldap.shop.net:636\nLDAP_BIND_DN="cn=app,dc=shop"\nLDAP_BIND_PASSWORD=PW\n',
        "ldap://cn%3Dapp%2Cdc%3Dshop@ldap.shop.net:636?sslmode=require",
    ),
    "a comment beside it does not count": (
        "# DB_HOST=old.shop.net\nDB_HOST=db.shop.net\nDB_PORT=3306\nDB_USER=app\nDB_PASSWORD=PW\n",
        "mysql://app@db.shop.net:3306",
    ),
    "two databases": (
        "DB1_HOST=a.shop.net\nDB1_USER=app\nDB1_PASSWORD=other\nDB2_HOST=b.shop.net\nDB2_USER=app\nDB2_PASSWORD=PW\nDB_TYPE=x\nuses mysql\n",
        "mysql://app@b.shop.net",
    ),
    "names that end alike": (
        "DB_HOST_PROD=a.shop.net\nDB_HOST_DEV=b.shop.net\nDB_USER_PROD=app\nDB_PASSWORD_PROD=PW\nDB_PORT_PROD=3306\n",
        "mysql://app@a.shop.net:3306",
    ),
    "pgpass": ("db.shop.net:5432:orders:app:PW\n", "postgresql://app@db.shop.net:5432/orders"),
    "pgpass, any database": ("db.shop.net:*:*:app:PW", "postgresql://app@db.shop.net/postgres"),
    "netrc of a file server": (
        "machine ftp.shop.net login app password PW\n",
        "ftp+netrc://app@ftp.shop.net",
    ),
    "netrc, the other way": (
        "machine ftp.shop.net\n  password PW\n  login app\n",
        "ftp+netrc://app@ftp.shop.net",
    ),
    "ODBC": (
        "Driver={PostgreSQL Unicode};Server=db.shop.net;Port=5432;Database=orders;Uid=app;Pwd=PW;sslmode=require;",
        "postgresql://app@db.shop.net:5432/orders?sslmode=require",
    ),
    "ADO.NET": (
        '"Default": "Server=db.shop.net;Port=3306;Database=orders;User Id=app;Password=PW;SslMode=Required"',
        "mysql://app@db.shop.net:3306/orders?sslmode=require",
    ),
    "Npgsql": (
        '"Default": "Host=db.shop.net;Database=orders;Username=app;Password=PW"',
        "postgresql://app@db.shop.net/orders",
    ),
    "JDBC with everything": (
        "url=jdbc:mysql://db.shop.net:3306/orders?user=app&password=PW&useSSL=true\n",
        "mysql://app@db.shop.net:3306/orders?sslmode=require",
    ),
    "a libpq string": (
        'dsn = "host=db.shop.net port=5432 dbname=orders user=app password=PW sslmode=require"',
        "postgresql://app@db.shop.net:5432/orders?sslmode=require",
    ),
    "a Redis client": (
        "Connection<host=cache.shop.net,port=6379,db=0,password=PW>>",
        "redis://@cache.shop.net:6379",
    ),
    "a command": (
        "mysqldump -h db.shop.net -P 3307 -u app -pPW orders > dump.sql\n",
        "mysql://app@db.shop.net:3307",
    ),
    "a command in two lines": (
        "PGPASSWORD=PW psql -h db.shop.net \\\n  -U app -d orders -c 'select 1'\n",
        "postgresql://app@db.shop.net/orders",
    ),
    "netrc of a web server": (
        "machine git.shop.net login app password PW\n",
        "web+netrc://app@git.shop.net",
    ),
    "a registry of Docker's": (
        '{"auths": {"a.shop.net": {"auth": "other"}, "b.shop.net:5000": {"auth": "PW"}, "c.shop.net": {"auth": "x"}}}',
        "docker+https://@b.shop.net:5000",
    ),
    "Docker's own": (
        '{"auths": {"https://index.docker.io/v1/": {"email": "a@shop.net", "auth": "PW"}}}',
        "docker+https://@index.docker.io/v1",
    ),
    "npm": ("//npm.shop.net:4873/team/:_authToken=PW\n", "npm.token+https://@npm.shop.net:4873/team"),
    "npm, in the clear": (
        "registry=http://npm.shop.net/\n//npm.shop.net/:_auth=PW\n",
        "npm.basic+http://@npm.shop.net",
    ),
    "npm's old form": ("registry=https://npm.shop.net/\n_auth=PW\n", "npm.basic+https://@npm.shop.net"),
    "npm, user and password": (
        "//npm.shop.net/:username=app\n//npm.shop.net/:_password=PW\n",
        "npm.password+https://app@npm.shop.net",
    ),
    "an index of Python packages": (
        "[pypi]\nusername: x\npassword: y\n\n[shop]\nrepository: https://pypi.shop.net/simple/\nusername: app\npassword: PW\n",
        "pypi+https://app@pypi.shop.net/simple",
    ),
    "curl": ("curl -sS -u app:PW https://api.shop.net/v1\n", "web+https://app@api.shop.net/v1"),
    "curl with a header": (
        "curl -H 'Authorization: Basic PW' https://api.shop.net/v1\n",
        "web+https://@api.shop.net/v1",
    ),
    "sshpass": ("sshpass -p 'PW' ssh -p 2222 app@web.shop.net uptime\n", "ssh://app@web.shop.net:2222"),
    "sshpass and scp": (
        "SSHPASS=PW sshpass -e scp -P 2222 \\\n  a.txt app@web.shop.net:/srv\n",
        "ssh://app@web.shop.net:2222",
    ),
    "settings of SSH": ("SSH_HOST=web.shop.net\nSSH_USER=app\nSSH_PASSWORD=PW\n", "ssh://app@web.shop.net"),
    "another command": (
        "redis-cli -h cache.shop.net -a PW ping\n",
        "redis://@cache.shop.net",
    ),
}  # fmt: skip

NOT_FOUND = {
    "no host": "DB_USER=app\nDB_PASSWORD=PW\nDB_PORT=3306\n",
    "no user": "DB_HOST=db.shop.net\nDB_PASSWORD=PW\nDB_PORT=3306\n",
    "no kind": "APP_HOST=www.shop.net\nAPP_USER=app\nAPP_PASSWORD=PW\n",
    "a kind that nobody asks": "DB_DRIVER=sqlsrv\nDB_HOST=db.shop.net\nDB_PORT=3306\nDB_USER=app\nDB_PASSWORD=PW\n",
    "a web service": "API_URL=https://api.shop.net\nAPI_USER=app\nAPI_PASSWORD=PW\nmysql\n",
    "two hosts": "DB_HOST=a.shop.net\nDB_USER=app\nDB_PORT=3306\nDB_PASSWORD=PW\nDB_HOST=b.shop.net\n",
    "two passwords": "DB_HOST=a.shop.net\nDB_USER=app\nDB_PORT=3306\nDB_PASSWORD=PW\nDB_PASSWORD=other\n",
    "another's host": "CACHE_HOST=a.shop.net\nDB_USER=app\nDB_PORT=3306\nDB_PASSWORD=PW\n",
    "a host that is kept elsewhere": "DB_HOST=${DB_HOST}\nDB_USER=app\nDB_PORT=3306\nDB_PASSWORD=PW\n",
    "a user that is kept elsewhere": "DB_HOST=db.shop.net\nDB_USER=$USER_NAME\nDB_PORT=3306\nDB_PASSWORD=PW\n",
    "a host of a sample": "DB_HOST=db.example.com\nDB_USER=app\nDB_PORT=3306\nDB_PASSWORD=PW\n",
    "the password in a comment": "DB_HOST=db.shop.net\nDB_USER=app\nDB_PORT=3306\n# DB_PASSWORD=PW\n",
    "another section": "[mysql]\nhost=db.shop.net\nuser=app\n\n[smtp]\npassword=PW\n",
    "another object": "a = {host: 'db.shop.net', user: 'app'}; mysql = {password: 'PW'}",
    "a name that is cut": "LDAP_URL=ldaps://ldap.shop.net\nLDAP_BIND_DN=cn=app,dc=shop\nLDAP_BIND_PASSWORD=PW\n",
    "a Redis user that is kept elsewhere": "REDIS_HOST=cache.shop.net\nREDIS_USER=${REDIS_USER}\nREDIS_PASSWORD=PW\n",
    "a port that is kept elsewhere": "REDIS_HOST=cache.shop.net\nREDIS_PORT=${REDIS_PORT}\nREDIS_PASSWORD=PW\n",
    "a socket": "DB_HOST=/var/run/mysql.sock\nDB_USER=app\nDB_PORT=3306\nDB_PASSWORD=PW\n",
    "pgpass for any host": "*:5432:orders:app:PW\n",
    "a request that writes": "curl -X POST -u app:PW https://api.shop.net/v1\n",
    "a request with a query": "curl -u app:PW https://api.shop.net/v1?run=1\n",
    "two requests in one": "curl -u app:PW https://a.shop.net https://b.shop.net\n",
    "an index without a user": "[shop]\nrepository: https://pypi.shop.net/\npassword: PW\n",
    "two index users": "[shop]\nrepository: https://pypi.shop.net/\nusername: a\nusername: b\npassword: PW\n",
    "npm's old form with two registries": "registry=https://a.shop.net/\n@x:registry=https://b.shop.net/\n_auth=PW\n",
    "Docker's, of no registry": '{"auths": {"auth": "PW"}}',
    "two hosts of sshpass": "sshpass -p PW scp app@a.shop.net:x app@b.shop.net:y\n",
    "sshpass without a user": "sshpass -p PW ssh web.shop.net\n",
    "SQL Server": "Server=db.shop.net;Database=orders;User Id=app;Password=PW;",
    "SQL Server by JDBC": "jdbc:sqlserver://db.shop.net:1433;user=app;password=PW",
    "several hosts of a cluster": "DB_HOST=a.shop.net,b.shop.net\nDB_PORT=3306\nDB_USER=app\nDB_PASSWORD=PW\n",
    "a command without a host": "mysqldump -u app -pPW orders\n",
    "plain words": "the password is PW on this host, for mysql users\n",
    "nothing": "PW",
}  # fmt: skip


def at(text: str) -> tuple[bytes, int, int]:
    data = text.replace("PW", PASSWORD).encode()
    start = data.index(PASSWORD.encode())
    return data, start, start + len(PASSWORD)


@pytest.mark.parametrize(("text", "url"), FOUND.values(), ids=FOUND)
def test_the_server_is_told(text: str, url: str) -> None:
    assert beside(*at(text)) == url.encode()


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_no_server_is_guessed(text: str) -> None:
    assert beside(*at(text)) is None


KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + fill("{{base64:64}}")
    + "\n-----END OPENSSH PRIVATE KEY-----"
)
KEYS = {
    "a Host of a configuration": (
        "Host w\n  HostName web.shop.net\n  User app\n  Port 2222\n\nKEY\n",
        "ssh://app@web.shop.net:2222",
    ),
    "a script": (
        "cat > k <<E\nKEY\nE\nchmod 600 k\nssh -i k -p 2222 app@web.shop.net uptime\n",
        "ssh://app@web.shop.net:2222",
    ),
    "a remote": (
        "GIT_SSH_COMMAND='ssh -i k' git clone ssh://git@git.shop.net:2222/a/b.git\nKEY\n",
        "ssh://git@git.shop.net:2222",
    ),
    "settings in YAML": (
        "deploy:\n  host: web.shop.net\n  username: app\n  port: 2222\n  ssh_key: |\n    KEY\n",
        "ssh://app@web.shop.net:2222",
    ),
    "an environment": (
        'SSH_HOST=web.shop.net\nSSH_USER=app\nSSH_PRIVATE_KEY="KEY"\n',
        "ssh://app@web.shop.net",
    ),
    "two hosts": ("ssh app@a.shop.net\nssh app@b.shop.net\nKEY\n", None),
    "two users": ("ssh a@web.shop.net\nssh b@web.shop.net\nKEY\n", None),
    "a host of a sample": ("ssh app@host\nKEY\n", None),
    "no user": ("Host w\n  HostName web.shop.net\n\nKEY\n", None),
    "nothing": ("KEY", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "url"), KEYS.values(), ids=KEYS)
def test_the_server_of_a_key_is_told_or_none(text: str, url: str | None) -> None:
    data = (
        text.replace("KEY", KEY, 1)
        if "PRIVATE_KEY" not in text
        else text.replace('"KEY', '"' + KEY)
    )
    start = data.index("-----BEGIN")
    told = beside(data.encode(), start, start + len(KEY))

    assert told == (None if url is None else url.encode())


def test_settings_of_a_database_are_no_ssh() -> None:
    data = ("host: db.shop.net\nuser: app\nkey: |\n" + KEY.replace("OPENSSH", "RSA")).encode()

    assert beside(data, data.index(b"-----BEGIN"), len(data)) is None


@given(
    st.text("aDB_=\n:'\"{}[](),.#;@/ \\PW$h0", max_size=120),
    st.text("aDB_=\n:'\"{}[]().;@h0", max_size=120),
)
def test_any_text_is_read_to_its_end(before: str, after: str) -> None:
    data = f"{before}{PASSWORD}{after}".encode()
    start = data.index(PASSWORD.encode())

    url = beside(data, start, start + len(PASSWORD))

    if url is not None:
        login, _, where = url.decode("ascii").rpartition("@")
        web = login.startswith(("web+", "docker+", "npm.", "pypi+"))
        assert web or target_of(login, where, PASSWORD) is not None


_KIND_PIECES = [
    "mysql",
    "elastic",
    "elastic_x",
    "pg",
    "h2",
    "pop3",
    "mailer",
    "_",
    "-",
    " ",
    "x",
    "9",
]


@given(st.lists(st.sampled_from(_KIND_PIECES), max_size=8).map("".join))
def test_the_kinds_of_a_text_are_those_of_its_words(text: str):
    found = {
        kind
        for kind, words in server_kinds._WORDS
        if re.search(rb"(?<![a-z0-9])(?:" + words + rb")(?![a-z0-9])", text.encode())
    }
    assert server_kinds.kinds_in(text.encode()) == found


@given(
    st.lists(
        st.sampled_from(["DB_PASSWORD", "['pw']", '"', " ", "\t", "=", "=>", ":", ":=", ">", "(", "x.y"]),
        max_size=8,
    ).map("".join)
)  # fmt: skip
def test_the_name_before_a_value_is_told_by_its_pattern(text: str):
    data = text.encode() + b"v"
    told = server_names._own_name(data, len(data) - 1)
    plainly = server_names._OWN_NAME.search(data, 0, len(data) - 1)
    assert (told and told.span()) == (plainly and plainly.span())
