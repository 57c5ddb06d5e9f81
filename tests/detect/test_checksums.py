from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.azure_checksums import marvin32
from scanner.detect.checksums import CHECKSUMS, MAKERS, aws_account_id

NAMES = sorted(CHECKSUMS)
SCHEMES_THAT_ONLY_CONFIRM = {
    "azure-cask-key",
    "azure-cask-acog",
    "azure-cask-azdo",
    "azure-cask-azmp",
}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_passes(name):
    generator = random.Random(name)
    for _ in range(20):
        assert CHECKSUMS[name].fits(MAKERS[name](generator).encode()) is True


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_character_is_noticed(name):
    generator = random.Random(name)
    made = MAKERS[name](generator)
    at = 20
    other = "A" if made[at] != "A" else "C"
    said = CHECKSUMS[name].fits((made[:at] + other + made[at + 1 :]).encode())
    assert said is (None if name in SCHEMES_THAT_ONLY_CONFIRM else False)


@pytest.mark.parametrize("name", NAMES)
def test_another_length_says_nothing_or_no(name):
    made = MAKERS[name](random.Random(name)).encode()
    assert CHECKSUMS[name].fits(made[:12]) is not True
    assert CHECKSUMS[name].fits(b"") is not True


@pytest.mark.parametrize("name", NAMES)
@given(value=st.binary(max_size=100))
def test_any_bytes_get_an_answer(name, value):
    assert CHECKSUMS[name].fits(value) in (True, False, None)


@pytest.mark.parametrize(
    ("data", "seed"),
    [(b"", b"Default0"), (b"abc", b"Default0"), (b"abcd", b"Master00"), (b"a" * 61, b"Query000")],
    ids=["empty", "a tail alone", "no tail", "words and a tail"],
)
def test_the_hash_has_four_bytes_and_depends_on_its_seed(data, seed):
    assert len(marvin32(data, seed)) == 4
    assert marvin32(data, seed) != marvin32(data, b"Another0")


# The key id is put together here so that it does not stand in the file.
def test_an_aws_key_id_names_its_account():
    assert aws_account_id(b"ASIA" + b"QNZGKIQY56JQ7WML") == "029608264753"


@pytest.mark.parametrize(
    "body",
    [b"I" + b"OSFODNN7" + b"ABCDEFG", b"J" + b"2222222" + b"ABCDEFGH", b"ABC", b"1" * 16],
    ids=["old", "old too", "short", "not base32"],
)
def test_an_old_or_malformed_key_id_names_none(body):
    assert aws_account_id(b"AKIA" + body) is None
