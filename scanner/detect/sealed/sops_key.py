"""
SOPS against an age identity: unwraps the data key and checks every value and the code over all.

Format: https://getsops.io/docs/
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scanner.detect.sealed import age, age_key
from scanner.detect.sealed.evidence import from_base64
from scanner.detect.sealed.line_reader import Leaf
from scanner.detect.sealed.sops import VALUE, SopsFile, sops_files
from scanner.model import SealRecord


def outcome(
    data: bytes, record: SealRecord, given: Sequence[age_key.Identity]
) -> tuple[bool, str | None] | None:
    """
    Return whether an identity opens the file, and what is then wrong with it; `None`: no SOPS file.
    """
    files = sops_files(data, record.path)
    one = next((each for each in files if each.line == record.line), files[0] if files else None)
    if one is None:
        return None
    key = data_key(one, given)
    if key is None:
        return False, None
    # One code covers all documents of a file.
    values = tuple(leaf for each in files for leaf in each.values)
    return True, problem(SopsFile(values, one.metadata, one.line), key)


def data_key(one: SopsFile, given: Sequence[age_key.Identity]) -> bytes | None:
    """
    Return the data key if one of the identities is a recipient.
    """
    for leaf in one.metadata:
        if leaf.path[-1] != "enc" or "age" not in leaf.path:
            continue
        try:
            raw = age.dearmor(leaf.value.encode())
            header = age.parse_header(raw)
        except ValueError:
            continue
        file_key = age_key.file_key(raw, header, given)
        key = age_key.decrypted(raw, header, file_key) if file_key else None
        if key is not None and len(key) == 32:
            return key
    return None


def problem(one: SopsFile, key: bytes) -> str | None:
    """
    Return what does not hold under the data key; `None` if all does.
    """
    digest = hashlib.sha512()
    exact = True
    for leaf in one.values:
        found = VALUE.fullmatch(leaf.value.strip())
        if found and found["type"] == "comment":
            continue
        if found is None:
            plain = _as_hashed(leaf)
            exact = exact and plain is not None
            digest.update(plain or b"")
            continue
        names = ":".join(part for part in leaf.path if not part.startswith("#"))
        value = _open(leaf.value, key, f"{names}:")
        if value is None:
            return f"altered or moved: {leaf.name!r} does not hold under the data key"
        digest.update(value)
    code = _open(one.meta("mac") or "", key, one.meta("lastmodified") or "")
    if code is None:
        return "altered: the authentication code itself does not hold under the data key"
    if one.meta("mac_only_encrypted") == "true" or not exact:
        return None
    if not hmac.compare_digest(code, digest.hexdigest().upper().encode()):
        return "altered: a value was added, moved or removed since it was sealed"
    return None


def _as_hashed(leaf: Leaf) -> bytes | None:
    """
    Return a plain value as SOPS hashes it; `None` if its form cannot be known from the text.
    """
    if leaf.kind in ("str", "block"):
        return leaf.value.encode()
    value = leaf.value.strip()
    if value in ("", "null", "~"):
        return b""
    if value in ("true", "false"):
        return value.capitalize().encode()
    return value.encode() if re.fullmatch(r"[A-Za-z_][\w -]*|0|-?[1-9]\d{0,15}", value) else None


def _open(value: str, key: bytes, bound_to: str) -> bytes | None:
    found = VALUE.fullmatch(value.strip())
    if found is None:
        return None
    text, nonce, tag = (from_base64(found[name].encode()) for name in ("data", "iv", "tag"))
    if text is None or nonce is None or tag is None:
        return None
    try:
        return AESGCM(key).decrypt(nonce, text + tag, bound_to.encode())
    except (InvalidTag, ValueError):
        return None
