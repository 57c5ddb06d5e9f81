"""
git-crypt against a key file: the nonce of a blob is the authentication code of its text.

Format: https://github.com/AGWA/git-crypt/blob/master/key.hpp
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from scanner.detect.sealed.git_crypt import MAGIC, NONCE_SIZE

_KEY_MAGIC = b"\0GITCRYPTKEY"
_END, _AES, _HMAC = 0, 3, 5
_MAX_FIELDS = 1000


@dataclass(frozen=True, slots=True)
class GitCryptKey:
    """
    One version of a repository's key.
    """

    aes: bytes
    code: bytes


def keys_of(data: bytes) -> list[GitCryptKey]:
    """
    Return the keys in a key file; none if it is no key file, or a damaged one.
    """
    if not data.startswith(_KEY_MAGIC):
        return []
    found = []
    fields: dict[int, bytes] = {}
    position = len(_KEY_MAGIC) + 4
    for _ in range(_MAX_FIELDS):
        kind = int.from_bytes(data[position : position + 4], "big")
        position += 4
        if position > len(data):
            break
        if kind == _END:
            if len(fields.get(_AES, b"")) == 32 and len(fields.get(_HMAC, b"")) == 64:
                found.append(GitCryptKey(fields[_AES], fields[_HMAC]))
            fields = {}
            continue
        size = int.from_bytes(data[position : position + 4], "big")
        fields[kind] = data[position + 4 : position + 4 + size]
        position += 4 + size
    return found


def outcome(blob: bytes, keys: Sequence[GitCryptKey]) -> tuple[bool, str | None]:
    """
    Return whether a key opens the blob, and what is then wrong with it.

    The nonce is the code of the text: where it does not hold and the text is readable all the
    same, the key is right and the blob was altered.
    """
    for key in keys:
        if opens(blob, key):
            return True, None
    for key in keys:
        plain = _plain(blob, key)
        printable = sum(0x20 <= byte < 0x7F or byte in b"\t\r\n" for byte in plain[:4096])
        if len(plain) >= 8 and printable * 10 >= min(len(plain), 4096) * 8:
            return True, "altered or cut off: its authentication code does not hold under the key"
    return False, None


def opens(blob: bytes, key: GitCryptKey) -> bool:
    """
    Whether `blob` was sealed with `key` and is whole.
    """
    nonce = blob[len(MAGIC) : len(MAGIC) + NONCE_SIZE]
    if not blob.startswith(MAGIC) or len(nonce) < NONCE_SIZE:
        return False
    code = hmac.new(key.code, _plain(blob, key), hashlib.sha1).digest()
    return hmac.compare_digest(code[:NONCE_SIZE], nonce)


def _plain(blob: bytes, key: GitCryptKey) -> bytes:
    nonce = blob[len(MAGIC) : len(MAGIC) + NONCE_SIZE]
    cipher = Cipher(algorithms.AES(key.aes), modes.CTR(nonce + bytes(4)))
    return cipher.decryptor().update(blob[len(MAGIC) + NONCE_SIZE :])
