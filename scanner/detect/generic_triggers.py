"""
What the first pass looks for on behalf of `detect.generic`: a telling word, a separator, something like a value.

They only choose the lines that `generic_forms` reads, so they may be too generous, but each hit is
a call into Python: the commoner the word, the longer the value it asks for.
"""

from __future__ import annotations

from enum import IntEnum

from scanner.detect.registry import Expression


class Trigger(IntEnum):
    """
    The tag of an expression: what its hit asks `generic` to read.
    """

    LINE = 0
    JWK = 1
    """The lines around it too."""


_STRONG = (
    rb"(?:pass(?:w|ph|code)|passwd|p[sa]?wd|secret|token|api[_.-]?key|apikey|credential|creds|nonce|jwt|hmac"
    rb"|[cx]srf|securestring|mnemonic|_pw|totp|salt|[^a-z](?:pass|sid|otp|pin)[^a-z\n])"
)
_WEAK = (
    rb"(?:key[^a-rt-z]|keys|auth|encrypt|cipher|signature|session|cookie|connection_?string|license"
    rb"|webhook|verifier|(?:client|app|application|account|tenant|consumer|access|project|customer)[_.-]?(?:id|sid)"
    rb"|seed|login)"
)
_REST_OF_NAME = rb"[\w.-]{0,30}"
_CLOSE = rb"[\"'`\])}\\?!]{0,4}\s{0,4}"
_OPERATOR = rb"(?::=|=>|=|:|,|\(|>|->)"
_GAP = rb"[^\n\"'`;]{0,40}"
_LITERAL = rb"[\"'`][^\s\"'`<>(){}$]"
_PLAIN = rb"[^\s\"'`<>(){}$\[\]\\;,&|]"
_END = rb"(?:[ \t]{0,4}\r?$|[ \t]#|[&\"'`\\])"

_PATTERNS = (
    # A literal after a name.
    _STRONG + _REST_OF_NAME + _CLOSE + _OPERATOR + _GAP + _LITERAL + rb"[^\s\"'`<>]{3}",
    _WEAK + _REST_OF_NAME + _CLOSE + _OPERATOR + _GAP + _LITERAL + rb"[^\s\"'`<>]{7}",
    # A bare value after a name, up to the end of the line or of the query parameter.
    rb"(?m)"
    + _STRONG
    + _REST_OF_NAME
    + rb"[\"'\])\\]{0,3}\s{0,4}(?::=|=>|=|:)[ \t]{0,8}"
    + _PLAIN
    + rb"{4,200}"
    + _END,
    rb"(?m)"
    + _WEAK
    + _REST_OF_NAME
    + rb"[\"'\])\\]{0,3}\s{0,4}(?::=|=>|=|:)[ \t]{0,8}"
    + _PLAIN
    + rb"{8,200}"
    + _END,
    # An element of XML.
    rb"(?:" + _STRONG + rb"|key)" + rb"[\w.-]{0,30}>[^\s<>\"'{}$]{4,200}</",
    # A literal with nothing but blanks between: SQL, PowerShell, some configuration files.
    rb"(?:password|identified\s+by|securestring|secret|-string)\s{1,4}[\"'][^\s\"'`<>$%]{4}",
    # Options.
    rb"-(?:[a-z]{1,12}-){0,2}(?:pass|password|passwd|secret|token|key|pwd|credentials?)\s{1,2}[\"']?[^\s\"'`<>(){}$%|&;\[\]-][^\s\"'`<>(){}$]{3}",
    rb"(?m)(?:^|\s)(?:-u|-U|--user|--proxy-user|--userpwd)[\s=]{0,2}[\"']?[\w.@+-]{1,40}:[^\s\"':/@$]{3}",
    rb"(?:sshpass|mysql|mysqladmin|mysqldump|redis-cli|docker\s+login|smbclient|net\s+use|htpasswd|openssl)\b[^\n]{0,80}"
    rb"\s-(?:p|a|P|b|k|passin|passout)\s?(?:pass:)?[\"']?[^\s\"'$<>|&;-][^\s\"'|&;$]{3}",
    # Headers.
    rb"\b(?:bearer|basic)[\s\"'`\\]{1,4}[A-Za-z0-9+/=._~-]{10}",
    rb"authorization[\"'`\\)\]]{0,4}\s{0,2}[:=,]>?[\s\"'`\\(]{0,4}[\w-]{2,12}\s[\"'`\\]{0,2}[A-Za-z0-9+/=._~:%|-]{6}",
    # The password of a URL.
    rb":\\?/\\?/[^\s/:@\"'<>`|,;]{0,60}:[^\s@\"'<>`/:{}$]{2,100}@",
)

# A JSON Web Key by its one long member name.
_JWK = rb"\bkty[\"'\\]{0,2}\s{0,2}[:=]"

EXPRESSIONS = (
    *(Expression(pattern=pattern, tag=Trigger.LINE, caseless=True) for pattern in _PATTERNS),
    Expression(pattern=_JWK, tag=Trigger.JWK),
)
