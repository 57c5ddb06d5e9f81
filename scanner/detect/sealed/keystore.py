"""
Key stores: PKCS#12, JKS, JCEKS, KeePass; sealed, or open to a password that everyone tries.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.serialization import pkcs12

from scanner.detect.sealed.evidence import base_name, extension, is_readable
from scanner.detect.sealed.private_key_der import der_size
from scanner.model import SealRecord

FORMAT = "keystore"
_JAVA = {b"\xfe\xed\xfe\xed": "JKS", b"\xce\xce\xce\xce": "JCEKS"}
_KEEPASS = b"\x03\xd9\xa2\x9a"
_PKCS12 = b"\x02\x01\x03\x30"
_DATA = bytes.fromhex("06092a864886f70d010701")
_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0101")
_WELL_KNOWN = (b"changeit", b"changeme", b"password", b"secret", b"123456")
_MAX_SIZE = 1 << 20
_PRIVATE_ENTRY, _TRUSTED_ENTRY = 1, 2


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record if `data` is a key store, or is named as one.
    """
    kind = _JAVA.get(data[:4])
    if kind:
        return [_record(*_java(data), kind)]
    if data.startswith(_KEEPASS):
        if len(data) < 200:
            return [_record("broken", f"it ends after {len(data)} bytes", "KeePass")]
        return [_record("sealed", "KeePass", "KeePass")]
    named = extension(path) in ("p12", "pfx", "jks", "keystore", "jceks", "kdbx")
    if _PKCS12 in data[:12] and data[:1] == b"\x30" and _DATA in data[:64]:
        return [_record(*_pkcs12(data), "PKCS#12")]
    if named and is_readable(data, minimum=1) and not base_name(path).startswith("."):
        return [_record("fake", "named as a key store, and text that anyone can read", "text")]
    return []


def _record(state: str, reason: str, kind: str) -> SealRecord:
    return SealRecord(format=FORMAT, state=state, reason=reason, detail=(("kind", kind),))


def _pkcs12(data: bytes) -> tuple[str, str]:
    size = der_size(data)
    if size is not None and data[1] != 0x80 and size > len(data):
        return "broken", f"it ends early: {len(data)} of {size} bytes"
    if len(data) > _MAX_SIZE:
        return "sealed", "too large for a trial of well-known passwords"
    if _KEY_BAG in data:
        return "plaintext", "its private key is not encrypted, whatever password guards the rest"
    for password in (None, b"", *_WELL_KNOWN):
        try:
            key, _, _ = pkcs12.load_key_and_certificates(data, password)
        except (ValueError, TypeError):
            continue
        if key is None:
            return "reference", "holds certificates and no private key"
        if not password:
            return "plaintext", "opens without a password"
        return "fake", f"opens with a password that everyone tries first ({password.decode()})"
    return "sealed", "opens with none of the well-known passwords"


def _java(data: bytes) -> tuple[str, str]:
    if len(data) < 12 + 20 or int.from_bytes(data[4:8], "big") not in (1, 2):
        return "broken", f"it ends after {len(data)} bytes, or names no known version"
    if is_readable(data[12:]):
        return "fake", "behind the magic number stands text that anyone can read"
    private, whole = _entries(data)
    if not whole:
        return "broken", "it ends inside an entry"
    if not private:
        return "reference", "holds certificates and no private key"
    for password in (b"", *_WELL_KNOWN) if len(data) <= _MAX_SIZE else ():
        wide = password.decode().encode("utf-16-be")
        digest = hashlib.sha1(wide + b"Mighty Aphrodite" + data[:-20], usedforsecurity=False)
        if digest.digest() == data[-20:]:
            shown = password.decode() or "none"
            return "fake", f"opens with a password that everyone tries first ({shown})"
    return "sealed", "opens with none of the well-known passwords"


def _entries(data: bytes) -> tuple[int, bool]:
    """
    Count the private entries; false if the store ends before its entries do.
    """
    version = int.from_bytes(data[4:8], "big")
    count = int.from_bytes(data[8:12], "big")
    end = len(data) - 20
    position, private = 12, 0
    for _ in range(min(count, 10_000)):
        if position + 6 > end:
            return private, False
        tag = int.from_bytes(data[position : position + 4], "big")
        position += 4
        position += 2 + int.from_bytes(data[position : position + 2], "big") + 8
        if tag == _PRIVATE_ENTRY:
            private += 1
            position += 4 + int.from_bytes(data[position : position + 4], "big")
            chain = int.from_bytes(data[position : position + 4], "big")
            position += 4
        elif tag == _TRUSTED_ENTRY:
            chain = 1
        else:
            return private + 1, True  # a sealed object of JCEKS: no more can be told
        for _ in range(min(chain, 100)):
            if version == 2:
                position += 2 + int.from_bytes(data[position : position + 2], "big")
            position += 4 + int.from_bytes(data[position : position + 4], "big")
    return private, position == end
