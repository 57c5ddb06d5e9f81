"""
Words that a name or a path may hold, and what each makes a feature of.
"""

from __future__ import annotations

import re

from scanner.expressions import expression

NAME_WORDS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, expression(pattern, re.IGNORECASE))
    for name, pattern in (
        ("password", rb"pass(?:word|wd|wort)|passwd|pwd|\bpw\b|kennwort"),
        ("passphrase", rb"pass(?:phrase|code)|passcode|\bpin\b"),
        ("pass", rb"pass(?![a-z])"),
        ("secret", rb"secret"),
        ("token", rb"token"),
        ("api_key", rb"api[_.-]?key"),
        ("key", rb"key(?![a-z])"),
        ("private", rb"private|encrypt|aes|hmac|signing|rsa"),
        ("public", rb"public|\bpub"),
        ("access", rb"access"),
        (
            "sealed",
            rb"encrypted|cipher_?text|wrapped|hashed|hash\b|digest|fingerprint|thumbprint|checksum",
        ),
        ("client", rb"client|consumer|app(?:lication)?[_.-]?(?:id|key)"),
        ("auth", rb"auth"),
        ("authorization", rb"authoriz|bearer|basic"),
        ("credential", rb"cred"),
        ("salt", rb"salt|nonce|seed|iv\b"),
        ("session", rb"session|cookie|csrf|xsrf"),
        ("sign", rb"sign|cipher|hash|verif"),
        ("id", rb"id(?![a-z])|sid(?![a-z])|uuid|guid"),
        ("url", rb"ur[il]|host|endpoint|path|file|dir|name\b|user"),
        (
            "type",
            (
                rb"type|field|label|title|message|error|placeholder|hint|text|policy|length|regex|"
                rb"param|header|column|attr|prop"
            ),
        ),
        (
            "verb",
            (
                rb"(?i:\b(?:get|set|is|has|on|handle|reset|forgot|change|update|validate|check|"
                rb"invalid|missing|require|generate|create|delete|use|with|no)[_A-Z-])"
            ),
        ),
        ("shout", rb"(?-i:\A[A-Z0-9_.]+\Z)"),
    )
)

PATH_KINDS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, expression(pattern, re.IGNORECASE))
    for name, pattern in (
        ("test", (
            rb"(?:\A|[/_.-])(?:tests?|specs?|e2e|mocks?|fixtures?|testdata|unittests?|"
            rb"__tests__)(?:[/_.-]|\Z)|test\.\w+\Z"
        )),
        ("example", (
            rb"(?:\A|[/_.-])(?:examples?|samples?|demos?|tutorials?|dummy|dist|"
            rb"template)(?:[/_.-]|\Z)"
        )),
        ("docs", (
            rb"(?:\A|/)docs?/|\.(?:md|mdx|rst|txt|adoc|asciidoc|html?|markdown)\Z|readme|"
            rb"changelog"
        )),
        ("data", rb"\.(?:json|har|ipynb|csv|lock|snap|xml|strings|po|svg)\Z"),
        ("config", (
            rb"\.(?:ya?ml|toml|ini|conf|cfg|properties|env|config|tf|tfvars|hcl|plist|dist|"
            rb"example)\Z|\.env|dockerfile|(?:\A|/)\.[^/]+\Z"
        )),
        ("shell", rb"\.(?:sh|bash|zsh|bats|ps1|bat|cmd|mk)\Z|makefile|/[^/.]+\Z"),
        ("typed", rb"\.(?:go|java|kt|scala|cs|c|cc|cpp|h|hpp|rs|swift|m|mm|dart)\Z"),
        ("scripting", rb"\.(?:py|rb|php|pl|ex|exs|erl|lua|r|groovy|clj)\Z"),
        ("web", rb"\.(?:jsx?|tsx?|mjs|cjs|vue|svelte)\Z"),
        ("key", rb"\.(?:pem|key|p8|asc|crt|cer|pub)\Z|id_[rd]sa"),
        ("sql", rb"\.sql\Z"),
        ("minified", rb"\.min\.|/(?:vendor|node_modules|third_party|dist|build)/"),
        ("locale", rb"(?:locales?|i18n|lang|translations?|l10n|intl)/|\.(?:po|strings|resx|arb)\Z"),
    )
)  # fmt: skip
PATH_NAMES: tuple[str, ...] = tuple(name for name, _ in PATH_KINDS)


def path_features(path: bytes) -> tuple[float, ...]:
    """
    Return what the path says, one number for each of `PATH_KINDS`.
    """
    return tuple(1.0 if pattern.search(path) else 0.0 for _, pattern in PATH_KINDS)
