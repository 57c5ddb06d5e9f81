"""
What the first pass looks for on behalf of `detect.generic`: a telling word, a separator and
something like a value.

They only choose the lines that `generic_forms` reads, so they may be too generous, but each hit is
a call into Python: the commoner the word, the longer the value it asks for.
"""

from __future__ import annotations

from scanner.detect.generic_lines import Trigger
from scanner.detect.generic_orders import AROUND, TRIGGERS
from scanner.detect.registry import Expression

_REST = rb"[\w.-]{0,30}"
_PART = rb"(?:[_.0-9-][\w.-]{0,30})?"
_STRONG = (
    rb"(?:(?:pass(?:w|ph|code)|passwd|p[sa]?wd|secret|token|api[_.-]?key|credential|creds|nonce|jwt"
    rb"|hmac|[cx]srf|securestring|mnemonic|totp|salt)" + _REST
    + rb"|(?:[^a-z]|\\[nrt])(?:pass|sid|otp|pin|pw)"
    + _PART + rb")"
)  # fmt: skip
_WEAK = (
    rb"(?:(?:auth|encrypt|cipher|signature|session|cookie|connection_?string|license|webhook"
    rb"|verifier|(?:client|app|application|account|tenant|consumer|access|project|customer)"
    rb"[_.-]?(?:id|sid))" + _REST
    + rb"|key(?:s|id|base|hex|b64|bytes|data|value)?" + _PART + rb")"
)  # fmt: skip
_CLOSE = rb"(?:\[[0-9]{0,5}\])?[\"'`\])}\\?!*]{0,4}\s{0,20}"
_OPERATOR = rb"(?:[!=+?|]{0,2}=|:|,|\(|>)"
_GAP = rb"[^\n\"'`;]{0,40}"
_LITERAL = rb"[\"'`][^\s\"'`<>(){}$]"
_START = rb"[^\s\"'`<>(){}$\[\]\\;,&|=]"
_PLAIN = rb"[^\s\"'`<>(){}\[\]\\;,&|]"
_ASSIGN = rb"[\"'\])\\*]{0,4}\s{0,20}(?::=|=>|=|:)[ \t*`]{0,24}"
_END = rb"(?:[ \t]{0,4}\r?$|[ \t]{1,20}(?:#|//)|[&\"'`\\])"
_LINE = rb"(?m)"

_PATTERNS = (
    # A literal after a name.
    _STRONG + _CLOSE + _OPERATOR + _GAP + _LITERAL + rb"[^\s\"'`<>]{3}",
    _WEAK + _CLOSE + _OPERATOR + _GAP + _LITERAL + rb"[^\s\"'`<>]{7}",
    # A bare value after a name, up to the end of the line or of the query parameter.
    _LINE + _STRONG + _ASSIGN + _START + _PLAIN + rb"{3,120}" + _END,
    _LINE + _WEAK + _ASSIGN + _START + _PLAIN + rb"{7,120}" + _END,
    rb"(?:key|token|secret|secret_key_base)[\"']?\s{0,20}[:=][ \t]{0,20}[A-Za-z0-9+/=_.-]{120}",
    # `NAME=value` among others: a command line, a connection string.
    _STRONG + rb"=" + _START + _PLAIN + rb"{3,100}[ \t;,]",
    _WEAK + rb"=" + _START + _PLAIN + rb"{7,120}[ \t;]",
    # The end of a statement: common in code, so the value has a digit and length.
    (
        rb"(?:pass(?:word|wd|phrase)|secret|token|key)[\"']?"
        + _ASSIGN
        + rb"[A-Za-z.][A-Za-z+/=_.-]{0,15}[0-9][A-Za-z0-9+/=_.-]{12,100};"
    ),
    # A plain scalar of YAML may hold brackets.
    rb"(?m)passw(?:or)?d:[ \t]{1,8}[A-Za-z0-9][^\s\"'`<>(){}$]{2}[^\s\"'`<>()$]{4,60}\r?$",
    # An element of XML.
    rb"(?:" + _STRONG + rb"|key" + _PART + rb")>[^\s<>\"'{}$]{4,200}</",
    # Jenkins' own brackets around what it keeps.
    rb"(?:password|passphrase|secret|token)>\{[^<>{}\n]{8,200}\}</",
    # A literal with nothing but blanks between: SQL, PowerShell, some configuration files.
    rb"(?:password|identified\s{1,20}by|securestring|secret|-string)\s{1,4}[\"'][^\s\"'`<>$%]{4}",
    # Options.
    (
        rb"-(?:[a-z]{1,12}-?){0,2}(?:pass|password|passwd|secret|token|key|pwd|credentials?)\s{1,2}"
        rb"[\"']?[^\s\"'`<>(){}$%|&;\[\]-][^\s\"'`<>(){}$]{3}"
    ),
    (
        rb"(?m)(?:^|\s)(?:-u|-U|--user|--proxy-user|--userpwd)[\s=]{0,2}"
        rb"[\"']?[\w.@+-]{1,40}:[^\s\"':/@$]{3}"
    ),
    (
        rb"(?:sshpass|mysql|mysqladmin|mysqldump|redis-cli|docker\s{1,8}login|smbclient|net\s{1,8}use"
        rb"|htpasswd|openssl)\b[^\n]{0,80}\s-(?:p|a|P|b|k|passin|passout)\s?(?:pass:)?"
        rb"[\"']?[^\s\"'$<>|&;-][^\s\"'|&;$]{3}"
    ),
    rb"(?:^|\s)/[a-z]{0,12}(?:pass|password|pwd|token|secret|key):[^\s\"'`<>(){}$%/:]{4}",
    # Headers.
    rb"\b(?:bearer|basic|ntlm)[\s\"'`\\]{1,4}[A-Za-z0-9+/=._~-]{10}",
    (
        rb"authorization[\"'`\\)\]]{0,4}\s{0,2}[:=,]>?[\s\"'`\\(]{0,4}[\w-]{2,12}\s[\"'`\\]{0,2}"
        rb"[A-Za-z0-9+/=._~:%|-]{6}"
    ),
    # The password of a URL.
    rb":\\?/\\?/[^\s/:@\"'<>`|,;]{0,60}:[^\s@\"'<>`/:{}$]{2,100}@",
)

# A JSON Web Key by its one long member name.
_JWK = rb"\bkty[\"'\\]{0,2}\s{0,2}[:=]"

EXPRESSIONS = (
    *(Expression(pattern=pattern, tag=Trigger.LINE, caseless=True) for pattern in _PATTERNS),
    *(
        Expression(pattern=pattern, tag=Trigger.LINE, caseless=caseless)
        for pattern, caseless in TRIGGERS
    ),
    Expression(pattern=_JWK, tag=Trigger.JWK),
    Expression(pattern=AROUND, tag=Trigger.AROUND, caseless=True),
)
