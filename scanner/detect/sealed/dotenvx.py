"""
dotenvx: dotenv files whose values are sealed for a public key in their first lines.

Format: https://dotenvx.com/docs/concepts/encryption
"""

from __future__ import annotations

import re

from scanner.detect.sealed.evidence import (
    ValueKind,
    base_name,
    extension,
    from_base64,
    is_readable,
    tells,
    value_kind,
)
from scanner.detect.sealed.line_reader import Leaf, read_assignments
from scanner.model import SealRecord

FORMAT = "dotenvx"
MARK = "encrypted:"
_PUBLIC = re.compile(r"DOTENV_PUBLIC_KEY(?:_\w+)?")
_PRIVATE = re.compile(r"DOTENV_PRIVATE_KEY(?:_\w+)?")
_VAULT = re.compile(r"DOTENV_VAULT_\w+(?<!_VERSION)")
_CUT = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_POINT = re.compile(r"0[23][0-9a-fA-F]{64}")
_SEALED_AT_LEAST = 65 + 16 + 16  # bytes: a public key, a nonce, a code
_VAULT_AT_LEAST = 12 + 16  # bytes: a nonce, a code


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return one record if `data` is a dotenv file with sealed values or a public key.
    """
    if b"DOTENV_P" not in data and b"DOTENV_V" not in data and MARK.encode() not in data:
        return []
    if not is_dotenv(path):
        return []
    leaves = read_assignments(data.decode("utf-8", "replace"))
    values = [leaf for leaf in leaves if not _PUBLIC.fullmatch(leaf.path[-1])]
    private = [
        leaf for leaf in values
        if _PRIVATE.fullmatch(leaf.path[-1]) and value_kind(leaf.value) is ValueKind.LITERAL
    ]  # fmt: skip
    if private:
        reason = "a private key of dotenvx lies open: it opens every value sealed for it"
        return [_record("plaintext", reason, private[0])]
    if any(_VAULT.fullmatch(leaf.path[-1]) for leaf in values):
        return [_judged_vault(values)]
    public = [leaf for leaf in leaves if _PUBLIC.fullmatch(leaf.path[-1])]
    dressed = [leaf for leaf in values if leaf.value.startswith(MARK)]
    if not public and not dressed:
        return []
    return [_verdict(public, values, dressed, data)]


def _judged_vault(values: list[Leaf]) -> SealRecord:
    """
    Judge what dotenv-vault writes: each environment is one value, sealed under a key of its own.
    """
    sealed = 0
    for leaf in values:
        if _VAULT.fullmatch(leaf.path[-1]):
            raw = from_base64(leaf.value.strip().encode("utf-8", "replace"))
            if is_readable(raw or leaf.value.encode("utf-8", "replace"), minimum=1) and raw != b"":
                state = "broken" if raw is None and _CUT.fullmatch(leaf.value) else "fake"
                return _record(state, f"{leaf.path[-1]!r} is no ciphertext", leaf)
            if len(raw or b"") < _VAULT_AT_LEAST:
                return _record("broken", f"{leaf.path[-1]!r} ends inside nonce or code", leaf)
            sealed += 1
    plain = [leaf for leaf in values if tells(leaf.path[-1], leaf.value)]
    if plain:
        reason = f"{plain[0].path[-1]!r} stands plain beside sealed values"
        return _record("partly-sealed", reason, plain[0])
    return _record("sealed", f"{sealed} sealed environments")


def is_dotenv(path: bytes | None) -> bool:
    """
    Whether a name is that of a dotenv file; an unknown one may be.
    """
    name = base_name(path)
    return path is None or ".env" in name or name == "env" or extension(path) in ("env", "txt")


def _record(state: str, reason: str, leaf: Leaf | None = None) -> SealRecord:
    return SealRecord(format=FORMAT, state=state, reason=reason, line=leaf.line if leaf else 1)


def _verdict(
    public: list[Leaf], values: list[Leaf], dressed: list[Leaf], data: bytes
) -> SealRecord:
    judged = [(leaf, *judge_value(leaf.value)) for leaf in dressed]
    fakes = [(leaf, why) for leaf, state, why in judged if state == "fake"]
    broken = [(leaf, why) for leaf, state, why in judged if state == "broken"]
    kinds = (ValueKind.LITERAL, ValueKind.PLACEHOLDER)
    plain = [
        leaf for leaf in values
        if not leaf.value.startswith(MARK) and value_kind(leaf.value) in kinds
    ]  # fmt: skip
    if fakes and len(fakes) == len(judged):
        return _record("fake", f"{fakes[0][0].path[-1]!r}: {fakes[0][1]}", fakes[0][0])
    if fakes:
        return _record("partly-sealed", f"{fakes[0][0].path[-1]!r}: {fakes[0][1]}", fakes[0][0])
    if not judged:
        telling = [leaf for leaf in plain if tells(leaf.path[-1], leaf.value)] or plain
        if telling:
            reason = f"a public key stands in it, and {telling[0].path[-1]!r} is not sealed"
            return _record("fake", reason, telling[0])
        return _record("reference", "holds no value")
    if plain:
        more = f", and {len(plain) - 1} more" if len(plain) > 1 else ""
        reason = f"{plain[0].path[-1]!r}{more} stands plain beside sealed values"
        return _record("partly-sealed", reason, plain[0])
    if broken:
        return _record("broken", f"{broken[0][0].path[-1]!r}: {broken[0][1]}", broken[0][0])
    if public and not any(_POINT.fullmatch(leaf.value) for leaf in public):
        return _record("broken", "its public key is damaged: values cannot be added", public[0])
    if re.search(rb"^[ \t]*encrypted:", data, re.MULTILINE):
        return _record("broken", "a sealed value has lost its name")
    return _record("sealed", f"{len(judged)} sealed values")


def judge_value(value: str) -> tuple[str, str]:
    """
    Return state and reason of one `encrypted:` value.
    """
    raw = from_base64(value.removeprefix(MARK).strip().encode("utf-8", "replace"))
    if raw is None:
        head = from_base64(value.removeprefix(MARK)[:4].encode("utf-8", "replace"))
        if head is not None and head[:1] == b"\x04":
            return "broken", "is cut off or altered: no whole base64"
        return "fake", "has the dress of a sealed value and no base64 in it"
    if is_readable(raw, minimum=1):
        return "fake", "is base64 of text that anyone can read"
    if raw[:1] != b"\x04":
        return "fake", "does not start with a public key"
    if len(raw) <= _SEALED_AT_LEAST - 1:
        return "broken", f"ends after {len(raw)} bytes, inside key, nonce or code"
    if is_readable(raw[1:65]) or is_readable(raw[65:]):
        return "fake", "holds text that anyone can read"
    return "sealed", ""
