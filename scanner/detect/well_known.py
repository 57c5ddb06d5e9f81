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
_SHORTEST = 24

# Keys of the samples of Firebase; of the storage and database emulators of Azure;
# of the reference of Stripe.
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
    )
)


def well_known(value: bytes) -> bool:
    """
    Return whether a vendor has published this very value as an example.
    """
    return len(value) >= _SHORTEST and blake2b(value, digest_size=_BYTES).digest() in _HASHES
