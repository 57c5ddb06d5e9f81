"""
Container, npm and Python registries, git and a page behind a login: the servers themselves.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scanner.cli import main
from scanner.model import Status
from tests.verify.cloud.servers import free_port, running, tool
from tests.verify.conftest import Notes
from tests.verify.protocols.servers import run
from tests.verify.web.scene import HOST, OTHER, PASSWORD, ask, call, coded

pytestmark = pytest.mark.servers
LIVE, DEAD, UNSURE = Status.ACTIVE, Status.INACTIVE, Status.UNKNOWN


def docker(user: str, password: str) -> str:
    return json.dumps({"auths": {f"http://{HOST}": {"auth": coded(user, password)}}})


def npmrc(line: str) -> str:
    return f"registry=http://{HOST}/\n//{HOST}/:{line}\n"


def pypirc(user: str, password: str) -> str:
    return f"[shop]\nrepository: http://{HOST}/simple/\nusername: {user}\npassword: {password}\n"


# --- containers


@pytest.fixture(scope="module")
def registry_users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    users = tmp_path_factory.mktemp("users") / "users"
    users.write_text(run([tool("htpasswd"), "-nbB", "app", PASSWORD]).strip() + "\n")
    return users


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, registry_users: Path) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "c.yml").write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: 127.0.0.1:{port}}}\n"
        f"auth: {{htpasswd: {{realm: registry, path: {registry_users}}}}}\n"
    )
    with running(["docker-registry", "serve", str(folder / "c.yml")], port, folder):
        yield port


CONTAINERS = {
    "live": ("app", PASSWORD, LIVE, "list every repository"),
    "wrong": ("app", OTHER, DEAD, "401"),
    "unknown user, or one that was removed": ("gone", PASSWORD, DEAD, "401"),
}


@pytest.mark.parametrize(
    ("user", "password", "status", "word"), CONTAINERS.values(), ids=CONTAINERS
)
def test_a_container_registry(
    registry: int, user: str, password: str, status: Status, word: str
) -> None:
    verdict = ask(docker(user, password), registry)

    assert (verdict.status, word in repr(verdict)) == (status, True), verdict


def test_a_login_is_removed_after_it_was_seen_alive(registry: int, registry_users: Path) -> None:
    before = registry_users.read_text()
    later = run([tool("htpasswd"), "-nbB", "leaving", PASSWORD]).strip()
    registry_users.write_text(f"{before}{later}\n")
    assert ask(docker("leaving", PASSWORD), registry).status is LIVE

    registry_users.write_text(before)
    os.utime(registry_users, (1, 1))  # it looks at the time of the last change alone

    assert ask(docker("leaving", PASSWORD), registry).status is DEAD


def test_the_command_tells_a_live_login_with_consent_alone(
    registry: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps({"auths": {f"http://127.0.0.1:{registry}": {"auth": coded("app", PASSWORD)}}})
    (tmp_path / "config.json").write_text(text)

    def verdict(*flags: str) -> str:
        main(["scan", str(tmp_path), "--verify", "-f", "json", "--no-progress", *flags])
        findings = json.loads(capsys.readouterr().out)["findings"]
        (one,) = (f for f in findings if f["rule"] == "docker-registry-auth")
        return str(one["verification"]["status"])

    assert verdict() == "not-tried"
    assert verdict("--allow-found-hosts") == "unknown"
    assert verdict("--allow-found-hosts", "--allow-private") == "active"


# --- npm


@dataclass
class Verdaccio:
    port: int
    folder: Path

    def user(self, name: str, password: str) -> str:
        """Make a user, and return its first token."""
        body = {"name": name, "password": password}
        status, answer = call("PUT", self.port, f"/-/user/org.couchdb.user:{name}", body)
        assert status == 201, answer
        return str(json.loads(answer)["token"])

    def expired(self, token: str) -> str:
        """Return a token as it was, but that its time is over, signed by the server's key."""
        secret = json.loads((self.folder / "storage" / ".verdaccio-db.json").read_text())["secret"]
        head, body, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        claims |= {"iat": 1_500_000_000, "nbf": 1_500_000_000, "exp": 1_500_000_600}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        mark = hmac.digest(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
        return f"{head}.{body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


@pytest.fixture(scope="module")
def verdaccio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verdaccio]:
    folder = tmp_path_factory.mktemp("verdaccio")
    port = free_port()
    (folder / "c.yaml").write_text(
        f"storage: {folder}/storage\nauth: {{htpasswd: {{file: {folder}/users}}}}\nuplinks: {{}}\n"
        "packages: {'**': {access: $authenticated, publish: staff}}\n"
        "security: {api: {legacy: false, jwt: {sign: {expiresIn: 1h}}}}\n"
        "log: {type: stdout, level: warn}\n"
    )
    command = ["verdaccio", "-c", str(folder / "c.yaml"), "-l", f"127.0.0.1:{port}"]
    with running(command, port, folder):
        yield Verdaccio(port, folder)


def test_a_token_of_npm(verdaccio: Verdaccio) -> None:
    token = verdaccio.user("app", PASSWORD)
    tampered = token[:-8] + token[-4:] + token[-8:-4]

    live = ask(npmrc(f"_authToken={token}"), verdaccio.port)
    wrong = ask(npmrc(f"_authToken={tampered}"), verdaccio.port)
    expired = ask(npmrc(f"_authToken={verdaccio.expired(token)}"), verdaccio.port)

    assert (live.status, live.identity) == (LIVE, "app"), live
    assert wrong.status is DEAD, wrong
    assert expired.status is DEAD, expired


def test_a_token_of_npm_that_may_only_read_and_is_revoked(verdaccio: Verdaccio) -> None:
    bearer = f"Bearer {verdaccio.user('maker', PASSWORD)}"
    wanted = {"password": PASSWORD, "readonly": True, "cidr_whitelist": []}
    path = "/-/npm/v1/tokens"
    status, answer = call("POST", verdaccio.port, path, wanted, Authorization=bearer)
    assert status == 200, answer
    made = json.loads(answer)
    line = npmrc(f"_authToken={made['token']}")

    live = ask(line, verdaccio.port)
    status, answer = call(
        "DELETE", verdaccio.port, f"{path}/token/{made['key']}", {}, Authorization=bearer
    )
    assert status == 200, answer
    revoked = ask(line, verdaccio.port)

    assert (live.status, live.identity) == (LIVE, "maker"), live
    assert (revoked.status, "403" in str(revoked.reason)) == (UNSURE, True), revoked


def test_a_password_of_npm_and_one_that_was_changed(verdaccio: Verdaccio) -> None:
    token = verdaccio.user("basic", PASSWORD)
    right = npmrc(f"_auth={coded('basic', PASSWORD)}")
    password = base64.b64encode(PASSWORD.encode()).decode()
    apart = f"//{HOST}/:username=basic\n" + npmrc(f"_password={password}")

    assert ask(right, verdaccio.port).status is LIVE
    assert ask(apart, verdaccio.port).identity == "basic"
    assert ask(npmrc(f"_auth={coded('basic', OTHER)}"), verdaccio.port).status is DEAD
    change = {"password": {"old": PASSWORD, "new": OTHER}}
    path, bearer = "/-/npm/v1/user", f"Bearer {token}"
    assert call("POST", verdaccio.port, path, change, Authorization=bearer)[0] == 200
    assert ask(right, verdaccio.port).status is DEAD


# --- Python packages


@pytest.fixture(scope="module")
def pypiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("pypi")
    port = free_port()
    (folder / "packages").mkdir()
    run([tool("htpasswd"), "-cbm", str(folder / "users"), "app", PASSWORD])
    command = [
        "pypi-server", "run", "-i", "127.0.0.1", "-p", str(port), "--server", "wsgiref",
        "-P", str(folder / "users"), "-a", "list,download,update", str(folder / "packages"),
    ]  # fmt: skip
    with running(command, port, folder):
        yield port


INDEXES = {
    "live, in its settings": (pypirc("app", PASSWORD), LIVE),
    "live, in a URL": (f"pip install -i http://app:{PASSWORD}@{HOST}/simple x\n", LIVE),
    # pypiserver says 403 to it, which others say of what is not allowed.
    "wrong": (pypirc("app", OTHER), UNSURE),
    "removed": (pypirc("gone", PASSWORD), UNSURE),
}


@pytest.mark.parametrize(("text", "status"), INDEXES.values(), ids=INDEXES)
def test_an_index_of_python_packages(pypiserver: int, text: str, status: Status) -> None:
    verdict = ask(text, pypiserver)

    assert verdict.status is status, verdict


# --- git


class _Backend(http.server.BaseHTTPRequestHandler):
    """git's own program behind a login, as a web server runs it."""

    protocol_version = "HTTP/1.0"
    root = ""
    passwords: dict[str, tuple[str, bool]] = {}  # noqa: RUF012 # set by the fixture
    """User → password, and whether he may push."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        word = (self.headers.get("Authorization") or "").partition(" ")[2]
        user, _, password = base64.b64decode(word).decode().partition(":")
        known, pushes = self.passwords.get(user, ("", False))
        path, _, query = self.path.partition("?")
        is_open = path.startswith("/open") and "receive" not in query
        if not is_open and (not known or known != password):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        if "receive" in query and not pushes:
            self.send_error(403)
            return
        env = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": "GET", "REMOTE_USER": user,
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], env=env, capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.decode().split(": ", 1) for line in head.splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def git_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("git")
    for name in ("a.git", "open.git"):
        run(["git", "init", "-q", "--bare", str(folder / name)])
    _Backend.root = str(folder)
    _Backend.passwords = {"app": (PASSWORD, True), "reader": (PASSWORD, False)}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


REPOSITORIES = {
    "live": (f"http://app:{PASSWORD}@{HOST}/a.git", LIVE, "push to"),
    "may only read": (f"http://reader:{PASSWORD}@{HOST}/a.git", LIVE, "('read the repository',)"),
    "wrong": (f"http://app:{OTHER}@{HOST}/a.git", DEAD, "401"),
    "removed": (f"http://gone:{PASSWORD}@{HOST}/a.git", DEAD, "401"),
    "another repository": (f"http://app:{PASSWORD}@{HOST}/none.git", LIVE, "404"),
    "open to readers": (f"http://app:{PASSWORD}@{HOST}/open.git", LIVE, "push to"),
    "open to readers, may not push": (f"http://reader:{PASSWORD}@{HOST}/open.git", LIVE, "403"),
    "open to readers, wrong": (f"http://app:{OTHER}@{HOST}/open.git", DEAD, "401"),
}


@pytest.mark.parametrize(("url", "status", "word"), REPOSITORIES.values(), ids=REPOSITORIES)
def test_a_repository(git_server: int, url: str, status: Status, word: str) -> None:
    notes = Notes()
    verdict = ask(f"git clone {url}\n", git_server, notes)

    assert (verdict.status, word in repr(verdict)) == (status, True), verdict
    assert PASSWORD not in repr(notes.lines) + repr(verdict)
