"""
SOPS: YAML, JSON, dotenv, INI and binary files whose values are sealed one by one.

Format: https://getsops.io/docs/
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from scanner.detect.sealed import age
from scanner.detect.sealed.evidence import (
    TEMPLATE,
    base_name,
    extension,
    from_base64,
    is_filler,
    is_readable,
)
from scanner.detect.sealed.line_reader import Leaf, read_assignments
from scanner.detect.sealed.structure import documents, text_of
from scanner.model import SealRecord

FORMAT = "sops"
VALUE = re.compile(
    r"ENC\[AES256_GCM,data:(?P<data>[^,\]]*),iv:(?P<iv>[^,\]]*),tag:(?P<tag>[^,\]]*),"
    r"type:(?P<type>str|int|float|bytes|bool|comment|time)\]"
)
_KEYS = ("mac", "lastmodified", "version", "age", "pgp", "kms", "gcp_kms", "azure_kv", "hc_vault",
    "key_groups", "unencrypted_suffix", "encrypted_suffix", "encrypted_regex",
    "unencrypted_regex")  # fmt: skip
_RECIPIENT = {"age": "recipient", "pgp": "fp", "kms": "arn", "gcp_kms": "resource_id",
    "azure_kv": "vault_url", "hc_vault": "vault_address"}  # fmt: skip
_STRUCTURED = re.compile(
    r"yaml|yml|json|env|ini|enc|sops|dotenv|cfg|conf|properties|bin|txt|bak|tfvars|tfstate"
    r"|encrypted|secrets?|"
)
_BINARY = re.compile(rb"\s*\{\s*\"data\":\s*\"ENC\[AES256_GCM,")
"""A file of any other kind becomes one value in JSON, under whatever name it had."""

_PLACE = re.compile(r"^(?P<kind>\w+?)__list_(?P<index>\d+)__map_(?P<key>\w+)$")
_VERSION = re.compile(r"\d+\.\d+\.\d")
_TAG_SIZE = 16
_NONCES = frozenset({12, 32})
_MAC_SIZE = 128  # bytes; the hex digits of SHA-512


@dataclass(frozen=True, slots=True)
class SopsFile:
    """
    One document of a SOPS file, its values apart from its metadata.
    """

    values: tuple[Leaf, ...]
    metadata: tuple[Leaf, ...]
    """With paths from below `sops`: `("mac",)`, `("age", "#0", "recipient")`."""

    line: int
    text: str = ""
    """All of the file, for the comments that rule over values."""

    def meta(self, key: str) -> str | None:
        """
        Return one metadata value; `None` if it is not there, blank or null.
        """
        found = next((leaf.value for leaf in self.metadata if leaf.path == (key,)), "")
        return found if found.strip() not in ("", "null", "~") else None


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return one record for each SOPS document in `data`.
    """
    if (
        path is not None
        and not _STRUCTURED.fullmatch(extension(path))
        and ".env" not in base_name(path)
        and not _BINARY.match(data)
    ):
        return []
    return [_judge(one) for one in sops_files(data, path)]


def sops_files(data: bytes, path: bytes | None = None) -> list[SopsFile]:
    """
    Return the SOPS documents of a file; none if it has neither sealed values nor metadata.
    """
    text = text_of(data)
    if re.search(r"^sops_(?:mac|version|lastmodified)[ \t]*=", text, re.MULTILINE):
        return [_from_env(text)]
    if re.search(r"^\[sops\][ \t]*\r?$", text, re.MULTILINE):
        return [_from_ini(text)]
    name = base_name(path)
    if extension(path) in ("env", "ini") or ".env" in name:
        return [SopsFile(tuple(read_assignments(text)), (), 1)] if _sealed_lines(text) else []
    found = []
    trees = list(documents(data, lambda part: "ENC[AES256_GCM" in part or "sops" in part))
    for tree in trees:
        values = tuple(leaf for leaf in tree.leaves if leaf.path[:1] != ("sops",))
        metadata = tuple(
            Leaf(leaf.path[1:], leaf.value, leaf.line, leaf.kind)
            for leaf in tree.leaves
            if leaf.path[:1] == ("sops",) and len(leaf.path) > 1
        )
        known = {leaf.path[0] for leaf in metadata} & set(_KEYS)
        sealed = any(leaf.value.lstrip().startswith("ENC[AES256_GCM,") for leaf in values)
        if len(known) >= 2 or ("mac" in known or "lastmodified" in known) or sealed:
            line = metadata[0].line if metadata and not sealed else tree.leaves[0].line
            found.append(SopsFile(values, metadata, line, text))
    return _shared(found)


def _shared(found: list[SopsFile]) -> list[SopsFile]:
    # A multi-document file may carry its metadata in one of its documents only.
    owner = next((one.metadata for one in found if one.metadata), ())
    return [
        one if one.metadata else SopsFile(one.values, owner, one.line, one.text) for one in found
    ]


def _sealed_lines(text: str) -> bool:
    return re.search(r"^[\w.-]+[ \t]*=[ \t]*ENC\[AES256_GCM,", text, re.MULTILINE) is not None


def _from_env(text: str) -> SopsFile:
    leaves = read_assignments(text)
    values = tuple(leaf for leaf in leaves if not leaf.path[-1].startswith("sops_"))
    metadata = tuple(
        Leaf(_nested(leaf.path[-1][5:]), leaf.value.replace("\\n", "\n"), leaf.line, leaf.kind)
        for leaf in leaves
        if leaf.path[-1].startswith("sops_")
    )
    return SopsFile(values, metadata, 1, text)


def _from_ini(text: str) -> SopsFile:
    leaves = read_assignments(text)
    values = tuple(leaf for leaf in leaves if leaf.path[0] != "sops")
    metadata = tuple(
        Leaf(_nested(leaf.path[-1]), leaf.value.replace("\\n", "\n"), leaf.line, leaf.kind)
        for leaf in leaves
        if leaf.path[0] == "sops"
    )
    return SopsFile(values, metadata, 1, text)


def _nested(key: str) -> tuple[str, ...]:
    found = _PLACE.match(key)
    return (found["kind"], f"#{found['index']}", found["key"]) if found else (key,)


def must_seal(path: tuple[str, ...], one: SopsFile) -> bool:
    """
    Whether the rules in the file's own metadata say that the value at `path` is sealed.
    """
    keys = [key for key in path if not key.startswith("#")]
    plain_end = one.meta("unencrypted_suffix")
    sealed_end = one.meta("encrypted_suffix")
    plain_like = one.meta("unencrypted_regex")
    sealed_like = one.meta("encrypted_regex")
    if sealed_end:
        return any(key.endswith(sealed_end) for key in keys)
    if sealed_like:
        return any(_like(sealed_like, key) for key in keys)
    if plain_like:
        return not any(_like(plain_like, key) for key in keys)
    return not any(key.endswith(plain_end or "_unencrypted") for key in keys)


def marked_lines(one: SopsFile) -> tuple[frozenset[int], bool] | None:
    """
    Return the lines that comments rule over, and whether these are the ones that are sealed; `None`
    where comments rule over nothing.
    """
    sealed, plain = one.meta("encrypted_comment_regex"), one.meta("unencrypted_comment_regex")
    pattern = sealed or plain
    if pattern is None:
        return None
    marked: set[int] = set()
    waiting = False
    depth: int | None = None
    for number, line in enumerate(one.text.split("\n"), 1):
        bare = line.lstrip(" ")
        if bare.startswith(("#", ";")):
            waiting = waiting or _like(pattern, bare.lstrip("#; "))
            continue
        if not bare.strip():
            continue
        indent = len(line) - len(bare)
        if depth is not None and indent <= depth:
            depth = None
        if waiting:
            depth, waiting = indent, False
        comment = re.search(r"\s#\s*(.*)", line)
        if depth is not None or (comment and _like(pattern, comment[1])):
            marked.add(number)
    return frozenset(marked), sealed is not None


def _like(pattern: str, key: str) -> bool:
    # A pattern from the file under judgement: short keys only, and no nested
    # repetition, so that it cannot be made to run for ever.
    if len(pattern) > 500 or re.search(r"[+*}]\)*[+*{]", pattern):
        return False
    try:
        return re.search(pattern, key[:200]) is not None
    except re.error:
        return False


def recipients(one: SopsFile) -> tuple[str, ...]:
    """
    Return who can open the file: `age:…`, `pgp:…`, `kms:…`.
    """
    found = []
    for leaf in one.metadata:
        for kind, key in _RECIPIENT.items():
            if kind in leaf.path and leaf.path[-1] == key and leaf.value.strip():
                found.append(f"{kind}:{leaf.value.strip()}")
    return tuple(dict.fromkeys(found))


def _judge(one: SopsFile) -> SealRecord:
    state, reason, line = _verdict(one)
    return SealRecord(
        format=FORMAT,
        state=state,
        reason=reason,
        line=line,
        version=one.meta("version"),
        recipients=recipients(one),
    )


def _verdict(one: SopsFile) -> tuple[str, str, int]:
    judged = [(leaf, *judge_value(leaf.value)) for leaf in one.values if _counts(leaf)]
    sealed = [leaf for leaf, state, _ in judged if state == "sealed"]
    bad = [(leaf, why) for leaf, state, why in judged if state in ("fake", "broken")]
    fakes = [(leaf, why) for leaf, state, why in judged if state == "fake"]
    told = marked_lines(one)
    plain = [
        leaf
        for leaf, state, _ in judged
        if state == "plaintext"
        and (must_seal(leaf.path, one) if told is None else (leaf.line in told[0]) == told[1])
    ]
    if judged and not sealed and not plain and not fakes and not bad:
        leaf = judged[0][0]
        return "fake", f"{leaf.name!r}: the file's own rules seal none of its values", leaf.line
    if judged and not sealed and (plain or fakes):
        leaf, why = fakes[0] if fakes else (plain[0], "none of its values is sealed")
        return "fake", f"{leaf.name!r}: {why}" if fakes else why, leaf.line
    if _all_readable(one):
        return "fake", "the sealed values are base64 of text that anyone can read", one.line
    if fakes:
        return "partly-sealed", f"{fakes[0][0].name!r}: {fakes[0][1]}", fakes[0][0].line
    if plain:
        more = f", and {len(plain) - 1} more" if len(plain) > 1 else ""
        reason = f"{plain[0].name!r}{more} must be sealed by the file's own rules, and is plain"
        return "partly-sealed", reason, plain[0].line
    if bad:
        return "broken", f"{bad[0][0].name!r}: {bad[0][1]}", bad[0][0].line
    problem = _metadata_problem(one)
    if problem:
        return "broken", problem, one.line
    return "sealed", f"{len(sealed)} sealed values under an authentication code", one.line


def _counts(leaf: Leaf) -> bool:
    # SOPS leaves empty strings and nulls as they are.
    value = leaf.value.strip()
    if leaf.kind == "plain" and value in ("", "null", "~", "Null", "NULL", "{}", "[]"):
        return False
    return bool(value) and leaf.kind != "alias" and TEMPLATE not in value


def judge_value(value: str) -> tuple[str, str]:
    """
    Return state and reason of one value: `sealed`, `fake`, `broken` or `plaintext`.
    """
    value = value.strip()
    found = VALUE.fullmatch(value)
    if found is None:
        if value.startswith("ENC[AES256_GCM"):
            if re.match(r"ENC\[AES256_GCM,data:[A-Za-z0-9+/=]*(?:,iv:|$)", value):
                return "broken", "a sealed value that is cut off or altered"
            return "fake", "has the dress of a sealed value and nothing sealed in it"
        return "plaintext", "is not sealed"
    data, nonce, tag = (from_base64(found[name].encode()) for name in ("data", "iv", "tag"))
    if data is not None and is_readable(data):
        return "fake", "its ciphertext is base64 of text that anyone can read"
    if data is None:
        return "broken", "its ciphertext is no base64"
    if nonce is None or len(nonce) not in _NONCES:
        return "broken", "its nonce is damaged"
    if tag is None or len(tag) != _TAG_SIZE:
        return "broken", "its authentication code is damaged"
    if is_readable(nonce) or is_filler(nonce) or is_readable(tag) or is_filler(tag):
        return "fake", "nonce or code is no ciphertext"
    return "sealed", ""


def _all_readable(one: SopsFile) -> bool:
    joined = b""
    for leaf in one.values:
        found = VALUE.fullmatch(leaf.value.strip())
        joined += (from_base64(found["data"].encode()) or b"") if found else b""
    return is_readable(joined)


def _metadata_problem(one: SopsFile) -> str | None:
    if not one.metadata:
        return "sealed values without metadata: no key can open them"
    mac = one.meta("mac")
    if mac is None:
        return "no authentication code: values can be added, moved and removed unseen"
    state, why = judge_value(mac)
    if state != "sealed":
        return f"the authentication code: {why}"
    if len(from_base64(VALUE.sub(r"\g<data>", mac.strip()).encode()) or b"") != _MAC_SIZE:
        return "the authentication code has not the size of one: cut off or altered"
    if one.meta("lastmodified") is None:
        return "no date of the last change: the authentication code cannot hold without it"
    if not _VERSION.match(one.meta("version") or ""):
        return "its last lines are gone: no version of SOPS"
    if not recipients(one):
        return "no recipient: no key can open it"
    return _envelope_problem(one)


def _envelope_problem(one: SopsFile) -> str | None:
    wrapped = [leaf for leaf in one.metadata if leaf.path[-1] == "enc"]
    for leaf in wrapped:
        if "age" in leaf.path:
            records = age.check(leaf.value.encode("utf-8", "replace"), None)
            if not records or records[0].state != "sealed":
                why = records[0].reason if records else "it is no age text"
                return f"the wrapped data key is damaged: {why}"
        elif "pgp" in leaf.path and "BEGIN PGP MESSAGE" not in leaf.value:
            return "the wrapped data key is damaged: it is no PGP message"
        elif not leaf.value.strip():
            return "a wrapped data key is blank"
    return None if wrapped else "no wrapped data key: no recipient can open it"
