"""
Inline suppressions: `unsealed:allow RULE reason` on the line of the finding.
"""

from __future__ import annotations

import enum

from scanner.model import Match, Suppressed


class Comments(enum.Enum):
    """
    How much the comments of a scanned text may say.
    """

    HONOURED = "honoured"
    """An own working copy: a comment with a reason waves its line through, counted."""

    WITH_PEERS = "with-peers"
    """The same, and the markers of other scanners count too."""

    REPORTED = "reported"
    """A change under review cannot excuse itself: comments are named and do not count."""

    IGNORED = "ignored"
    """A full-history audit."""


def by_comment(match: Match, *, peers: bool = False) -> tuple[Suppressed | None, str | None]:
    """
    Return what the match's own line says in its favour, and a notice where it
    does not hold.

    A comment holds if it names the rule (or `*`) and gives a reason; with `peers`, another
    scanner's marker does, which names neither.
    """
    if peers and match.peer_marker is not None:
        return Suppressed(by="peer-marker", reason=match.peer_marker), None
    if match.allow is None:
        return None, None
    rule, _, reason = match.allow.strip().partition(" ")
    reason = reason.strip(" \t-:*/#>")
    if rule not in (match.rule_id, "*"):
        return None, None
    if not reason:
        return None, f"an `unsealed:allow {rule}` without a reason does not count"
    return Suppressed(by="comment", reason=reason), None
