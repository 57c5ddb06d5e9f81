"""
Texts for people in other languages: `forgot_password=Unustasid` is no password, and no list of
words knows every language.
"""

from __future__ import annotations

import re

from scanner.model import Match

LOWERED = 0.3
"""At most so likely is a word in a file of translations a credential."""

_PATH = re.compile(
    rb"""(?ix)
      (?:\A|[/_.-])(?:locales?|i18n|l10n|lang(?:uage)?s?|translations?|intl|nls|lproj)[/_.-]
    | (?-i:[/_.-][a-z]{2,3}[-_][A-Z]{2}[/.])
    | [/_.-]messages?[/_.-] | \.(?:po|pot|ftl|arb|resx|xlf|xliff|strings|lang)\Z
    | /values-[a-z]{2}(?:-[a-z0-9-]+)?/[^/]+\.xml\Z"""
)
_WORDS = re.compile(r"[^\W\d_]+(?:[ ,.:;!?'\u2019\u2026()/%&\"-]+[^\W\d_]+)*[ .:;!?'\u2026)\"]*")
_PLAIN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_LONGEST = 200


def is_word(match: Match) -> bool:
    """
    Return whether a match without a shape is made of words alone, as letters of a language go: one
    of plain letters has no capital within.
    """
    if match.secret is None or not match.rule_id.startswith("generic-"):
        return False
    try:
        text = match.secret.reveal().decode("utf-8").strip()
    except UnicodeDecodeError:
        return False
    if len(text) > _LONGEST or not _WORDS.fullmatch(text):
        return False
    plain = (part for part in re.split(r"[\W_]+", text) if part and part.isascii())
    return all(_PLAIN.fullmatch(part) for part in plain)


def holds_translations(path: bytes | None) -> bool:
    """
    Return whether a path says that its file holds texts in several languages.
    """
    return path is not None and _PATH.search(path) is not None
