"""
SealedSecret against the controller's private key.

Format: https://github.com/bitnami-labs/sealed-secrets/blob/main/docs/developer/crypto.md
"""

from __future__ import annotations

import re
from functools import lru_cache

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from scanner.detect.sealed.evidence import from_base64
from scanner.detect.sealed.structure import documents

_PEM = re.compile(
    rb"-----BEGIN (?P<kind>(?:RSA )?PRIVATE KEY)-----[A-Za-z0-9+/=\s]{64,20000}"
    rb"-----END (?P=kind)-----"
)
_TLS_KEY = re.compile(rb"tls\.key[\"']?\s*:\s*[\"']?(?P<value>[A-Za-z0-9+/=]{100,})")
_MAX_VALUES = 50


def keys_of(data: bytes) -> list[RSAPrivateKey]:
    """
    Return the open RSA keys in a text, also those in base64 (the `tls.key` of a Secret).
    """
    found = []
    texts = [data, *(from_base64(match["value"]) or b"" for match in _TLS_KEY.finditer(data))]
    for text in texts:
        keys = (_key(match[0]) for match in _PEM.finditer(text))
        found += [key for key in keys if key is not None]
    return found


@lru_cache(maxsize=1_000)
def _key(pem: bytes) -> RSAPrivateKey | None:
    # A key is checked when it is read, which takes long, and most stand in many versions.
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey) else None


def outcome(data: bytes, line: int, keys: list[RSAPrivateKey]) -> tuple[bool, str | None] | None:
    """
    Return whether a key opens the SealedSecret nearest to `line`, and which value does not hold.
    """
    trees = list(documents(data, lambda text: "SealedSecret" in text))
    tree = next((one for one in reversed(trees) if one.line <= line), None)
    if tree is None:
        return None
    facts = {leaf.path: leaf.value for leaf in tree.leaves}
    values = [leaf for leaf in tree.leaves if "encryptedData" in leaf.path][:_MAX_VALUES]
    name, space = facts.get(("metadata", "name"), ""), facts.get(("metadata", "namespace"), "")
    labels = [f"{space}/{name}".encode(), space.encode(), b""]
    judged = [(leaf, any(opens(leaf.value, key, label) for key in keys for label in labels))
              for leaf in values]  # fmt: skip
    if not any(held for _, held in judged):
        return False, None
    bad = next((leaf for leaf, held in judged if not held), None)
    return True, None if bad is None else f"{bad.path[-1]!r} is altered: no key given opens it"


def opens(value: str, key: RSAPrivateKey, label: bytes) -> bool:
    """
    Whether `key` opens one value of `encryptedData` that was sealed under `label`.
    """
    raw = from_base64(re.sub(r"\s", "", value).encode()) or b""
    size = int.from_bytes(raw[:2], "big")
    try:
        session = key.decrypt(raw[2 : 2 + size], OAEP(MGF1(SHA256()), SHA256(), label))
        AESGCM(session).decrypt(bytes(12), raw[2 + size :], None)
    except (ValueError, InvalidTag):
        return False
    return True
