"""
Values that vendors print in their own documentation and samples, by their hashes: they open
nothing, or only what is meant to be open.
"""

from __future__ import annotations

try:
    # `hashlib` loads OpenSSL for what it does not need for this: two milliseconds of a hook's run.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

_BYTES = 8
_SHORTEST = 20

# Keys of the samples of Firebase; of the storage and database emulators of Azure;
# of the reference of Stripe; tokens and keys of a swarm in the reference of Docker; the keys of
# MinIO's playground; tokens in the guide of Django REST framework, and of RFC 6749; a cookie in
# RFC 7541.
_HASHES = frozenset(
    bytes.fromhex(code)
    for code in (
        "a667918ad80f14e8",
        "71733bf44ea4212a",
        "e4576406f972acf1",
        "5a2e3466d7aa6d95",
        "1eb23f4ff31fee4a",
        "4278860ad7c8919f",
        "20e88191d76dc156",
        "76449d3eb6d5ca57",
        "826e0fd9a88ef5e1",
        "1c84746fcb793603",
        "fe75f6e419bb4418",
        "fce1bd9a449738b3",
        "ac4a2329ad65062d",
        "f194f1cc6daaeb69",
        "d5ee8a0cfa53efd5",
        "1ac0ae3f2a4b1dd5",
        "c75a19f23902700b",
        "491a2dada905c9ac",
        "a4500834547e920b",
        "54b14541baf0e8e5",
        "e6d1b65208cb54f6",
        "9a119b06a213486f",
        "cd5b49fcc80a6e3d",
        "415b9007f302697f",
    )
)

# Keys of OpenPGP among the test data of ProtonMail's go-crypto: not in files of tests, so that they
# lie in the vendored packages of whatever uses it.  Without blanks.
_KEYS = frozenset(
    bytes.fromhex(code)
    for code in (
        "07bff41096fff14e",
        "9fca145669a2d823",
        "068a77a8f85ff341",
        "3d84304fdad7b376",
        "c96e0ed9d3e19d87",
        "a02cb3ae5387af26",
        "14171ea9aed7eced",
        "db35577579a62f63",
    )
)


def well_known(value: bytes) -> bool:
    """
    Return whether a vendor has published this very value as an example.
    """
    return len(value) >= _SHORTEST and blake2b(value, digest_size=_BYTES).digest() in _HASHES


def well_known_key(text: bytes) -> bool:
    """
    Return whether a library is shipped with this very private key, for its tests.
    """
    return blake2b(b"".join(text.split()), digest_size=_BYTES).digest() in _KEYS
