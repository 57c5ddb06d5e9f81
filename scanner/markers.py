"""
Inline markers with which a line speaks for itself: ours, and those of other scanners.
"""

from __future__ import annotations

import re

from scanner.expressions import expression

OWN = b"unsealed:allow"

PEERS = expression(
    rb"gitleaks:allow|betterleaks:allow|trufflehog:ignore|kingfisher:(?:ignore|allow)"
    rb"|pragma:\s*(?:allowlist|whitelist)\s+secret|ggignore|nosecret",
    re.IGNORECASE,
)


def peer_marker(line: bytes) -> str | None:
    """
    Return the other tools' suppression marker that stands on `line`, if any.
    """
    found = PEERS.search(line)
    return found[0].decode("ascii", errors="replace").lower() if found else None
