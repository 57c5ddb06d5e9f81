"""
What findings prove about each other.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from scanner.detect import proof, well_known
from scanner.detect.proof import prove
from scanner.detect.registry import Public
from scanner.model import Document, Match, Occurrence, Place, Position
from scanner.secret import Secret

NOW = 1_700_000_000.0
SECRET = b"kT9vQ2xWm4Rz8Lp1"
RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def coded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unsigned(algorithm: str, **claims: object) -> bytes:
    parts = ({"alg": algorithm, "typ": "JWT"}, {"sub": "shop", **claims})
    return b".".join(coded(json.dumps(part).encode()) for part in parts)


def token(key: bytes = SECRET, algorithm: str = "HS256", **claims: object) -> bytes:
    text = unsigned(algorithm, **claims)
    code = hmac.digest(key, text, "sha" + algorithm[2:])
    return text + b"." + coded(code)


def found(secret: bytes, rule: str, path: str = "a.txt", score: float = 0.6):
    document = Document(Place.FILE, path.encode())
    match = Match(
        rule_id=rule, secret=Secret(secret), document=document, position=Position(3, 1, 3, 9),
        score=score, features=(1.0,),
    )  # fmt: skip
    return match, (Occurrence(place=Place.FILE, path=document.path, position=match.position),)


def judged(*pairs, publics=None):
    located, limits = prove(pairs, publics or {}, now=NOW)
    assert limits == []
    return [match for match, _ in located]


def pem(key, passphrase: bytes | None = None, form=PrivateFormat.PKCS8) -> bytes:
    seal = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, form, seal)


def certificate(key) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=30))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def ssh(key) -> bytes:
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)


def at(path: str, line: int = 1) -> Public:
    return Public(Document(Place.FILE, path.encode()), line)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_token_signed_with_a_secret_found_elsewhere_is_proven(algorithm):
    one, other = judged(
        found(token(algorithm=algorithm), "jwt", "logs/x.txt"),
        found(SECRET, "generic-secret", "app.py", score=0.3),
    )

    assert (one.proven, other.proven) == (True, True)
    assert min(one.score, other.score) >= 0.99
    assert one.features is other.features is None
    assert "app.py:3" in " ".join(one.reasons)
    assert "logs/x.txt:3" in " ".join(other.reasons)
    assert SECRET.decode() not in " ".join((*one.reasons, *other.reasons))


def test_a_secret_in_base64_signs_with_what_it_stands_for():
    key = bytes(range(32))
    _, other = judged(found(token(key), "jwt"), found(base64.b64encode(key), "generic-secret", "k"))

    assert other.proven


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([found(token(), "jwt"), found(b"another-secret-1", "generic", "b")], id="another secret"),
        pytest.param([found(token(), "jwt")], id="no secret"),
        pytest.param([found(token()[:-2] + b"xx", "jwt"), found(SECRET, "g", "b")], id="altered"),
        pytest.param([found(unsigned("HS256") + b".", "jwt"), found(SECRET, "g", "b")], id="cut"),
        pytest.param([found(unsigned("none") + b".", "jwt"), found(SECRET, "g", "b")], id="none"),
        pytest.param([found(b"eyJhIjoxfQ.eyJi.abc", "jwt"), found(SECRET, "g", "b")], id="no token"),
    ],
)  # fmt: skip
def test_what_is_not_signed_with_a_found_secret_is_not_proven(pairs):
    assert not any(match.proven for match in judged(*pairs))


@pytest.mark.parametrize(
    ("secret", "reason", "direction"),
    [
        pytest.param(token(exp=int(NOW) - 86_400), "expired on 2023-11-13", -1, id="expired"),
        pytest.param(token(exp=int(NOW) + 86_400), "good until 2023-11-15", 1, id="alive"),
        pytest.param(token(), "never expires", 1, id="for ever"),
        pytest.param(token(iss="https://id.example.org/x"), "issued by id.example.org", 1, id="issuer"),
        pytest.param(unsigned("none") + b".", "without signature", -1, id="unsigned"),
        pytest.param(token(b"your-256-bit-secret"), "tutorials", -1, id="of a tutorial"),
        pytest.param(b"eyJxxxxxxxxx.eyJxxxxxxxx.abcdefghijklmnop", "no JSON", -1, id="no JSON"),
    ],
)  # fmt: skip
def test_what_a_token_says_of_itself_is_told_and_moves_the_score(secret, reason, direction):
    (match,) = judged(found(secret, "jwt"))

    assert reason in " ".join(match.reasons)
    assert match.nudge * direction > 0


def test_a_token_that_was_never_signed_counts_for_less_than_one_whose_signature_was_altered():
    never, of_none, altered = (
        judged(found(unsigned(algorithm) + b"." + signature, "jwt"))[0].nudge
        for algorithm, signature in (("HS256", b""), ("none", b"abcd"), ("HS256", b"abcde"))
    )
    assert never == of_none < altered < 0


@pytest.mark.parametrize("exp", [True, "soon", 1e300, -5, float("nan"), None, []])
def test_no_claim_breaks_it(exp):
    assert len(judged(found(token(exp=exp, iss={"a": 1}), "jwt"))) == 1


def test_what_a_providers_rule_says_is_not_outvoted_by_the_shape_of_a_token():
    text = b"eyJhbGciOiJIUzI1NiJ.eyJzdWIiOiIxMjM0NTY3.Zm9vYmFyYmF6"
    _, specific = judged(found(text, "jwt"), found(text, "acme-api-key", "b.txt"))
    (alone,) = judged(found(text, "jwt"))

    assert specific.nudge == 0
    assert alone.nudge < 0


def test_trials_are_bounded_and_the_bound_is_told(monkeypatch):
    monkeypatch.setattr(proof, "_MAX_TRIALS", 20)
    _, limits = prove([found(token(), "jwt"), found(token(x=1), "jwt", "b")], {}, now=NOW)

    assert [limit.name for limit in limits] == ["token-trials"]


@pytest.mark.parametrize(
    ("key", "public"),
    [
        pytest.param(RSA, certificate(RSA), id="RSA and its certificate"),
        pytest.param(EC, certificate(EC), id="EC and its certificate"),
        pytest.param(RSA, ssh(RSA), id="RSA and its SSH key"),
        pytest.param(ED, ssh(ED), id="Ed25519 and its SSH key"),
        pytest.param(
            EC,
            EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            id="EC and its public key",
        ),
    ],
)
@pytest.mark.parametrize("form", ["pem", "ssh", "one line", "base64"])
def test_a_private_key_is_paired_with_what_belongs_to_it(key, public, form):
    text = pem(key, form=PrivateFormat.OpenSSH if form == "ssh" else PrivateFormat.PKCS8)
    rule = "private-key"
    if form == "one line":
        text = text.replace(b"\n", b"\\n")
    elif form == "base64":
        text, rule = base64.b64encode(text), "private-key-base64"
    (match,) = judged(found(text, rule), publics={public: at("pub/x", 7)})

    assert match.proven
    assert "at pub/x:7 (proven offline)" in " ".join(match.reasons)


def test_another_key_is_not_paired():
    (match,) = judged(found(pem(ED), "private-key"), publics={certificate(RSA): at("x")})

    assert match.proven
    assert "belongs" not in " ".join(match.reasons)
    assert "an open Ed25519 key that parses" in match.reasons


def test_a_key_under_a_passphrase_is_told_and_counts_less():
    (match,) = judged(found(pem(RSA, b"x"), "private-key"))

    assert "passphrase" in " ".join(match.reasons)
    assert match.nudge < 0
    assert not match.proven


def test_what_is_no_key_is_told():
    text = b"-----BEGIN PRIVATE KEY-----\nMIIabcd\n-----END PRIVATE KEY-----"
    (match,) = judged(found(text, "private-key"))

    assert "does not parse" in " ".join(match.reasons)


def signed_by(key, algorithm: str) -> bytes:
    text = unsigned(algorithm)
    if algorithm == "EdDSA":
        code = key.sign(text)
    elif algorithm == "RS256":
        code = key.sign(text, padding.PKCS1v15(), SHA256())
    else:
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
        code = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return text + b"." + coded(code)


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")], ids=["RS", "ES", "Ed"]
)
def test_a_token_signed_with_a_private_key_found_elsewhere_is_proven(key, algorithm):
    one, other = judged(
        found(signed_by(key, algorithm), "jwt", "t"), found(pem(key), "private-key", "k")
    )

    assert one.proven
    assert "under the private key at k:3" in " ".join(one.reasons)
    assert "signs the token at t:3" in " ".join(other.reasons)


def test_an_aws_key_tells_its_account():
    (match,) = judged(found(b"ASIA" + b"QNZGKIQY56JQ7WML", "aws-access-key-id"))

    assert [r for r in match.reasons if "AWS account" in r] == [
        "a key of the AWS account 029608264753"
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(token(exp=NOW - 86_400), id="expired"),
        pytest.param(token(sub="1234567890", name="John Doe"), id="sample"),
        pytest.param(token(b"your-256-bit-secret"), id="secret of tutorials"),
    ],
)
def test_a_token_that_opens_nothing_is_low_among_tests_alone(text: bytes):
    (among,) = judged(found(text, "jwt", "api/tests/test_login.py", 0.95))
    (shipped,) = judged(found(text, "jwt", "api/login.py", 0.95))

    assert among.score == proof.HARMLESS
    assert shipped.score + shipped.nudge > 0.75


def test_a_token_that_is_good_stays_among_tests():
    (match,) = judged(found(token(exp=NOW + 86_400), "jwt", "api/tests/test_login.py", 0.95))

    assert match.score + match.nudge > 0.95


@pytest.mark.parametrize(("there", "low"), [("tests/jwt/key.pem", True), ("deploy/key.pem", False)])
def test_a_token_of_tests_is_low_if_what_signs_it_is_among_tests_too(there: str, low: bool):
    text = unsigned("RS256")
    signed = text + b"." + coded(RSA.sign(text, padding.PKCS1v15(), SHA256()))
    one, key = judged(
        found(signed, "jwt", "tests/jwt/a.go", 0.95), found(pem(RSA), "private-key", there, 0.95)
    )

    assert one.score == (proof.HARMLESS if low else proof.CERTAIN)
    assert key.score == proof.CERTAIN


def test_a_key_that_a_library_is_shipped_with_is_low(monkeypatch):
    (match,) = judged(found(pem(ED), "private-key", score=0.95))
    assert match.score == proof.CERTAIN
    code = well_known.blake2b(b"".join(pem(ED).split()), digest_size=8).digest()
    monkeypatch.setattr(well_known, "_KEYS", frozenset({code}))
    (match,) = judged(found(b"  " + pem(ED).replace(b"\n", b"\n  "), "private-key", score=0.95))

    assert match.score == proof.HARMLESS
