"""
Look-alikes of credentials, filled from templates by a seeded generator.

No file of ours holds a token-shaped string: `ghp_{{alnum:36}}` becomes one only
while a test or `rules check` runs.
"""

from __future__ import annotations

import random
import string
import zlib

from scanner.ruleset.templates import fill

__all__ = ["fill", "github_token"]

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def github_token(seed: int = 0) -> str:
    """
    Return a look-alike of a classic GitHub token whose checksum fits.
    """
    generator = random.Random(seed)
    body = "".join(generator.choice(_BASE62) for _ in range(30))
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return "ghp_" + body + digits.rjust(6, "0")
