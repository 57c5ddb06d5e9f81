"""
Fingerprints: stable over everything but rule and secret, keyed, and slow to guess where it matters.
"""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.secret import Secret
from scanner.triage.fingerprint import KEY_BYTES, Fingerprints, user_key

KEY = bytes(range(KEY_BYTES))


def test_a_fingerprint_is_32_hex_digits_and_the_same_on_every_run() -> None:
    first = Fingerprints(KEY).of_secret("rule", Secret(b"hunter2"))
    second = Fingerprints(KEY).of_secret("rule", Secret(b"hunter2"))

    assert first == second
    assert len(bytes.fromhex(first)) == 16


@settings(max_examples=10)
@given(value=st.binary(min_size=40, max_size=60), key=st.binary(min_size=32, max_size=32))
def test_rule_key_and_secret_each_change_it(value: bytes, key: bytes) -> None:
    name = Fingerprints(KEY).of_secret("rule", Secret(value))

    assert name != Fingerprints(KEY).of_secret("other", Secret(value))
    assert name != Fingerprints(KEY).of_secret("rule", Secret(value + b"x"))
    assert name != Fingerprints(KEY).of_path("rule", value)
    if key != KEY:
        assert name != Fingerprints(key).of_secret("rule", Secret(value))


def test_a_guessable_value_is_stretched_once_and_a_long_random_one_never() -> None:
    names = Fingerprints(KEY)
    names.of_secret("rule", Secret(b"hunter2"))
    names.of_secret("other", Secret(b"hunter2"))
    names.of_secret("rule", Secret(os.urandom(48)))

    assert list(names._stretched) == [b"hunter2"]


def test_the_users_key_is_made_once_and_is_the_users_alone(tmp_path) -> None:
    folder = tmp_path / "state"

    key = user_key(folder)

    assert user_key(folder) == key
    assert len(key) == KEY_BYTES
    if os.name == "posix":
        assert stat.S_IMODE((folder / "fingerprint.key").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_damaged_key_is_an_error_and_not_replaced(tmp_path) -> None:
    (tmp_path / "fingerprint.key").write_bytes(b"short")

    with pytest.raises(ConfigError, match="not a fingerprint key"):
        user_key(tmp_path)
    assert (tmp_path / "fingerprint.key").read_bytes() == b"short"
