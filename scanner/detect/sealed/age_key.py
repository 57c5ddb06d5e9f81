"""
age against an identity: unwraps the file key and checks header and payload, in memory only.

Format: https://age-encryption.org/v1
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scanner.detect.sealed import age
from scanner.detect.sealed.evidence import from_base64

_ALPHABET = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
_IDENTITY = re.compile(rb"AGE-SECRET-KEY-1(?P<data>[02-9AC-HJ-NP-Z]{58})")
_CHUNK = 64 * 1024 + 16
_MAX_STANZAS = 64


@dataclass(frozen=True, slots=True)
class Identity:
    """
    An X25519 identity and its public share.
    """

    key: X25519PrivateKey
    public: bytes


def identities(text: bytes) -> list[Identity]:
    """
    Return the X25519 identities in a text.
    """
    found = []
    for match in _IDENTITY.finditer(text):
        raw = _from_bech32(match["data"])
        if raw is not None:
            key = X25519PrivateKey.from_private_bytes(raw)
            found.append(
                Identity(key, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
            )
    return found


def _from_bech32(text: bytes) -> bytes | None:
    values = [_ALPHABET.index(char) for char in text.upper()]
    prefix = b"age-secret-key-"
    spread = [char >> 5 for char in prefix] + [0] + [char & 31 for char in prefix]
    if _polymod(spread + values) != 1:
        return None
    number = 0
    for value in values[:-6]:
        number = number << 5 | value
    return (number >> 4).to_bytes(32, "big")


def _polymod(values: list[int]) -> int:
    generator = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for index, part in enumerate(generator):
            check ^= part if top >> index & 1 else 0
    return check


def file_key(raw: bytes, header: age.Header, given: Sequence[Identity]) -> bytes | None:
    """
    Return the key that one of the identities unwraps and that the header's code confirms.
    """
    for identity in given:
        key = unwrap(header, identity)
        if key is not None and _header_holds(raw, header, key):
            return key
    return None


def unwrap(header: age.Header, identity: Identity) -> bytes | None:
    """
    Return the file key if one of the X25519 recipients is this identity.
    """
    for stanza in header.stanzas[:_MAX_STANZAS]:
        if stanza.arguments[0] != "X25519" or len(stanza.arguments) != 2:
            continue
        share = from_base64(stanza.arguments[1].encode(), padded=False)
        if share is None or len(share) != 32:
            continue
        try:
            shared = identity.key.exchange(X25519PublicKey.from_public_bytes(share))
            wrapping = _hkdf(shared, share + identity.public, b"age-encryption.org/v1/X25519")
            return ChaCha20Poly1305(wrapping).decrypt(bytes(12), stanza.body, None)
        except (InvalidTag, ValueError):
            continue
    return None


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt or None, info).derive(key)


def _header_holds(raw: bytes, header: age.Header, key: bytes) -> bool:
    del raw
    code = hmac.new(_hkdf(key, b"", b"header"), header.signed, hashlib.sha256).digest()
    return hmac.compare_digest(code, header.code)


def outcome(data: bytes, given: Sequence[Identity]) -> tuple[bool, str | None] | None:
    """
    Return whether an identity opens the file, and what is then wrong with it; `None`: no age file.
    """
    try:
        raw = data if data.startswith(age.VERSION_LINE) else age.dearmor(data)
        header = age.parse_header(raw)
    except ValueError:
        return None
    for identity in given:
        key = unwrap(header, identity)
        if key is None:
            continue
        if not _header_holds(raw, header, key):
            return True, "altered: the header's authentication code does not hold"
        if decrypted(raw, header, key) is None:
            return True, "altered: a chunk of the payload does not hold under the file key"
        return True, None
    return False, None


def decrypted(raw: bytes, header: age.Header, key: bytes) -> bytes | None:
    """
    Return the plain text; `None` if a chunk is altered, missing or moved.
    """
    payload = raw[header.payload :]
    cipher = ChaCha20Poly1305(_hkdf(key, payload[:16], b"payload"))
    parts = []
    position, counter = 16, 0
    while True:
        chunk = payload[position : position + _CHUNK]
        last = position + _CHUNK >= len(payload)
        try:
            parts.append(cipher.decrypt(counter.to_bytes(11, "big") + bytes([last]), chunk, None))
        except (InvalidTag, ValueError):
            return None
        if last:
            return b"".join(parts)
        position += _CHUNK
        counter += 1
