"""
Ansible Vault against a password: PBKDF2 and HMAC, in memory only.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanner.detect.sealed.ansible_vault import Envelope, parts_of
from scanner.detect.sealed.evidence import is_readable
from scanner.detect.sealed.pbkdf2 import pbkdf2_block

_ROUNDS = 10_000


def opens(envelope: Envelope, password: bytes) -> bool:
    """
    Whether the authentication code holds under `password`.
    """
    parts = parts_of(envelope)
    if parts is None:
        return False
    # The code's key is the second of three blocks; the others are not worth their rounds.
    key = pbkdf2_block(password, parts.salt, rounds=_ROUNDS, number=2)
    code = hmac.new(key, parts.ciphertext, hashlib.sha256).digest()
    return hmac.compare_digest(code, parts.code)


def altered(envelope: Envelope, password: bytes) -> bool:
    """
    Whether `password` is the right one although the authentication code does not hold.

    Under the right password the ciphertext still gives text with sound padding, under a
    wrong one noise: so an altered vault is told from a wrong password.
    """
    parts = parts_of(envelope)
    if parts is None or len(parts.ciphertext) < 16:
        return False
    derived = hashlib.pbkdf2_hmac("sha256", password, parts.salt, _ROUNDS, dklen=80)
    cipher = Cipher(algorithms.AES(derived[:32]), modes.CTR(derived[64:80]))
    plain = cipher.decryptor().update(parts.ciphertext)
    count = plain[-1]
    padded = 1 <= count <= 16 and plain.endswith(bytes([count]) * count)
    text = plain[: -count if padded else None]
    printable = sum(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in text)
    if padded and (count > 2 or is_readable(text, minimum=4)):
        return True
    return len(text) >= 24 and printable * 10 >= len(text) * 8
