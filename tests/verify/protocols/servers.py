"""
Real servers on free loopback ports, for one test session.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lookalikes import fill

PASSWORD = fill("{{alnum:9}}-{{alnum:9}}")
_PLACES = (
    "/usr/sbin",
    "/usr/lib/postgresql/15/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/17/bin",
)


def tool(name: str) -> str:
    """Return where a program is; its absence fails the test."""
    found = shutil.which(name) or next(
        (f"{place}/{name}" for place in _PLACES if Path(place, name).exists()), None
    )
    assert found is not None, f"{name} is not installed: run .ci/install"
    return found


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def owned_by(folder: Path, user: str) -> None:
    """Hand a folder to a system user, and let it pass through the folders above."""
    shutil.chown(folder, user, user)
    for above in (folder, *folder.parents):
        if above.stat().st_uid == os.getuid() or above == folder:
            above.chmod(above.stat().st_mode | 0o755)


def as_user(user: str) -> list[str]:
    """Return the words that run a command as a system user."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]


@dataclass
class Running:
    """A server that was started, and how it is stopped."""

    port: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, words: Sequence[str], seconds: float = 30.0, **options: object) -> None:
        """Start a process and wait until the port answers."""
        with (self.folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options
            )  # type: ignore[call-overload]
        self.processes.append(process)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert process.poll() is None, (self.folder / "server.log").read_text(errors="replace")[
                -2000:
            ]
            with socket.socket() as sock:
                sock.settimeout(0.5)
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        raise AssertionError(f"{words[0]} did not start")

    def stop(self) -> None:
        """Stop what was started."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def run(words: Sequence[str], text: str = "", **options: object) -> str:
    """Run a command to its end."""
    done = subprocess.run(
        words, input=text, text=True, capture_output=True, timeout=60, check=False, **options
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr[-2000:]
    return str(done.stdout)
