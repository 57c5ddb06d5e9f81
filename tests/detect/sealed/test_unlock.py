from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from scanner.detect.sealed.unlock import (
    Candidate,
    lock_of,
    try_weak,
    unlock,
    weak_password,
)
from scanner.model import Document, Place
from tests.detect.sealed import makers

RSA = makers.rsa_key()
PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
EC = ec.derive_private_key(int.from_bytes(makers.noise(32, 3), "big") >> 1, ec.SECP256K1())


def _dotenvx() -> bytes:
    point = EC.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()
    return makers.dotenvx().replace(("03" + makers.noise(32, 3).hex()).encode(), point.encode())


def _rails() -> bytes:
    raw = AESGCM(makers.noise(16, 1)).encrypt(makers.noise(12, 2), b"secret", b"")
    parts = (raw[:-16], makers.noise(12, 2), raw[-16:])
    return b"--".join(base64.b64encode(part) for part in parts)


LOCKS = {
    "vault": makers.vault(),
    "age": makers.age_file(),
    "sops": makers.sops_yaml(),
    "sealed secret": makers.sealed_secret(RSA),
    "git-crypt": makers.git_crypt(),
    "dotenvx": _dotenvx(),
    "rails": _rails(),
}
KEYS = {
    "vault": makers.PASSWORD + b"\n",
    "age": b"# public key: x\n" + makers.age_identity()[0].encode(),
    "sops": makers.age_identity()[0].encode(),
    "sealed secret": PEM,
    "git-crypt": makers.git_crypt_key(),
    "dotenvx": f"DOTENV_PRIVATE_KEY={EC.private_numbers().private_value:064x}\n".encode(),
    "rails": makers.noise(16, 1).hex().encode(),
}
NAMES = {"dotenvx": b".env", "rails": b"credentials.yml.enc"}


def _lock(name: str):
    return lock_of(LOCKS[name], Document(Place.FILE, NAMES.get(name, name.encode())))


@pytest.mark.parametrize("name", LOCKS)
def test_a_key_beside_its_lock_is_proven(name):
    (match,) = unlock([Candidate(KEYS[name], Document(Place.FILE, b"key"))], [_lock(name)]).matches

    assert match.rule_id == "key-beside-lock"
    assert match.proven
    assert makers.PASSWORD.decode() not in repr(match)


@pytest.mark.parametrize("name", LOCKS)
def test_no_other_key_opens_a_lock(name):
    others = [Candidate(key, Document(Place.FILE, b"k")) for other, key in KEYS.items()
              if other != name and {other, name} != {"age", "sops"}]  # fmt: skip

    assert unlock(others, [_lock(name)]).matches == []


def test_trials_are_bounded_and_the_bound_is_told():
    many = [Candidate(b"word %d" % n, Document(Place.FILE, b"k")) for n in range(20)]
    done = unlock(many, [_lock("vault")], trials=3)

    assert [limit.name for limit in done.limits] == ["vault-trials"]


def test_a_weak_vault_password_is_found_on_request(monkeypatch):
    monkeypatch.setattr(makers, "PASSWORD", b"vault123")
    weak = lock_of(makers.vault(), Document(Place.FILE, b"v.yml"))

    assert weak is not None
    assert weak_password(weak) == b"vault123"


def test_what_is_plain_is_no_lock():
    assert lock_of(b"password: a\n", Document(Place.FILE, b"a.yml")) is None


def test_trials_of_weak_passwords_are_bounded_and_the_bound_is_told():
    locks = [_lock("vault")]

    assert try_weak(locks).matches == try_weak(locks).limits == []
    assert [limit.name for limit in try_weak(locks, trials=10).limits] == ["vault-trials"]


def test_equal_trials_are_made_once() -> None:
    def document(name: bytes) -> Document:
        return Document(place=Place.FILE, path=name)

    locks = [lock_of(LOCKS["vault"], document(name)) for name in (b"a.yml", b"b.yml")]
    texts = (b"another one", b"another one\n", makers.PASSWORD, makers.PASSWORD + b"\n")
    candidates = [Candidate(text, document(b"%d" % n)) for n, text in enumerate(texts)]

    done = unlock(candidates, [lock for lock in locks if lock], trials=2)

    assert done.limits == []
    assert [match.document.path for match in done.matches] == [b"2", b"3"]
