"""
What certificates say about whether anybody relies on a key.
"""

from __future__ import annotations

import datetime as dt
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from scanner.detect import proof_keys
from scanner.detect.proof import CERTAIN, DOUBTFUL, HARMLESS
from scanner.detect.proof_certificates import for_nobody
from tests.detect.test_proof import NOW, RSA, at, found, judged, pem

KEY, AUTHORITY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
TESTS, SHIPPED = "src/tests/data/server.key", "deploy/server.key"
LATER = NOW + 86_400


def certificate(
    common: str = "shop.acme.com",
    *names: str,
    organization: str = "Acme",
    key=KEY,
    by=("Acme CA", AUTHORITY),
    until: float = LATER,
) -> bytes:
    def named(name: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            ]
        )

    end = dt.datetime.fromtimestamp(until, dt.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(common))
        .issuer_name(named(by[0]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - dt.timedelta(days=30))
        .not_valid_after(end)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.IPAddress(ipaddress.ip_address(name))
                    if name[0].isdigit() or ":" in name
                    else x509.DNSName(name)
                    for name in names
                ]
            ),
            critical=False,
        )
    return builder.sign(by[1], SHA256()).public_bytes(Encoding.PEM)


NOBODYS = [
    pytest.param(certificate("localhost"), id="this machine"),
    pytest.param(certificate("x", "localhost", "127.0.0.1", "::1", "*"), id="all of its names"),
    pytest.param(certificate("api.example.com"), id="kept for examples"),
    pytest.param(certificate("x", "192.0.2.42"), id="an address kept for documents"),
    pytest.param(certificate("server.test"), id="kept for tests"),
    pytest.param(certificate("client", organization="Acme Test CA"), id="it says so"),
    pytest.param(certificate("x", organization="Internet Widgits Pty Ltd"), id="nobody filled in"),
    pytest.param(certificate(by=("Snakeoil CA", AUTHORITY)), id="its authority says so"),
]


@pytest.mark.parametrize("paper", NOBODYS)
def test_a_key_for_nobody_is_low_among_tests_and_doubted_elsewhere(paper: bytes):
    (among,) = judged(found(pem(KEY), "private-key", TESTS, 0.95), publics={paper: at("a.crt")})
    (shipped,) = judged(found(pem(KEY), "private-key", SHIPPED, 0.95), publics={paper: at("a.crt")})

    assert (among.score, shipped.score) == (HARMLESS, DOUBTFUL)
    assert "name nobody that there is" in " ".join(among.reasons)


@pytest.mark.parametrize(
    "paper",
    [
        pytest.param(certificate(), id="a shop"),
        pytest.param(certificate("x", "localhost", "shop.acme.com"), id="one of its names"),
        pytest.param(certificate("contest.acme.com"), id="a word within another"),
    ],
)
@pytest.mark.parametrize("path", [TESTS, SHIPPED])
def test_a_key_for_somebody_is_certain_wherever_it_stands(paper: bytes, path: str):
    (match,) = judged(found(pem(KEY), "private-key", path, 0.95), publics={paper: at("a.crt")})

    assert match.score == CERTAIN
    assert not for_nobody(x509.load_pem_x509_certificate(paper))


def test_a_key_with_a_living_certificate_beside_one_for_nobody_is_certain():
    papers = {certificate("localhost"): at("a.crt"), certificate(): at("b.crt")}
    (match,) = judged(found(pem(KEY), "private-key", TESTS, 0.95), publics=papers)

    assert match.score == CERTAIN


@pytest.mark.parametrize(("path", "score"), [(TESTS, HARMLESS), (SHIPPED, CERTAIN)])
def test_a_key_of_tests_is_low_once_its_certificates_have_expired(path: str, score: float):
    paper = certificate(until=NOW - 86_400)
    (match,) = judged(found(pem(KEY), "private-key", path, 0.95), publics={paper: at("a.crt")})

    assert match.score == score


@pytest.mark.parametrize(
    ("authority", "score"), [(TESTS + ".ca", HARMLESS), (SHIPPED + ".ca", CERTAIN)]
)
def test_a_key_of_tests_is_low_if_its_authoritys_key_is_one_of_tests(authority: str, score: float):
    root = certificate("Acme CA", key=AUTHORITY)
    publics = {certificate(): at("a.crt"), root: at("ca.crt")}
    leaf, _ = judged(
        found(pem(KEY), "private-key", TESTS, 0.95),
        found(pem(AUTHORITY), "private-key", authority, 0.95),
        publics=publics,
    )

    assert leaf.score == score


def test_an_authority_of_the_same_name_is_not_enough():
    root = certificate("Acme CA", key=RSA, by=("Acme CA", RSA))
    leaf, _ = judged(
        found(pem(KEY), "private-key", TESTS, 0.95),
        found(pem(RSA), "private-key", TESTS + ".ca", 0.95),
        publics={certificate(): at("a.crt"), root: at("ca.crt")},
    )

    assert leaf.score == CERTAIN


def test_a_key_without_a_certificate_is_certain_among_tests_too():
    (match,) = judged(found(pem(KEY), "private-key", TESTS, 0.95))

    assert match.score == CERTAIN


def test_a_key_that_anybody_can_compute_is_low(monkeypatch):
    monkeypatch.setattr(proof_keys, "_BROKEN_BITS", 1024)
    (match,) = judged(found(pem(RSA), "private-key", SHIPPED, 0.95))

    assert match.score == HARMLESS
    assert "anybody can compute it" in " ".join(match.reasons)


def test_a_certificate_in_the_armour_of_a_key_is_no_key():
    text = certificate().replace(b"CERTIFICATE", b"PRIVATE KEY")
    (match,) = judged(found(text, "private-key", SHIPPED, 0.95))

    assert match.score == HARMLESS
    assert "is a certificate, and no key" in " ".join(match.reasons)


def test_a_key_that_was_altered_is_not_taken_for_a_certificate():
    lines = pem(RSA).split(b"\n")
    text = b"\n".join([*lines[:3], lines[3][::-1], *lines[4:-3], *lines[-2:]])
    (match,) = judged(found(text, "private-key", SHIPPED, 0.95))

    assert match.score == 0.95
    assert "it does not parse as a key" in match.reasons
