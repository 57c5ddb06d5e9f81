"""
What findings prove about each other, offline: tokens signed with a secret found here too, keys
that belong to a certificate, what a token says of itself, and whose an AWS key is.

A proof settles the score; what only speaks for or against moves it a little.
"""

from __future__ import annotations

import binascii
import hmac
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scanner.detect.checksums import aws_account_id
from scanner.detect.places import of_tests
from scanner.detect.registry import Public
from scanner.model import Limit, Match, Occurrence

Located = tuple[Match, tuple[Occurrence, ...]]
CERTAIN = 0.99
LITTLE = 0.1
"""How far a remark moves a score."""

DOUBTFUL, HARMLESS = 0.65, 0.3
"""At most so likely is a secret that opens nothing outside, and one that opens nothing at all."""

_MAX_TRIALS = 400_000
_MAX_TOKENS = 2_000
_MAX_SECRET = 512  # bytes
_TOKEN = re.compile(rb"eyJ[\w-]{5,4000}\.[\w-]{2,16000}\.[\w-]{0,4000}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_WELL_KNOWN = (
    b"secret", b"your-256-bit-secret", b"your-384-bit-secret", b"your-512-bit-secret",
    b"your-secret-key", b"your_jwt_secret", b"secretkey", b"secret_key", b"changeme", b"password",
    b"jwt_secret", b"mysecret", b"supersecret", b"test", b"key",
    b"a-string-secret-at-least-256-bits-long",
)  # fmt: skip


@dataclass(slots=True)
class Verdict:
    """
    What proof has to say about one secret.
    """

    reasons: dict[str, None] = field(default_factory=dict)
    proven: bool = False
    nudge: float = 0.0
    expired: bool = False
    most: float = 1.0
    """Whatever else is proven, the score is no higher."""

    def says(self, reason: str, nudge: float = 0.0, *, proven: bool = False) -> None:
        """
        Add a reason, and what follows from it.
        """
        self.reasons[reason] = None
        self.nudge += nudge
        self.proven = self.proven or proven


@dataclass(frozen=True, slots=True)
class Token:
    """
    A JSON Web Token, taken apart.
    """

    signed: bytes
    signature: bytes
    algorithm: str
    claims: Mapping[str, object]
    altered: bool = False
    """Whether its signature is no base64."""


@dataclass(slots=True)
class Secrets:
    """
    Every secret that was found, where it stands first, and what is proven of it.
    """

    where: dict[bytes, str] = field(default_factory=dict)
    rules: dict[bytes, set[str]] = field(default_factory=dict)
    verdicts: dict[bytes, Verdict] = field(default_factory=dict)
    outside: set[bytes] = field(default_factory=set)
    """Those that stand in some place which does not say that it is of tests or samples."""

    limits: list[Limit] = field(default_factory=list)

    def of(self, secret: bytes) -> Verdict:
        """
        Return the verdict on one secret, empty at first.
        """
        return self.verdicts.setdefault(secret, Verdict())


def prove(
    located: Sequence[Located], publics: Mapping[bytes, Public], *, now: float | None = None
) -> tuple[list[Located], list[Limit]]:
    """
    Return the matches with what proof has to say in score and reasons, and the bounds that bit.
    """
    secrets = _gathered(located)
    tokens = _tokens(secrets)
    for secret, token in tokens.items():
        verdict = secrets.of(secret)
        _judge_token(token, verdict, time.time() if now is None else now)
        sample = _is_sample(token.claims)
        if sample:
            verdict.says("the claims are those of a well-known sample", -LITTLE)
        if (sample or verdict.expired) and secret not in secrets.outside:
            verdict.most = HARMLESS
    _signers(tokens, secrets)
    for secret, rules in secrets.rules.items():
        if "aws-access-key-id" in rules:
            _account(secret, secrets.of(secret))
    if any(rule.startswith("private-key") for rules in secrets.rules.values() for rule in rules):
        from scanner.detect.proof_keys import judge_keys  # noqa: PLC0415 # needs cryptography

        judge_keys(secrets, publics, tokens, now=time.time() if now is None else now)
    return [_judged(match, places, secrets) for match, places in located], secrets.limits


def _gathered(located: Iterable[Located]) -> Secrets:
    secrets = Secrets()
    for match, places in located:
        if match.secret is not None and places:
            value = match.secret.reveal()
            secrets.where.setdefault(value, where(places[0].path, places[0].blob, match))
            secrets.rules.setdefault(value, set()).add(match.rule_id)
            if not all(place.path and of_tests(place.path) for place in places):
                secrets.outside.add(value)
    return secrets


def where(path: bytes | None, blob: str | None, match: Match | None = None) -> str:
    """
    Return a place for a person: `path:line`, or what comes nearest.
    """
    name = f"object {(blob or '?')[:10]}" if path is None else path.decode("utf-8", "replace")
    return f"{name}:{match.position.line}" if match is not None and match.position else name


def _judged(match: Match, places: tuple[Occurrence, ...], secrets: Secrets) -> Located:
    verdict = None if match.secret is None else secrets.verdicts.get(match.secret.reveal())
    if verdict is None or not verdict.reasons:
        return match, places
    reasons = (*verdict.reasons, *match.reasons)
    if verdict.most < 1.0:
        score = min(match.score, verdict.most)
        return replace(match, reasons=reasons, score=score, features=None, proven=True), places
    if not verdict.proven:
        return replace(match, reasons=reasons, nudge=match.nudge + verdict.nudge), places
    score = min(1.0, max(match.score, CERTAIN))
    return replace(match, reasons=reasons, score=score, features=None, proven=True), places


def parsed(secret: bytes) -> Token | None:
    """
    Return a token taken apart; `None` if the text is none, or in base64 none.
    """
    if not secret.startswith(b"eyJ") and _BASE64.fullmatch(secret):
        secret = _decoded(secret) or b""
    if not _TOKEN.fullmatch(secret):
        return None
    signed, _, signature = secret.rpartition(b".")
    head, _, body = signed.partition(b".")
    header, claims = _object(head), _object(body)
    if header is None or claims is None or not isinstance(header.get("alg"), str):
        return None
    decoded = _decoded(signature)
    altered = bool(signature) and decoded is None
    return Token(signed, decoded or b"", str(header["alg"]), claims, altered=altered)


def _object(text: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(_decoded(text) or b"")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decoded(text: bytes) -> bytes | None:
    text = text.rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")
    try:
        return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def _tokens(secrets: Secrets) -> dict[bytes, Token]:
    found: dict[bytes, Token] = {}
    for secret in secrets.where:
        token = parsed(secret)
        if token is not None:
            found[secret] = token
        elif secrets.rules[secret] == {"jwt"}:
            secrets.of(secret).says("header and claims are no JSON", -2 * LITTLE)
    return found


def _judge_token(token: Token, verdict: Verdict, now: float) -> None:
    if token.algorithm.lower() == "none" or not token.signature:
        # One that cannot be read may have been altered to be shown; its like opens something.
        weight = 2 if token.altered else 4
        verdict.says("a token without signature: it proves nothing to anyone", -weight * LITTLE)
        return
    issuer = token.claims.get("iss")
    if isinstance(issuer, str) and (
        host := re.match(r"(?:https?://)?([\w.-]{3,80})(?:/|$)", issuer)
    ):
        verdict.says(f"a token issued by {host[1]}")
    expiry = token.claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        verdict.says("a signed token that never expires", LITTLE / 2)
        return
    if not 0 < expiry < 253_402_300_800:  # the year 10000
        return
    day = time.strftime("%Y-%m-%d", time.gmtime(expiry))
    if expiry < now:
        verdict.says(f"a signed token that expired on {day}", -LITTLE / 2)
        verdict.expired = True
    else:
        verdict.says(f"a signed token that is good until {day}", LITTLE / 2)


def _is_sample(claims: Mapping[str, object]) -> bool:
    """
    Return whether claims are those that the debugger at jwt.io shows to everybody.
    """
    return claims.get("sub") == "1234567890" and claims.get("name") == "John Doe"


def _signers(tokens: Mapping[bytes, Token], secrets: Secrets) -> None:
    """
    Try every found secret, and those of every tutorial, as the key of every HMAC token.
    """
    left = _MAX_TRIALS
    keyed = [(s, t) for s, t in tokens.items() if t.algorithm in _HASHES]
    found = sorted(
        (s for s in secrets.where if s not in tokens and len(s) <= _MAX_SECRET),
        key=lambda secret: not any("jwt" in rule for rule in secrets.rules[secret]),
    )
    for number, (name, token) in enumerate(keyed):
        left -= len(found) + len(_WELL_KNOWN)
        if left < 0 or number >= _MAX_TOKENS:
            reason = (
                f"{len(keyed) - number} of {len(keyed)} tokens were not tried with what was found"
            )
            secrets.limits.append(Limit(name="token-trials", reason=reason))
            return
        if any(_signs(token, known) for known in _WELL_KNOWN):
            secrets.of(name).says("signed with a secret of tutorials: anyone can forge it", -LITTLE)
            if name not in secrets.outside:
                secrets.of(name).most = HARMLESS
            continue
        for secret in found:
            if any(_signs(token, key) for key in _keys(secret)):
                there, here = secrets.where[secret], secrets.where[name]
                secrets.of(name).says(
                    f"its signature holds under the secret at {there} (proven offline)", proven=True
                )
                secrets.of(secret).says(
                    f"it signs the token at {here} (proven offline)", proven=True
                )
                break


def _keys(secret: bytes) -> Iterable[bytes]:
    yield secret
    if _BASE64.fullmatch(secret):
        key = _decoded(secret)
        if key:
            yield key


def _signs(token: Token, key: bytes) -> bool:
    code = hmac.digest(key, token.signed, _HASHES[token.algorithm])
    return hmac.compare_digest(code, token.signature)


def _account(secret: bytes, verdict: Verdict) -> None:
    account = aws_account_id(secret)
    if account is not None:
        verdict.says(f"a key of the AWS account {account}")
