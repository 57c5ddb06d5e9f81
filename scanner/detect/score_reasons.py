"""
Why a score is what it is, in a few words for a person; never anything of the secret itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from scanner.detect.features import CONTENT_NAMES

_AT = {name: index for index, name in enumerate(CONTENT_NAMES)}

_RULES: tuple[tuple[str, str, float, bool], ...] = (
    ("placeholder", "looks like a placeholder", 0.5, True),
    ("rarity", "the value's letters look random", 5.5, True),
    ("covered", "the value is made of ordinary words", 0.7, True),
    ("interpolation", "the value is filled in elsewhere", 0.5, True),
    ("is_identifier_path", "the value looks like a reference in code", 0.5, True),
    ("name.password", "its name says password", 0.5, True),
    ("name.secret", "its name says secret", 0.5, True),
    ("name.token", "its name says token", 0.5, True),
    ("name.api_key", "its name says API key", 0.5, True),
    ("asserted", "stands beside words of a test or an example", 0.5, True),
    ("commented", "stands in a comment", 0.5, True),
)


def reasons(row: Sequence[float]) -> tuple[str, ...]:
    """
    Return what speaks for and against, from a row of content features.
    """
    return tuple(text for name, text, limit, above in _RULES if (row[_AT[name]] > limit) is above)
