"""
Private keys that open and parse, held against certificates, public keys and signed tokens.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from scanner.detect.proof import DOUBTFUL, HARMLESS, LITTLE, Secrets, Token, where
from scanner.detect.proof_certificates import expired, for_nobody, made_by
from scanner.detect.registry import Public
from scanner.detect.well_known import well_known_key
from scanner.model import Limit

_MAX_KEYS = 1_000
_MAX_PUBLICS = 20_000
_MAX_MAKERS = 20
_CERTIFICATE = re.compile(rb"\x30\x82..\x30(?:\x81.|\x82..)(?:\xa0\x03\x02\x01|\x02)", re.DOTALL)
"""A key begins with a number, and a certificate with what is signed in it."""

_BROKEN_BITS = 768
"""RSA keys of so many bits have been computed from their public parts: RSA-768, in 2009."""

_Thing = tuple[str, str, x509.Certificate | None]
"""What it is, where it stands, and the certificate if it is one."""

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_JOINED = re.compile(rb"[\"']\s*[+.]\s*$")  # a literal that goes on in the next line
_BAD = (ValueError, TypeError, UnsupportedAlgorithm, IndexError, OverflowError)
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Key:
    secret: bytes
    public: object
    kind: str

    @property
    def name(self) -> bytes:
        return _name(self.public)


def judge_keys(
    secrets: Secrets,
    publics: Mapping[bytes, Public],
    tokens: Mapping[bytes, Token],
    *,
    now: float,
) -> None:
    """
    Say of each private key whether it parses, what public thing found here belongs to it, and
    whether that says that nobody relies on it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of keys that are too short or too old: found, not made
        keys = list(_keys(secrets))
        if not keys:
            return
        known = _known(publics, secrets)
        for key in keys:
            verdict = secrets.of(key.secret)
            verdict.says(f"an open {key.kind} that parses", LITTLE, proven=True)
            for what, place, _ in known.get(key.name, ())[:3]:
                verdict.says(f"it belongs to the {what} at {place} (proven offline)")
            for name, token in tokens.items():
                if _verifies(key, token):
                    secrets.of(name).says(
                        f"its signature holds under the private key at {secrets.where[key.secret]}"
                        " (proven offline)",
                        proven=True,
                    )
                    verdict.says(f"it signs the token at {secrets.where[name]} (proven offline)")
                    if not secrets.outside & {name, key.secret}:
                        secrets.of(name).says("a token of tests: what signs it lies there too")
                        secrets.of(name).most = HARMLESS
        _harmless(keys, known, secrets, now)


def _harmless(
    keys: list[_Key], known: Mapping[bytes, list[_Thing]], secrets: Secrets, now: float
) -> None:
    """
    Lower keys that open nothing.  What a place says (that it is of tests) is never enough: the
    certificates that belong to the key must say it too.
    """
    papers = {
        key.secret: [paper for _, _, paper in known.get(key.name, ()) if paper is not None]
        for key in keys
    }
    makers: dict[x509.Name, list[x509.Certificate]] = defaultdict(list)
    for key in keys:
        for paper in () if key.secret in secrets.outside else papers[key.secret]:
            makers[paper.subject].append(paper)
    for key in keys:
        verdict, own = secrets.of(key.secret), papers[key.secret]
        if isinstance(key.public, rsa.RSAPublicKey) and key.public.key_size <= _BROKEN_BITS:
            verdict.says("so short that anybody can compute it from its public part")
            verdict.most = HARMLESS
        elif own and all(map(for_nobody, own)):
            verdict.says("made for tests or samples: its certificates name nobody that there is")
            verdict.most = DOUBTFUL if key.secret in secrets.outside else HARMLESS
        elif not own or key.secret in secrets.outside:
            continue
        elif all(expired(paper, now) for paper in own):
            verdict.says("a key of tests whose certificates have expired")
            verdict.most = HARMLESS
        elif all(made_by(paper, makers[paper.issuer][:_MAX_MAKERS]) for paper in own):
            verdict.says("a key of tests: what signed its certificates lies there too")
            verdict.most = HARMLESS


def _keys(secrets: Secrets) -> Iterator[_Key]:
    count = 0
    for secret, rules in list(secrets.rules.items()):
        if not any(rule.startswith("private-key") for rule in rules):
            continue
        count += 1
        if count > _MAX_KEYS:
            reason = f"only {_MAX_KEYS} private keys were parsed"
            secrets.limits.append(Limit(name="key-trials", reason=reason))
            return
        if well_known_key(secret):
            secrets.of(secret).says("a library is shipped with this key, for its tests")
            secrets.of(secret).most = HARMLESS
            continue
        text = _pem(secret)
        if text is None:
            continue
        try:
            private = (
                load_ssh_private_key(text, None)
                if b"OPENSSH" in text[:40]
                else load_pem_private_key(text, None, unsafe_skip_rsa_key_validation=True)
            )
            public = private.public_key()
            yield _Key(secret, public, _kind(public))
        except TypeError:
            secrets.of(secret).says("a private key that a passphrase protects", -2 * LITTLE)
        except _BAD:
            if _CERTIFICATE.match(_first_bytes(text)):
                secrets.of(secret).says("what the armour holds is a certificate, and no key")
                secrets.of(secret).most = HARMLESS
            secrets.of(secret).says("it does not parse as a key", -LITTLE / 2)


def _pem(secret: bytes) -> bytes | None:
    if not secret.startswith(b"-----"):
        try:
            secret = b64decode(secret + b"=" * (-len(secret) % 4))
        except ValueError:
            return None
    text = secret.replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b"\r", b"")
    found = _PEM.search(text)
    if found is None:
        return None
    lines = [_JOINED.sub(b"", line).strip(b" \t\"',;\\") for line in found[2].split(b"\n")]
    body = b"\n".join(line for line in lines if line or b":" in found[2])
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (found[1], body.strip(), found[1])


def _first_bytes(text: bytes) -> bytes:
    body = b"".join(text.split(b"\n")[1:-2])[:40]
    try:
        return b64decode(body)
    except ValueError:
        return b""


def _kind(public: object) -> str:
    if isinstance(public, rsa.RSAPublicKey):
        return f"RSA key of {public.key_size:,} bits"
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"EC key on {public.curve.name}"
    if isinstance(public, dsa.DSAPublicKey):
        return f"DSA key of {public.key_size:,} bits"
    return type(public).__name__.removesuffix("PublicKey") + " key"


def _name(public: object) -> bytes:
    raw: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined] # all kinds of public keys have it
    return hashlib.sha256(raw).digest()


def _known(publics: Mapping[bytes, Public], secrets: Secrets) -> dict[bytes, list[_Thing]]:
    known: dict[bytes, list[_Thing]] = defaultdict(list)
    for number, (raw, place) in enumerate(publics.items()):
        if number >= _MAX_PUBLICS:
            reason = f"only {_MAX_PUBLICS} certificates and public keys were parsed"
            secrets.limits.append(Limit(name="key-trials", reason=reason))
            break
        there = f"{where(place.document.path, place.document.blob)}:{place.line}"
        text = raw.replace(b"\\r", b"").replace(b"\\n", b"\n")
        try:
            if raw.startswith(b"-----BEGIN CERT"):
                certificate = x509.load_pem_x509_certificate(text)
                until = certificate.not_valid_after_utc.date()
                what = f"certificate (good until {until})"
                known[_name(certificate.public_key())].append((what, there, certificate))
            elif raw.startswith(b"-----"):
                known[_name(load_pem_public_key(text))].append(("public key", there, None))
            else:
                known[_name(load_ssh_public_key(raw))].append(("SSH public key", there, None))
        except _BAD:
            continue
    return known


def _verifies(key: _Key, token: Token) -> bool:
    family, size = token.algorithm[:2], token.algorithm[2:]
    made = _HASHES.get(size)
    public, signature, signed = key.public, token.signature, token.signed
    try:
        if isinstance(public, rsa.RSAPublicKey) and made is not None and family in ("RS", "PS"):
            scheme = (
                padding.PKCS1v15()
                if family == "RS"
                else padding.PSS(padding.MGF1(made()), padding.PSS.AUTO)
            )
            public.verify(signature, signed, scheme, made())
        elif isinstance(public, ec.EllipticCurvePublicKey) and made is not None and family == "ES":
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(made()))
        elif isinstance(public, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            if token.algorithm != "EdDSA":
                return False
            public.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, *_BAD):
        return False
    return True
