"""
The stable name of a finding: a keyed hash over rule id and secret alone.

Key: 32 random bytes kept in the baseline file, else in the user's state folder.
A holder of report and baseline has the key and can test guesses, so a value
that could be guessed (low entropy) passes through scrypt first: each guess then
costs some 2 MiB and milliseconds, not nanoseconds.  See docs/fingerprints.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import math
import os
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from scanner.errors import ConfigError
from scanner.secret import Secret

KEY_BYTES = 32
_HEX_DIGITS = 32
_GUESSABLE_BITS = 64.0
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 11, 8, 1
_FEW = 8


class Fingerprints:
    """
    Names findings under one key; a value is stretched once, however often it is named.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a fingerprint key has {KEY_BYTES} bytes")
        self._key = key
        self._stretched: dict[bytes, bytes] = {}

    def of_secret(self, rule_id: str, secret: Secret) -> str:
        """
        Return the fingerprint of a secret under one rule: 32 hex digits.
        """
        return self._name(b"secret", rule_id, self._stretch(secret.reveal()))

    def prepare(self, secrets_: Iterable[Secret]) -> None:
        """
        Stretch many values side by side, before they are named one by one.
        """
        values = {secret.reveal() for secret in secrets_}
        fresh = [v for v in values if v not in self._stretched and _bits(v) < _GUESSABLE_BITS]
        if len(fresh) > _FEW:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 # the hook has few

            with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                list(pool.map(self._stretch, fresh))

    def of_path(self, rule_id: str, path: bytes) -> str:
        """
        Return the fingerprint of a finding about a file and not a value.
        """
        return self._name(b"path", rule_id, path)

    def _name(self, kind: bytes, rule_id: str, text: bytes) -> str:
        message = b"\0".join((b"unsealed/1", kind, rule_id.encode(), text))
        return hmac.digest(self._key, message, "sha256").hex()[:_HEX_DIGITS]

    def _stretch(self, value: bytes) -> bytes:
        if _bits(value) >= _GUESSABLE_BITS:
            return value
        known = self._stretched.get(value)
        if known is None:
            known = hashlib.scrypt(
                value, salt=self._key, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, dklen=32
            )
            self._stretched[value] = known
        return known


def user_key(state: Path) -> bytes:
    """
    Return the user's own key, made on first use with mode 0600 in a 0700 folder.

    Raise `ConfigError` if the folder cannot be written or the file is damaged.
    """
    file = state / "fingerprint.key"
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(secrets.token_bytes(KEY_BYTES))
        key = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{file}: the fingerprint key cannot be kept: {error.strerror}"
        ) from error
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{file}: not a fingerprint key: {len(key)} bytes instead of {KEY_BYTES}",
            hint="remove it to have a new one made; fingerprints kept outside a baseline change",
        )
    return key


def _bits(value: bytes) -> float:
    if not value:
        return 0.0
    total = len(value)
    return -sum(n * math.log2(n / total) for n in Counter(value).values())
