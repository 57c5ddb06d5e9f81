"""
Real emulators on free loopback ports, with our TLS server in front in every provider's name.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.verify.provider import Asked, Behaviour, Say

_SECONDS = 60


def tool(name: str) -> str:
    """Return the tool's path; fail, and not skip, where it is not installed."""
    tools = Path(os.environ.get("UNSEALED_TOOLS", "/nowhere"))
    places = os.pathsep.join(
        [os.environ["PATH"], str(tools / "venv" / "bin"), str(tools / "node_modules" / ".bin")]
    )
    found = shutil.which(name, path=places)
    assert found, f"{name} is not installed: run .ci/install, and set UNSEALED_TOOLS to its folder"
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], port: int, folder: Path, **env: str) -> Iterator[int]:
    """Start a server, wait until it answers, end it."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [tool(command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **env},
        )
        try:
            _wait(process, port, folder / "server.log")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"no answer on its port: {log.read_text(errors='replace')[-2000:]}")


def forward(port: int) -> Behaviour:
    """Hand every request on as it came, host and all, and the answer back."""

    def behave(asked: Asked) -> Say:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.putrequest(
                asked.method, asked.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in asked.headers.items():
                connection.putheader(name, value)
            connection.endheaders(asked.body or None)
            answer = connection.getresponse()
            headers = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in {"content-type", "content-length", "connection",
                                        "transfer-encoding", "keep-alive"}
            }  # fmt: skip
            kind = answer.getheader("content-type") or "text/plain"
            body = answer.read()
            if "html" in kind and body.startswith(b"<?xml"):
                kind = "text/xml"  # moto calls its errors pages; AWS does not
            return Say(answer.status, body, kind=kind, headers=headers)
        finally:
            connection.close()

    return behave
