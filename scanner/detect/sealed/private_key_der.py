"""
Private keys in DER: PKCS#8 (open and encrypted), PKCS#1 and SEC1, the whole file one key.

Format: https://www.rfc-editor.org/rfc/rfc5958
"""

from __future__ import annotations

import re

from scanner.detect.sealed.evidence import is_readable
from scanner.detect.sealed.private_key_starts import OPEN_STARTS, SEALED_STARTS

SCHEMES = (
    bytes.fromhex("06092a864886f70d01050d"),  # PBES2
    bytes.fromhex("06092a864886f70d0105"),  # PBES1
    bytes.fromhex("060a2a864886f70d010c01"),  # PKCS#12 PBE
)
_OPEN = re.compile(rb"|".join(OPEN_STARTS), re.DOTALL)
_SEALED = re.compile(rb"|".join(SEALED_STARTS), re.DOTALL)


def judge_der(data: bytes) -> tuple[str, str] | None:
    """
    Return state and reason if the whole of `data` is a private key in DER.
    """
    size = der_size(data)
    if size is None:
        return None
    if _SEALED.match(data):
        if len(data) != size:
            return "broken", f"ends early or late: {len(data)} of {size} bytes"
        if is_readable(data[-48:]):
            return "fake", "its ciphertext is text that anyone can read"
        return "sealed", "encrypted PKCS#8"
    if _OPEN.match(data) and len(data) == size:
        return "plaintext", "an open private key: no passphrase protects it"
    return None


def der_size(raw: bytes) -> int | None:
    """
    Return the whole size that a DER sequence says it has; `None` if it is none.
    """
    if len(raw) < 4 or raw[0] != 0x30:
        return None
    first = raw[1]
    if first < 0x80:
        return first + 2
    count = first & 0x7F
    if not 1 <= count <= 4:
        return None
    return 2 + count + int.from_bytes(raw[2 : 2 + count], "big")
