"""
Less common orders of name and value: blanks alone between them, or the value first.

`detect.generic_triggers` finds the lines, `detect.generic_forms` reads them.
"""

from __future__ import annotations

from scanner.expressions import expression

SHOUTED = expression(
    rb"""(?x) (?P<name>(?:SECRET|TOKEN|PASSWORD|ACCESS|PRIVATE
      |(?<!PRIMARY\ )(?<!FOREIGN\ )(?<!UNIQUE\ )KEY)[A-Z_]{0,12})
    (?P<between>[ \t]{1,4}["']?)
    (?P<value>(?=[A-Za-z+/=_-]{0,40}[0-9])[A-Za-z0-9+/=_-]{16,512}) (?![\w+/=.({-])"""
)
"""`ENV API_TOKEN value`: capitals, blanks and something with a digit in it."""

COMPARED = expression(
    rb"""(?x) ["'`](?P<value>[^\s"'`]{4,200})
    (?P<between>["'`]\s?(?:===?|!==?|<>)\s?)
    (?P<name>(?:[\w.]|->){0,40}(?i:passw|pwd|passphrase|secret|token|api_?key|private_?key)\w{0,30})"""
)
"""`"value" == password`: what is compared with stands last."""

_SHOUTED_TRIGGER = (
    rb"(?:SECRET|TOKEN|PASSWORD|KEY|ACCESS|PRIVATE)[A-Z_]{0,12}[ \t]{1,4}[\"']?"
    rb"[A-Za-z+/=_-]{0,15}[0-9][A-Za-z0-9+/=_-]{12}"
)
_COMPARED_TRIGGER = (
    rb"[^\s\"'`]{3}[\"'`]\s?(?:===?|!==?|<>)\s?[\w.>-]{0,40}"
    rb"(?:passw|pwd|passphrase|secret|token|api_?key|private_?key)"
)
# `acme token - 'value'`, as notes have it: what is common is then looked for around it.
_DASHED_TRIGGER = rb"(?:token|secret|password|[^a-z]key)\s-\s[\"'`][^\s\"'`<>]{12}"
# `acme SECRET value`, `acme_secret-value`: the name alone would not make it a candidate.
AROUND = (
    rb"(?:secret|token|key|access|private)[A-Za-z_]{0,12}[ \t-][\"']?"
    rb"(?:[A-Za-z0-9]{0,12}[0-9][A-Za-z0-9+/_-]{10}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-)"
)
"""Something named like a credential, around which common words are looked for and no more."""

TRIGGERS = ((_SHOUTED_TRIGGER, False), (_COMPARED_TRIGGER, True), (_DASHED_TRIGGER, True))
"""What the first pass looks for on their behalf, and whether in any case."""
