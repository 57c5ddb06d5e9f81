"""
Values that say by their tag that they are vaults, and hold none: `!vault |` over plain text.

Format: https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html
"""

from __future__ import annotations

import re

from scanner.detect.sealed.evidence import Lines, ValueKind, extension, value_kind
from scanner.model import SealRecord

_VALUE = re.compile(
    rb"!vault(?:-encrypted)?[ \t]+"
    rb"(?:[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\r?\n[ \t]+(?P<block>[^\r\n]+)"
    rb"|(?P<quote>[\"'])(?P<flow>[^\"'\r\n]+)(?P=quote))"
)
_LONGEST_LEAD = 2_000  # bytes before a tag on its line
_BEFORE = frozenset({b"", b" ", b"\t", b"\r", b"\v", b"\f", b":", b"-"})
_YAML = frozenset({"yaml", "yml", "j2", "jinja2", "vault", "enc", "bak", "orig", ""})
_DIGITS = re.compile(r"[0-9A-Fa-f]{40,}")
_ELSEWHERE = re.compile(r"[/:#]|\$ANSIBLE_VAULT")
"""A path in a store, which others write behind the same tag; or a header, judged as such."""


def tagged(data: bytes, path: bytes | None) -> list[SealRecord]:
    """
    Return a record for each value with the tag of a vault and no vault behind it.
    """
    if path is not None and extension(path) not in _YAML:
        return []
    where = Lines(data)
    records = []
    for found in _VALUE.finditer(data):
        begin = max(found.start() - _LONGEST_LEAD, 0)
        before = data[max(data.rfind(b"\n", begin, found.start()) + 1, begin) : found.start()]
        if b"#" in before or before[-1:] not in _BEFORE:
            continue  # in a comment, or a part of a word
        name = "block" if found["block"] is not None else "flow"
        value = found[name].strip().decode("utf-8", "replace")
        if _ELSEWHERE.search(value) or value_kind(value) is not ValueKind.LITERAL:
            continue
        state, reason = (
            "fake",
            "the tag says that it is a vault, and its text can be read by anyone",
        )
        if _DIGITS.fullmatch(value):
            state, reason = "broken", "the header is gone: only the body is left of the vault"
        line = where.at(found.start(name))
        records.append(
            SealRecord(
                format="ansible-vault", state=state, reason=reason, line=line,
                detail=(("kind", "inline"),),
            )
        )  # fmt: skip
    return records
