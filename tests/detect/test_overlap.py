"""
One secret in several dresses is told once: encoded and decoded, a token and what is written in it.
"""

from __future__ import annotations

import base64
import json

import pytest

from scanner.detect.engine import Engine
from scanner.model import Document, Match, Place
from scanner.ruleset.shipped import shipped_packs
from scanner.sources.batch import ListBatch
from tests.lookalikes import fill


@pytest.fixture
def engine(cache):
    """All our rules."""
    return Engine.load((shipped_packs(),))


def found(engine: Engine, text: str) -> list[Match]:
    matches = engine.scanner().scan(ListBatch([(Document(Place.FILE, b"a.yml"), text.encode())]))
    return [match for match in matches if match.score >= 0.5]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def token(**claims: str) -> str:
    parts = (json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(claims))
    coded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join((*coded, fill("{{alnum:43}}")))


def test_a_header_and_the_password_in_it_are_one_finding(engine):
    password = fill("{{alnum:34}}")
    (match,) = found(engine, f"Authorization: Basic {b64(f'deploy:{password}')}\n")
    assert match.rule_id.startswith("generic-") or match.rule_id.startswith("basic-")


def test_a_key_and_its_base64_are_one_finding(engine):
    body = "\n".join(fill("{{base64:64}}") for _ in range(12))
    key = f"-----BEGIN RSA PRIVATE KEY-----\nMIIE{body}\n-----END RSA PRIVATE KEY-----\n"
    (match,) = found(engine, f"tls.key: {b64(key)}\n")
    assert match.rule_id.startswith("private-key")


def test_what_is_written_in_a_token_belongs_to_it(engine):
    text = token(sub="me", accessKey=fill("{{alnum:20}}"), sessionToken=fill("{{uuid}}"))
    assert [match.rule_id for match in found(engine, f'"SessionToken": "{text}"\n')] == ["jwt"]


def test_two_secrets_in_one_encoded_text_are_two(engine):
    inner = fill('db_password = "{{alnum:18}}"\nadmin_password = "{{alnum:20}}x"\n')
    values = {match.secret.reveal().decode() for match in found(engine, f"data: {b64(inner)}\n")}
    assert set(inner.split('"')[1::2]) <= values


def test_a_key_with_a_long_name_of_its_own_is_not_given_to_the_name_before_it(engine):
    name = "X-Internal-Server-Side-Encryption-S3-Kms-Sealed-Key"
    line = fill('"Kms-Key-Id":"my-example-key","' + name + '":"{{base64:88}}"\n')
    assert found(engine, line) == []
