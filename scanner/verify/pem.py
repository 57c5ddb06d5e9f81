"""
Keys and certificates in the forms that they have in repositories: PEM as it is, indented,
with its line ends escaped, or in base64 once more.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]+-----[^-]+-----END [A-Z0-9 ]+-----")
_LONGEST = 100_000


def pem_of(text: str) -> bytes | None:
    """
    Return the PEM in a text, `None` if there is none.
    """
    if "-----BEGIN " not in text:
        try:
            text = base64.b64decode(text, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            return None
    if len(text) > _LONGEST:
        return None
    plain = text.replace("\\r", "").replace("\\n", "\n")
    blocks = _BLOCK.findall("\n".join(line.strip() for line in plain.splitlines()))
    return "".join(f"{block}\n" for block in blocks).encode("ascii", "replace") or None


def certificate_for(key: bytes, certificates: Iterable[bytes]) -> bytes | None:
    """
    Return the certificate that was issued for a key, `None` if it is not among them.
    """
    try:
        public = serialization.load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    for pem in certificates:
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            if certificate.public_key() == public:
                return pem
        except (ValueError, UnsupportedAlgorithm):
            continue
    return None
