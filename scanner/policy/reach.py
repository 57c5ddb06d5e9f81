"""
What of a history a policy speaks of: file names to look out for, and folders to look into.

A pattern with neither a telling file name nor a folder to start from is held against
the files at HEAD alone.
"""

from __future__ import annotations

import re

from scanner.policy.model import MayNotExist, MustSeal, Policy

_COMMON = re.compile(
    r"\.?(?:ya?ml|json|txt|md|cfg|conf|ini|env|key|py|xml|toml|properties|sh)?", re.IGNORECASE
)
_LEAST = 4  # letters of a name that tell it apart
_META = frozenset("*?[({\\|+^$.")


def names(policy: Policy) -> list[bytes]:
    """
    Return patterns of whole file names, for hyperscan, that find the policy's paths in trees.
    """
    found = (_name(rule) for rule in _asking(policy))
    return list(dict.fromkeys(name for name in found if name is not None))


def exactly(name: bytes) -> bytes:
    """
    Return the pattern of one whole file name.
    """
    return b"".join(b"\\x%02x" % byte for byte in name)


def folders(policy: Policy) -> list[bytes]:
    """
    Return the folders that hold all paths of those patterns that say so.
    """
    found = (_folder(rule) for rule in _asking(policy))
    return list(dict.fromkeys(folder.encode() for folder in found if folder))


def unreached(policy: Policy) -> list[str]:
    """
    Return the patterns, as written, that neither names nor folders reach.
    """
    return [rule.shown for rule in _asking(policy) if _name(rule) is None and not _folder(rule)]


def _asking(policy: Policy) -> list[MustSeal | MayNotExist]:
    return [*policy.must_seal, *policy.forbidden]


def _name(rule: MustSeal | MayNotExist) -> bytes | None:
    last = _glob(rule).rstrip("/").rpartition("/")[2]
    literal = re.sub(r"\*+|\?|\[[^\]]+\]", "", last)
    if "**" in last or _COMMON.fullmatch(literal) or len(literal) < _LEAST:
        return None
    pieces = re.findall(r"\*+|\?|\[[^\]]+\]|[^*?\[]", last)
    return "".join(map(_piece, pieces)).encode()


def _piece(piece: str) -> str:
    if piece[0] == "*":
        return r"[^\x00]*"
    # A class and a question mark are one character or one byte of many: wider is right too.
    if piece == "?" or len(piece) > 1:
        return r"[^\x00]+"
    return "".join(f"\\x{byte:02x}" for byte in piece.encode())


def _folder(rule: MustSeal | MayNotExist) -> str:
    glob = _glob(rule).lstrip("/")
    parts = glob.split("/")[:-1]
    literal: list[str] = []
    for part in parts:
        if _META & set(part.replace(".", "")):
            break
        literal.append(part)
    return "/".join(literal)


def _glob(rule: MustSeal | MayNotExist) -> str:
    if rule.origin.endswith((".sops.yaml", ".sops.yml")):
        return _of_regex(rule)
    folder = rule.origin.rpartition("/")[0]
    if not folder or rule.origin.endswith("ansible.cfg"):
        return rule.shown
    free = "" if "/" in rule.shown else "**/"
    return f"{folder}/{free}{rule.shown.lstrip('/')}"


def _of_regex(rule: MustSeal | MayNotExist) -> str:
    # The literal ends of `path_regex`: `secrets/prod/.*\.enc\.yaml$`.
    folder = rule.origin.rpartition("/")[0]
    text = rule.shown.removeprefix("^").removesuffix("$")
    whole = re.compile(r"(?:[\w/ @-]|\\[./_-])*")
    start = whole.match(text)
    head = start[0].replace("\\", "") if start else ""
    tail = re.search(r"(?:[\w/ @-]|\\[./_-])*$", text)
    end = tail[0].replace("\\", "") if tail and rule.shown.endswith("$") else ""
    if len(head) == len(text.replace("\\", "")):
        glob = head
    else:
        glob = (
            f"{head.rpartition('/')[0]}/**/*{end.rpartition('/')[2]}"
            if "/" in head
            else (f"*{end.rpartition('/')[2]}")
        )
    return f"{folder}/{glob}" if folder else glob
