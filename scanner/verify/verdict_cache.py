"""
Verdicts of earlier runs, keyed by fingerprint, each under a code that only we can make.

No secret is in it: a fingerprint, a status, and what the issuer said of its owner.
A row that was changed by anyone else, or is past its time, counts as absent.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hmac
import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from scanner.errors import ConfigError
from scanner.model import Status, Verification

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS verdicts"
    " (fingerprint TEXT PRIMARY KEY, until REAL NOT NULL, body TEXT NOT NULL, code BLOB NOT NULL)"
)
_FIELDS = tuple(field.name for field in dataclasses.fields(Verification))
_LISTS = frozenset({"scopes", "rights"})
DAY = 86_400.0
_UNSETTLED = 600.0


class VerdictCache:
    """
    A table in the state folder; not to be used after `close`.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        *,
        lifetime: float = DAY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = hmac.digest(key, b"unsealed verdict cache", "sha256")
        self._lifetime = lifetime
        self._clock = clock
        self._lock = threading.Lock()
        file = folder / "verdicts.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            self._table = _open(file)
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"{file}: verdicts cannot be kept there") from error

    def get(self, fingerprint: str, consent: str) -> Verification | None:
        """
        Return the verdict that still holds; `consent` names what had been allowed.
        """
        with self._lock:
            row = self._table.execute(
                "SELECT until, body, code FROM verdicts WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
        if row is None:
            return None
        until, body, code = row
        if not isinstance(code, bytes) or not isinstance(body, str) or not _number(until):
            return None
        if not hmac.compare_digest(code, self._code(fingerprint, until, body)):
            return None
        if not self._clock() < until <= self._clock() + self._lifetime:
            return None
        data = json.loads(body)
        return _verification(data) if data.get("consent") == consent else None

    def put(self, fingerprint: str, consent: str, verdict: Verification) -> None:
        """
        Keep a verdict for the lifetime; what was not learned, for ten minutes at most.
        """
        settled = verdict.status in (Status.ACTIVE, Status.INACTIVE)
        until = self._clock() + (self._lifetime if settled else min(self._lifetime, _UNSETTLED))
        data = {name: getattr(verdict, name) for name in _FIELDS}
        data["status"] = verdict.status.value
        body = json.dumps({"consent": consent, **data}, sort_keys=True)
        row = (fingerprint, until, body, self._code(fingerprint, until, body))
        # A full disk must not lose the verdict that we have in hand.
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._table.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?)", row)

    def close(self) -> None:
        """
        Let go of the file, without rows past their time.
        """
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._table.execute("DELETE FROM verdicts WHERE until < ?", (self._clock(),))
        self._table.close()

    def _code(self, fingerprint: str, until: float, body: str) -> bytes:
        message = json.dumps([fingerprint, until, body]).encode()
        return hmac.digest(self._key, message, "sha256")


def cache_key(folder: Path) -> bytes:
    """
    Return the key of our own codes, made on first use.

    Raise `ConfigError` if it cannot be kept.
    """
    file = folder / "verdicts.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(secrets.token_bytes(32))
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: the key of the verdict cache cannot be kept") from error


def _open(file: Path) -> sqlite3.Connection:
    try:
        return _connected(file)
    except sqlite3.DatabaseError:
        # Damaged: what it held can be asked again.
        file.unlink()
        return _connected(file)


def _connected(file: Path) -> sqlite3.Connection:
    table = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        table.execute(_SCHEMA)
    except sqlite3.Error:
        table.close()
        raise
    return table


def _number(value: object) -> bool:
    return isinstance(value, (int, float))


def _verification(data: dict[str, object]) -> Verification:
    values: dict[str, object] = {}
    for name in _FIELDS:
        value = data.get(name)
        if name == "status":
            value = Status(value)
        elif name in _LISTS:
            value = tuple(value) if isinstance(value, list) else ()
        values[name] = value
    return Verification(**values)  # type: ignore[arg-type] # our own rows, under our own code
