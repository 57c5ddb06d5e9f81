"""
Sealed and open texts in a dress that is seldom met: other codings, containers and formats.
"""

from __future__ import annotations

import base64
import json
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from scanner.detect.sealed.registry import seal_records
from tests.detect.sealed import makers
from tests.detect.sealed.test_dressed import told
from tests.lookalikes import fill

WORD = fill("{{alnum:24}}")
CODED = base64.b64encode(WORD.encode()).decode()
HEAD = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: n\n"
SECRET = f"{HEAD}data:\n  password: {CODED}\n"


@pytest.mark.parametrize("size", [3, 40, 127])
def test_an_authentication_code_of_sops_has_the_size_of_one(size: int) -> None:
    whole = makers.sops_yaml()
    data = base64.b64encode(makers.noise(size)).decode()
    short = re.sub(rb"(mac: ENC\[AES256_GCM,data:)[^,]*", rb"\g<1>" + data.encode(), whole)
    assert told(whole, "s.yaml") == ["sops:sealed"]
    assert told(short, "s.yaml") == ["sops:broken"]


def test_a_manifest_in_utf_16_says_the_same() -> None:
    assert told(SECRET.encode("utf-16"), "s.yaml") == ["kubernetes-secret:plaintext"]


def nested(text: str, key: str = "secret.yaml") -> str:
    body = text.replace("\n", "\n    ").rstrip(" ")
    return f"kind: ConfigMap\nmetadata:\n  name: x\ndata:\n  {key}: |\n    {body}"


def test_a_manifest_inside_another_is_judged_where_it_stands() -> None:
    records = seal_records(nested(SECRET).encode(), b"c.yaml")
    assert [(one.state, one.line) for one in records] == [("plaintext", 11)]
    assert nested(SECRET).split("\n")[10].strip() == f"password: {CODED}"


def test_a_description_may_show_a_manifest_and_a_reference_inside_is_no_record() -> None:
    assert told(nested(SECRET, "description"), "c.yaml") == []
    assert told(nested(f"{HEAD}data:\n  password: ${{PASSWORD}}\n"), "c.yaml") == []


@pytest.mark.parametrize(
    ("value", "state"),
    [
        pytest.param(f'{{{{ default "{WORD}" .Values.pw | b64enc | quote }}}}', "plaintext",
                     id="before"),
        pytest.param(f'{{{{ .Values.pw | default "{WORD}" | b64enc }}}}', "plaintext", id="behind"),
        pytest.param(f"\"{{{{ pw | default('{WORD}') | b64encode }}}}\"", "plaintext", id="Jinja"),
        pytest.param("{{ .Values.pw | default .Values.other | b64enc }}", "reference",
                     id="another value"),
        pytest.param('{{ .Values.pw | default "<password>" | b64enc }}', "reference",
                     id="a placeholder"),
        pytest.param('{{ .Values.pw | default "CHANGE-THIS! NOW!" | b64enc }}', "reference",
                     id="asks to be changed"),
        pytest.param('{{ .Values.pw | default "super-secret-password" | b64enc }}', "reference",
                     id="says that it is a sample"),
    ],
)  # fmt: skip
def test_a_default_in_a_template_lies_open(value: str, state: str) -> None:
    text = f"{HEAD}data:\n  password: {value}\n"
    assert told(text, "templates/s.yaml") == [f"kubernetes-secret:{state}"]


KEYS = {
    "RSA": makers.rsa_key(),
    "EC": ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}
OPEN = serialization.NoEncryption()
SEALED = serialization.BestAvailableEncryption(b"a phrase")
PKCS8, LEGACY = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(
    ("kind", "form"),
    [("RSA", PKCS8), ("RSA", LEGACY), ("EC", PKCS8), ("EC", LEGACY), ("Ed25519", PKCS8)],
)
def test_a_key_in_der_is_told(kind: str, form: serialization.PrivateFormat) -> None:
    raw = KEYS[kind].private_bytes(serialization.Encoding.DER, form, OPEN)
    assert told(raw, "key.der") == ["private-key:plaintext"]
    assert told(raw + b"more", "key.der") == []


@pytest.mark.parametrize("kind", KEYS)
def test_a_sealed_key_in_der_is_sealed_and_cut_off_it_is_broken(kind: str) -> None:
    raw = KEYS[kind].private_bytes(serialization.Encoding.DER, PKCS8, SEALED)
    assert told(raw, "key.der") == ["private-key:sealed"]
    assert told(raw[:-20], "key.der") == ["private-key:broken"]
    text = raw[:-64] + b"text that anyone can read " * 2 + raw[:12].hex()[:12].encode()
    assert told(text, "key.der") == ["private-key:fake"]


def test_a_public_key_in_der_is_no_private_one() -> None:
    public = KEYS["RSA"].public_key()
    form = serialization.PublicFormat
    for kind in (form.SubjectPublicKeyInfo, form.PKCS1):
        assert told(public.public_bytes(serialization.Encoding.DER, kind), "key.der") == []


def signed(text: str) -> str:
    kind = "PGP SIGNED MESSAGE-----"
    end = "PGP SIGNATURE-----"
    return f"-----BEGIN {kind}\nHash: SHA256\n\n{text}-----BEGIN {end}\n\niQEz\n-----END {end}\n"


def test_a_signed_text_is_not_sealed() -> None:
    records = seal_records(signed(f"user: ada\ndb_password: {WORD}\n").encode(), b"s.yml.asc")
    assert [(one.format, one.state, one.line) for one in records] == [("pgp", "fake", 5)]
    assert told(signed(f"{'ab' * 32}  release.tar.gz\n"), "SHA256SUMS.asc") == []


def test_data_named_as_armored_and_open_are_a_fake() -> None:
    assert told(f"db_password: {WORD}\n", "vars.yml.asc") == ["pgp:fake"]
    assert told("region: eu\n", "vars.yml.asc") == []
    assert told(f"db_password: {WORD}\n", "guide.asc") == []


def vaulted(value: str, more: str = "") -> str:
    version = "DOTENV_VAULT_CI_VERSION=2\n"
    return f'DOTENV_VAULT_CI="{value}"\n{version}{more}'


@pytest.mark.parametrize(
    ("text", "state"),
    [
        pytest.param(vaulted(base64.b64encode(makers.noise(90)).decode()), "sealed", id="noise"),
        pytest.param(vaulted(base64.b64encode(makers.noise(20)).decode()), "broken", id="short"),
        pytest.param(vaulted(base64.b64encode(makers.noise(91)).decode()[:101]), "broken",
                     id="cut off"),
        pytest.param(vaulted(base64.b64encode(b"A=b\nC=d\n" * 9).decode()), "fake", id="text"),
        pytest.param(vaulted("A=b and more"), "fake", id="no base64"),
        pytest.param(
            vaulted(base64.b64encode(makers.noise(90)).decode(), f"DB_PASSWORD={WORD}\n"),
            "partly-sealed", id="a plain value beside",
        ),
    ],
)  # fmt: skip
def test_the_environments_of_dotenv_vault(text: str, state: str) -> None:
    assert told(text, ".env.vault") == [f"dotenvx:{state}"]


def test_text_behind_the_first_letters_of_a_salted_file_is_a_fake() -> None:
    assert told(f"U2FsdGVkX1\ndb_password: {WORD}\n", "vars.yml") == ["transcrypt:fake"]


def state_of(resource: dict[str, object]) -> str:
    return json.dumps({"version": 4, "resources": [resource]})


@pytest.mark.parametrize(
    "resource",
    [
        {"type": "random_password", "instances": [{"attributes": {"result": WORD}}]},
        {
            "type": "x",
            "instances": [{"attributes": {"blob": WORD},
                           "sensitive_attributes": [[{"type": "get_attr", "value": "blob"}]]}],
        },
    ],
)  # fmt: skip
def test_what_terraform_itself_calls_sensitive_lies_open(resource: dict[str, object]) -> None:
    assert told(state_of(resource), "a.tfstate") == ["credential-file:plaintext"]
    plain = {"type": "random_id", "instances": [{"attributes": {"result": WORD}}]}
    assert told(state_of(plain), "a.tfstate") == []


def test_a_value_that_asks_to_be_updated_is_no_secret() -> None:
    text = f"{HEAD}stringData:\n  SECRET_ACCESS_KEY: "
    assert told(f"{text}UPDATE_SECRET_ACCESS_KEY\n", "s.yaml") == ["kubernetes-secret:reference"]
    assert told(f"{text}{WORD}\n", "s.yaml") == ["kubernetes-secret:plaintext"]
