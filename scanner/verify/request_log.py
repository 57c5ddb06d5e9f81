"""
The request log: one line for each request that left the machine, never a secret.

Append-only JSON lines: when, host, method, path (placeholders where secrets went),
whose finding, and what came back.
"""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from scanner.errors import ConfigError


class Log(Protocol):
    """
    Where requests are written down.
    """

    def write(self, *, host: str, method: str, path: str, finding: str, outcome: int | str) -> None:
        """
        Note one request; `path` holds placeholders, `outcome` a status or what went wrong.
        """


class RequestLog:
    """
    A file that only grows, mode 0600.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(
                file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600
            )
        except OSError as error:
            raise ConfigError(
                f"{file}: the request log cannot be written: {error.strerror}",
                hint="nothing is sent without a log",
            ) from error

    def write(self, *, host: str, method: str, path: str, finding: str, outcome: int | str) -> None:
        """
        See `Log.write`.
        """
        line = json.dumps(
            {
                "at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
                "host": host,
                "method": method,
                "path": path,
                "finding": finding,
                "outcome": outcome,
            }
        )
        with self._lock:
            os.write(self._descriptor, f"{line}\n".encode())

    def close(self) -> None:
        """
        Let go of the file.
        """
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


class NoLog:
    """
    Keeps nothing: for plans, which send nothing.
    """

    def write(self, *, host: str, method: str, path: str, finding: str, outcome: int | str) -> None:
        """
        See `Log.write`.
        """
