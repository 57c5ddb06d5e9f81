"""
Examples as templates: `ghp_{{alnum:36}}` is filled in by a seeded generator.

Slots: `{{kind:length}}` with kind `alnum`, `lower` (a-z0-9), `upper` (A-Z0-9), `hex`,
`HEX`, `digits`, `alpha`, `letters` (a-z), `base64`, `base64url`, `base32`,
`base32lower`, `base58`, `ascii` (a password), `uuid` (no length), and the kinds with
a checksum that `detect.checksums` makes (`{{checksum:NAME}}`, the whole token).
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Callable, Mapping

_ALPHABETS = {
    "alnum": string.ascii_letters + string.digits,
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "digits": string.digits,
    "alpha": string.ascii_letters,
    "letters": string.ascii_lowercase,
    "base64": string.ascii_letters + string.digits + "+/",
    "base64url": string.ascii_letters + string.digits + "-_",
    "base32": string.ascii_uppercase + "234567",
    "base32lower": string.ascii_lowercase + "234567",
    "base58": "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    "ascii": string.ascii_letters + string.digits + "!#%*+-.:?@_",
}
_SLOT = re.compile(r"\{\{(?P<kind>[A-Za-z0-9_-]+)(?::(?P<argument>[A-Za-z0-9_-]+))?\}\}")


def fill(
    template: str,
    *,
    seed: int = 0,
    checksums: Mapping[str, Callable[[random.Random], str]] | None = None,
) -> str:
    """
    Return `template` with every slot filled; the same seed gives the same text.

    `checksums` maps a name to a maker of whole tokens with that checksum.
    Raise `ValueError` on an unknown slot.
    """
    generator = random.Random(f"{seed}:{template}")  # noqa: S311 # look-alikes, not secrets

    def slot(found: re.Match[str]) -> str:
        kind, argument = found["kind"], found["argument"]
        if kind == "uuid":
            return str(uuid.UUID(int=generator.getrandbits(128), version=4))
        if kind == "checksum" and checksums is not None and argument in checksums:
            return checksums[argument](generator)
        if kind not in _ALPHABETS or argument is None or not argument.isdecimal():
            raise ValueError(f"unknown slot {found[0]!r}")
        return _run(generator, _ALPHABETS[kind], int(argument))

    return _SLOT.sub(slot, template)


def _run(generator: random.Random, alphabet: str, length: int) -> str:
    # A short run may repeat characters so often that an entropy floor turns it
    # away; the best of a few keeps examples about shape and not about luck.
    tries = ["".join(generator.choice(alphabet) for _ in range(length)) for _ in range(4)]
    return max(tries, key=lambda run: len(set(run)))
