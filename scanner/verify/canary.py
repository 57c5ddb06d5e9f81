"""
Canary tokens: credentials laid out to be used, so that whoever laid them is told.

Using one is an alarm at somebody's desk, so a known one is recognised offline and
asked about only with --allow-canaries.
"""

from __future__ import annotations

import base64
import binascii
import re

from scanner.model import Finding

# Account ids are facts that several public lists agree on; no issuer confirms them.
_THINKST = frozenset(
    [
        "052310077262",
        "171436882533",
        "534261010715",
        "595918472158",
        "717712589309",
        "819147034852",
        "992382622183",
        "730335385048",
        "266735846894",
        "893192397702",
        "729780141977",
    ]
)
_IMITATORS = frozenset(
    [
        "044858866125",
        "251535659677",
        "344043088457",
        "351906852752",
        "390477818340",
        "426127672474",
        "427150556519",
        "439872796651",
        "445142720921",
        "465867158099",
        "637958123769",
        "693412236332",
        "732624840810",
        "735421457923",
        "959235150393",
        "982842642351",
    ]
)
_HOSTS = re.compile(
    rb"(?:^|[^a-z0-9-])((?:[a-z0-9-]+\.)*"
    rb"(?:canarytokens\.(?:com|org|net)|canary\.tools|o3n\.io|whiteclouddrive\.com"
    rb"|canarytokens-aws\.com))(?![a-z0-9.-]*[a-z0-9])",
    re.IGNORECASE,
)
_KEY_ID = re.compile(rb"(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}\Z")


def issuer(finding: Finding) -> str | None:
    """
    Return who laid this canary, `None` if it is not known to be one.
    """
    texts = [companion.value.reveal() for companion in finding.companions]
    if finding.secret is not None:
        texts.insert(0, finding.secret.reveal())
    for text in texts:
        if found := _HOSTS.search(text):
            return found[1].decode("ascii").lower()
        account = aws_account(text)
        if account in _THINKST:
            return "canarytokens.org"
        if account in _IMITATORS:
            return "an imitator of canarytokens.org"
    return None


def aws_account(key_id: bytes) -> str | None:
    """
    Return the account that is written into an AWS key id, `None` if it holds none.

    The ten base32 digits after the prefix are 48 bits, of which the account is all
    but the first and the last seven: ids made since 2019 carry it.
    """
    if not _KEY_ID.match(key_id):
        return None
    try:
        data = base64.b32decode(key_id[4:])
    except binascii.Error:
        return None
    number = (int.from_bytes(data[:6], "big") & 0x7FFF_FFFF_FF80) >> 7
    return f"{number:012d}" if number < 10**12 else None
