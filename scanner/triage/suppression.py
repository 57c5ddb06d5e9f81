"""
Inline suppressions: `unsealed:allow RULE reason` on the line of the finding.
"""

from __future__ import annotations

import enum
import re

from scanner.model import Match, Suppressed

_PEERS = re.compile(
    rb"gitleaks:allow|betterleaks:allow|trufflehog:ignore|kingfisher:(?:ignore|allow)"
    rb"|pragma:\s*(?:allowlist|whitelist)\s+secret|ggignore|nosecret",
    re.IGNORECASE,
)


class Comments(enum.Enum):
    """
    How much the comments of a scanned text may say.
    """

    HONOURED = "honoured"
    """An own working copy: a comment with a reason waves its line through, counted."""

    REPORTED = "reported"
    """A change under review cannot excuse itself: comments are named and do not count."""

    IGNORED = "ignored"
    """A full-history audit."""


def peer_marker(line: bytes) -> str | None:
    """
    Return the other tools' suppression marker that stands on `line`, if any.
    """
    found = _PEERS.search(line)
    return found[0].decode("ascii", errors="replace").lower() if found else None


def by_comment(match: Match) -> tuple[Suppressed | None, str | None]:
    """
    Return what the match's own line says in its favour, and a notice where it
    does not hold.

    A comment holds if it names the rule (or `*`) and gives a reason.
    """
    if match.allow is None:
        return None, None
    rule, _, reason = match.allow.strip().partition(" ")
    reason = reason.strip(" \t-:*/#>")
    if rule not in (match.rule_id, "*"):
        return None, None
    if not reason:
        return None, f"an `unsealed:allow {rule}` without a reason does not count"
    return Suppressed(by="comment", reason=reason), None
