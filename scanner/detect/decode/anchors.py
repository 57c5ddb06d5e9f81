"""
Literals in coded form: what `ghp_` looks like inside base64, hex or UTF-16.

A coding is only undone where the coded form of something worth finding stands
(DESIGN.md, principle 5), so that decoding costs next to nothing elsewhere.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from scanner.detect.registry import Expression

BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

# The base64 form of three bytes is four characters, which camel-cased names hit by chance.
_SHORTEST = 4

WORDS = (
    "password",
    "Password",
    "PASSWORD",
    "passwd",
    "secret",
    "Secret",
    "SECRET",
    "token",
    "Token",
    "TOKEN",
    "api_key",
    "apiKey",
    "API_KEY",
    "access_key",
    "ACCESS_KEY",
    "private_key",
    "-----BEGIN ",
    "AKIA",
    "https://",
    "://",
)
"""What stands beside credentials whatever their rule; `://` is too short for base64."""

PREFIXES = (
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "rk_live_",
    "sk-ant-",
    "sk-proj-",
    "npm_",
    "pypi-AgEI",
    "dop_v1_",
    "hvs.",
    "SG.",
    "AIza",
    "ya29.",
    "shpat_",
    "eyJhbGciOi",
    "glrt-",
    "dckr_pat_",
    "hf_",
    "lin_api_",
    "shpss_",
    "ATATT3",
    "figd_",
    "rubygems_",
    "dapi",
    "PMAK-",
    "sntrys_",
    "xai-",
    "gsk_",
    "ghu_",
    "ghr_",
    "xapp-",
    "sk_test_",
    "whsec_",
)
"""The prefixes that leak most; the engine adds those of every rule it runs."""


def base64_forms(anchor: bytes, *, tag: int = 0) -> list[Expression]:
    """
    Return the three forms that `anchor` takes in base64, one for each alignment.

    The tag of each is `tag` plus the phase of the hit: how many characters of a group of four lie
    before the end of the hit.
    """
    if len(anchor) < _SHORTEST:
        return []
    return [_aligned(anchor, before, tag) for before in range(3)]


def _aligned(anchor: bytes, before: int, tag: int) -> Expression:
    # Bits that belong to neighbours are unknown: the characters at the edges become classes.
    bits = "?" * (8 * before) + "".join(f"{byte:08b}" for byte in anchor)
    bits += "?" * (-len(bits) % 6)
    groups = [bits[at : at + 6] for at in range(0, len(bits), 6)]
    first = next(index for index, group in enumerate(groups) if group != "?" * 6)
    pattern = b"".join(_character(group) for group in groups[first:])
    return Expression(pattern=pattern, tag=tag + len(groups) % 4)


def _character(group: str) -> bytes:
    known = int(group.replace("0", "1").replace("?", "0"), 2)
    bits = int(group.replace("?", "0"), 2)
    # Most characters are known in whole, and a first run asks for tens of thousands.
    values = [bits] if known == 63 else [v for v in range(64) if v & known == bits]
    letters = {BASE64_ALPHABET[value] for value in values}
    letters |= {b"-_"[value - 62] for value in values if value >= 62}
    if len(letters) == 1:
        return re.escape(bytes(letters))
    return b"[" + b"".join(b"\\x%02x" % letter for letter in sorted(letters)) + b"]"


def nested_base64_forms(anchor: bytes, *, tag: int = 0) -> list[Expression]:
    """
    Return the forms of `anchor` in the base64 of its base64, without unsure edges.
    """
    forms = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + anchor)
        certain = encoded[-(-before * 8 // 6) : (before + len(anchor)) * 8 // 6]
        forms += base64_forms(certain, tag=tag)
    return forms


def hex_form(anchor: bytes, *, tag: int = 0) -> list[Expression]:
    """
    Return the one form of `anchor` in hex digits of either case.
    """
    if len(anchor) < _SHORTEST:
        return []
    return [Expression(pattern=anchor.hex().encode(), caseless=True, tag=tag)]


def wide_form(anchor: bytes, *, width: int, tag: int = 0) -> list[Expression]:
    """
    Return the form of an ASCII `anchor` with `width` bytes a character.

    What is common to both byte orders is enough: the last zeros are left out.
    """
    zeros = rb"\x00" * (width - 1)
    return [Expression(pattern=zeros.join(re.escape(bytes([byte])) for byte in anchor), tag=tag)]


def usable(anchors: Iterable[str]) -> list[bytes]:
    """
    Return the anchors that have a coded form worth looking for, in order, once each.
    """
    ascii_only = (anchor.encode() for anchor in anchors if anchor.isascii())
    return list(dict.fromkeys(anchor for anchor in ascii_only if len(anchor) >= _SHORTEST))
