"""
Our own rounds derive what Python's do.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.sealed import pbkdf2
from scanner.native import library, sha256_step

built = pytest.mark.skipif(
    library() is None or sha256_step() is None, reason="the library was not built"
)


@built
def test_the_other_librarys_step_is_sound() -> None:
    assert pbkdf2._is_sound()


@given(st.binary(max_size=150), st.binary(max_size=70), st.integers(1, 40), st.integers(1, 3))
def test_a_block_is_what_python_derives(
    password: bytes, salt: bytes, rounds: int, number: int
) -> None:
    every = hashlib.pbkdf2_hmac("sha256", password, salt, rounds, 96)
    expected = every[32 * number - 32 : 32 * number]

    assert pbkdf2.pbkdf2_block(password, salt, rounds=rounds, number=number) == expected
    assert pbkdf2._slow(password, salt, rounds, number) == expected


def test_without_a_library_python_derives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pbkdf2, "library", lambda: None)
    pbkdf2._is_sound.cache_clear()
    try:
        block = pbkdf2.pbkdf2_block(b"password", b"salt", rounds=7, number=1)
    finally:
        pbkdf2._is_sound.cache_clear()

    assert block == hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 7)
    with pytest.raises(ValueError, match="not built"):
        pbkdf2._fast(b"password", b"salt", 7, 1)
