"""
Checksums inside Azure's identifiable keys: Marvin32 over the key's own bytes.

A fixed signature (`+ASt`, `AzFu`, `JQQJ99`, …) stands at a fixed place, and the last
decoded bytes are the hash of those before it, under a seed that tells the kind of key.
"""

from __future__ import annotations

import base64
import binascii
import random
import string
from typing import NamedTuple

_MASK = 0xFFFFFFFF
_ALNUM = string.ascii_letters + string.digits

_SCHEME_WITH_CASK = b"Default0"
_CASK_HASHED = 60


class _Kind(NamedTuple):
    before: int
    """Characters before the signature."""

    signature: str
    length: int
    """Of the whole key, padding included."""

    seeds: tuple[bytes, ...]
    """ASCII of the 64-bit seeds, one of which was used."""


_RIGHTS = (b"Send0000", b"Manage00", b"Listen00")
_KINDS = {
    "azure-storage-key": _Kind(76, "+ASt", 88, (b"Default0",)),
    "azure-cosmosdb-key": _Kind(76, "ACDb", 88, (b"MastRW00", b"MastRO00")),
    "azure-batch-key": _Kind(76, "+ABa", 88, (b"AbAcct00", b"aBAcct00")),
    "azure-apim-key": _Kind(
        76, "APIM", 88, (b"Tenant00", b"IotHub00", b"Gatewy00", b"Gateway0", b"GitKey00")
    ),
    "azure-ml-classic-key": _Kind(76, "+AMC", 88, (b"Classic0",)),
    "azure-service-bus-key": _Kind(33, "+ASb", 44, _RIGHTS),
    "azure-event-hub-key": _Kind(33, "+AEh", 44, _RIGHTS),
    "azure-relay-key": _Kind(33, "+ARm", 44, _RIGHTS),
    "azure-iot-key": _Kind(33, "AIoT", 44, (b"IotHub00", b"Device00", b"DpsKey00")),
    "azure-redis-key": _Kind(33, "AzCa", 44, (b"Access00",)),
    "azure-acr-password": _Kind(42, "+ACR", 52, (b"ACRDflt0",)),
    "azure-function-key": _Kind(44, "AzFu", 56, (b"Master00", b"System00", b"Functi00")),
    "azure-search-key": _Kind(42, "AzSe", 52, (b"Query000", b"PAdmin00")),
}
_CASKS = {
    "azure-cask-key": "AZMP",
    "azure-cask-acog": "ACOG",
    "azure-cask-azdo": "AZDO",
    "azure-cask-azmp": "AZMP",
}
AZURE_KINDS = (*_KINDS, *_CASKS)


def marvin32(data: bytes, seed: bytes) -> bytes:
    """
    Return the four bytes of the Marvin hash of `data`, little-endian.
    """
    low, high = int.from_bytes(seed[4:], "big"), int.from_bytes(seed[:4], "big")
    whole = len(data) // 4 * 4
    tail = int.from_bytes(data[whole:] + b"\x80", "little")
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, whole, 4)]
    for word in (*words, tail, 0):
        low = (low + word) & _MASK
        high ^= low
        low = (_rotated(low, 20) + high) & _MASK
        high = _rotated(high, 9) ^ low
        low = (_rotated(low, 27) + high) & _MASK
        high = _rotated(high, 19)
    return (low ^ high).to_bytes(4, "little")


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _MASK


def azure_fits(name: str, value: bytes) -> bool | None:
    """
    Return whether the checksum of an identifiable key of kind `name` holds.

    `None`: the key is of a form whose scheme is not known here.
    """
    try:
        decoded = base64.b64decode(value.translate(_FROM_URL_ALPHABET), validate=True)
    except binascii.Error:
        return None
    if name in _CASKS:
        rest = decoded[_CASK_HASHED:]
        # An older variant writes the hash in another alphabet: no match says nothing.
        fits = marvin32(decoded[:_CASK_HASHED], _SCHEME_WITH_CASK)[: len(rest)] == rest
        return True if fits and len(rest) >= 3 else None
    kind = _KINDS[name]
    if len(value) != kind.length:
        return None
    return any(marvin32(decoded[:-4], seed) == decoded[-4:] for seed in kind.seeds)


_FROM_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")


def make_azure(name: str, generator: random.Random) -> str:
    """
    Return a look-alike of the kind `name` whose checksum holds.
    """
    while True:
        made = _cask(_CASKS[name], generator) if name in _CASKS else _identifiable(name, generator)
        if name == "azure-function-key":
            return made.replace("+", "-").replace("/", "_")
        if made.isalnum() or (name in _KINDS and name != "azure-search-key"):
            return made


def _identifiable(name: str, generator: random.Random) -> str:
    kind = _KINDS[name]
    text = "".join(generator.choice(_ALNUM) for _ in range(kind.before)) + kind.signature + "A"
    text = text.ljust(kind.length - kind.length % 4, "A")
    unpadded = kind.length if kind.length == 52 else kind.length - (1 if kind.length == 44 else 2)
    size = unpadded * 6 // 8
    hashed = base64.b64decode(text)[: size - 4]
    return base64.b64encode(hashed + marvin32(hashed, kind.seeds[0])).decode()


def _cask(signature: str, generator: random.Random) -> str:
    body = "".join(generator.choice(_ALNUM) for _ in range(52))
    platform = "".join(generator.choice(_ALNUM) for _ in range(12))
    text = f"{body}JQQJ99BC{platform}AAAA{signature}"
    checksum = marvin32(base64.b64decode(text), _SCHEME_WITH_CASK)[:3]
    return text + base64.b64encode(checksum).decode()
