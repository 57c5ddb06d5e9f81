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

SPOKEN = expression(
    rb"""(?ix) (?: \b(?:create|alter)\s+(?:role|user|login)\s[^\n;"'`=]{1,80}?\s(?=password\s)
      | \\set\s{1,4}(?=\w{0,30}pass) | (?=\bidentified\s+by\s+[a-z_]{0,40}\d) )
    (?P<name>identified\s+by|\w{4,40})
    (?P<between>[ \t]{1,4})
    (?P<value>(?!null\b|is\b|for\b)[^\s;,'"`(){}<>:$@%]{4,80}) (?=[\s;]|\Z)"""
)
"""A password of a statement without quotes: `CREATE ROLE a LOGIN PASSWORD value;`."""

_MADE = expression(rb"\bnew\s{1,4}\Z")
_LONGEST_NEW = 8


def is_made(line: bytes, position: int) -> bool:
    """
    Return whether the name at `position` is a type's, of which one is made: what it is given to
    tells more.
    """
    return _MADE.search(line, max(0, position - _LONGEST_NEW), position) is not None


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

_BARE_WORD = rb"[^\s;,'\"`(){}<>:$@%]"
_SPOKEN_TRIGGER = (
    rb"(?:(?:role|user|login)\s[^\n;\"'`=]{1,80}\spassword|\\set\s{1,4}\w{0,30}pass\w{0,10}"
    rb"|identified\s{1,4}by)\s{1,4}" + _BARE_WORD + rb"{4}"
)
# `the password is 'value'`, and a phrase whose first word is too short for the others.
_SAID_TRIGGER = (
    rb"pass(?:word|phrase|code)\s{1,2}is:?\s{1,2}[\"'`][^\s\"'`<>(){}$]{4}"
    rb"|passw(?:or)?d[\"']?\s{0,4}(?:=>|[:=])\s{0,4}[\"'][^\s\"'`<>(){}$%]{1,3}\s"
    rb"[^\"'`<>(){}$%\n]{4,40}[\"']"
)

# `btoa("user:value")`.
_ENCODED_TRIGGER = (
    rb"(?:b64encode|btoa|base64_encode|encode64|encodetostring|buffer\.from)\(\s?(?:\[\]byte\()?b?"
    rb"[\"'`][\w.@+-]{1,60}:[^\s\"'`:/@$%{]{3}"
)

TRIGGERS = (
    (_SHOUTED_TRIGGER, False),
    (_COMPARED_TRIGGER, True),
    (_DASHED_TRIGGER, True),
    (_SPOKEN_TRIGGER, True),
    (_SAID_TRIGGER, True),
    (_ENCODED_TRIGGER, True),
)
"""What the first pass looks for on their behalf, and whether in any case."""
