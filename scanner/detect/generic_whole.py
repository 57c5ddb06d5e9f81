"""
Forms that one expression reads whole: headers, URLs, options, members of keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.detect.generic_excluded import begins_a_text
from scanner.expressions import expression

# Asked of lower-case text, as `TELLING` is.
_SCHEME = expression(
    rb"""(?x)
    \b(?P<name>bearer|basic|token|apikey|api-key|digest|ntlm|negotiate|bot|sso-key|hmac|oauth)
    (?P<between>\\?\s+ (?:\\*["'`])?) (?P<value>[A-Za-z0-9+/=._~:%|-]{6,2048})"""
)
URL = expression(
    rb"""(?x) (?P<between>:\\?/\\?/ [^\s:/@"'<>`|,;]{0,80} :)
    (?P<value>[^\s@"'<>`]{1,200}?(?:@[^\s@/?\#"'<>`,;:]{1,60}){0,2}) @ (?=[\w.\[$({%<-])"""
)
URL_SCHEME = expression(rb"[A-Za-z][\w+.%-]{1,30}\Z")
LONGEST_SCHEME = 31
PAIR = expression(
    rb"""(?x) (?P<name>(?:--user|-u|--proxy-user|-U|--userpwd|--user=))
    (?P<between>[\s=]*["']?[\w.@+-]{1,60}:)
    (?P<value>[^\s"':/@]{3,200}) (?=["'\s]|$)"""
)
ENCODED = expression(
    rb"""(?x) \b(?P<name>b64encode|btoa|base64_encode|(?:strict_|urlsafe_)?encode64
      |[eE]ncodeToString
      |Buffer\.from(?=\([^()]{0,200}\)\.toString\(["']base64))
    (?P<between>\( \s? (?:\[\]byte\()? b? ["'`] [\w.@+-]{1,60}:)
    (?P<value>[^\s"'`:/@$%{]{3,200}) (?=["'`])"""
)
"""A user and a password that are made into a header: `btoa("user:value")`."""

SHORT_OPTION = expression(
    rb"""(?x) \b(?:sshpass|mysql\w*|mysqladmin|psql|redis-cli|docker\s+login|smbclient
      |net\s+use|htpasswd|openssl)\b
    [^\n]{0,80}? \s (?P<name>-(?:p|a|P|b|k|passin|passout)) (?P<between>\s?(?:pass:)?["']?)
      (?P<value>[^\s"'$<>|&;-][^\s"'|&;]{3,80})"""
)
JWK = expression(
    rb"""(?x) (?<![\w.]) \\*["']? (?P<name>d|k)
    (?P<between>\\*["']?\s*[:=]>?\s*\\*["'])
    (?P<value>[A-Za-z0-9_/+=-]{16,1400}) (?=\\*["'])"""
)


_LAST = expression(rb"[A-Za-z]+[.:]+")
"""The last word of a sentence."""


def schemes(line: bytes, lower: bytes) -> Iterator[re.Match[bytes]]:
    """
    Yield each value behind the name of a scheme (`Bearer …`), in `line` made `lower`; "a token
    which is kept" is a text for people.
    """
    for match in _SCHEME.finditer(lower):
        start, end = match.span("value")
        if _LAST.fullmatch(line, start, end) or begins_a_text(match["name"], line, start, end):
            continue
        yield match
