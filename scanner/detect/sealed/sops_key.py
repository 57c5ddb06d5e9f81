"""
SOPS against an age identity: unwraps the data key and checks every value and the code over all.

Format: https://getsops.io/docs/
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from scanner.detect.sealed import age, age_key
from scanner.detect.sealed.evidence import from_base64
from scanner.detect.sealed.sops import VALUE, SopsFile, must_seal, sops_files
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
    return True, problem(one, key)


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
    for leaf in one.values:
        found = VALUE.fullmatch(leaf.value.strip())
        if found and not must_seal(leaf.path, one):
            continue
        names = ":".join(part for part in leaf.path if not part.startswith("#"))
        if found and found["type"] != "comment" and _open(leaf.value, key, f"{names}:") is None:
            return f"altered or moved: {leaf.name!r} does not hold under the data key"
    modified = one.meta("lastmodified")
    if _open(one.meta("mac") or "", key, modified or "") is None:
        return "altered: the authentication code itself does not hold under the data key"
    return None


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
