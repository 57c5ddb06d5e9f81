"""
Texts in the dress of sealed ones, and sealed ones under unusual names: what each really is.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from scanner.detect.sealed.registry import seal_records
from tests.detect.sealed import makers
from tests.lookalikes import fill

TEXT = b"a readable value, and more of it\n" * 4
PHRASE = b"a phrase"
WORD = fill("{{alnum:16}}")


def told(data: bytes | str, path: str) -> list[str]:
    raw = data.encode() if isinstance(data, str) else data
    return [f"{one.format}:{one.state}" for one in seal_records(raw, path.encode())]


def crafted(ciphertext: bytes) -> bytes:
    parts = [makers.noise(32, 1).hex(), makers.noise(32, 2).hex(), ciphertext.hex()]
    body = "\n".join(parts).encode().hex()
    rows = [body[at : at + 80] for at in range(0, len(body), 80)]
    return ("\n".join(["$ANSIBLE_VAULT;1.1;AES256", *rows]) + "\n").encode()


def blocks(text: bytes) -> bytes:
    count = 16 - len(text) % 16
    return text + bytes([count]) * count


VAULT = makers.vault()
BODY = VAULT.split(b"\n", 1)[1]


@pytest.mark.parametrize(
    ("data", "state"),
    [
        pytest.param(crafted(blocks(TEXT)), "fake", id="padded text for ciphertext"),
        pytest.param(crafted(blocks(gzip.compress(TEXT))), "fake", id="a compressed file"),
        pytest.param(
            b"$ANSIBLE_VAULT;1.1;AES256\n" + TEXT.hex().encode().hex().encode() + b"\n",
            "fake", id="hex of hex",
        ),
        pytest.param(b"---\n" + VAULT, "broken", id="a document mark before it"),
        pytest.param(b"user: ada\n" + VAULT, "partly-sealed", id="values before it"),
        pytest.param(
            b"<<<<<<< HEAD\n" + VAULT + b"=======\n" + VAULT + b">>>>>>> b\n",
            "broken", id="a conflict",
        ),
        pytest.param(f"password: !vault |\n  {WORD}\nuser: ada\n", "fake", id="a tag over text"),
        pytest.param(f'password: !vault "{WORD}"\n', "fake", id="a tag before text"),
        pytest.param(
            b"password: !vault |\n  " + BODY.replace(b"\n", b"\n  "), "broken", id="no header"
        ),
    ],
)  # fmt: skip
def test_a_vault_that_is_none(data: bytes | str, state: str) -> None:
    assert set(told(data, "vars.yml")) == {f"ansible-vault:{state}"}


@pytest.mark.parametrize(
    ("data", "path"),
    [
        pytest.param(b"```\n" + VAULT + b"```\n", "vaults.md", id="a page that shows one"),
        pytest.param("password: !vault secret/data/db#pw\n", "vars.yml", id="a path in a store"),
        pytest.param('password: !vault "{{ x }}"\n', "vars.yml", id="a template"),
    ],
)
def test_what_only_looks_like_a_vault_is_no_record(data: bytes | str, path: str) -> None:
    assert told(data, path) == []


def sops(**changed: Any) -> bytes:
    text = makers.sops_yaml().decode()
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def test_a_sops_file_of_any_kind_is_told_whatever_its_name() -> None:
    metadata = {"age": [], "mac": "x", "version": "3.11.0"}
    text = json.dumps({"data": makers.sops_value("all of it", ":"), "sops": metadata})
    assert told(text, "cert.pem") == ["sops:broken"]
    assert told(text.replace("ENC[", "no-"), "cert.pem") == []


def test_a_sops_file_whose_rules_seal_nothing_is_a_fake() -> None:
    values = re.sub(rb"ENC\[[^\]]*\](?=\n    port|\nnote)", b"hello", sops())
    only = values.replace(b"unencrypted_suffix: _unencrypted", b"encrypted_regex: ^nothing$")
    assert told(only, "s.yaml") == ["sops:fake"]


@pytest.mark.parametrize(
    ("kind", "comment", "state"),
    [
        pytest.param("unencrypted", "# open: yes", "sealed", id="a comment that leaves open"),
        pytest.param("unencrypted", "# another", "partly-sealed", id="another comment"),
        pytest.param("encrypted", "# open: yes", "partly-sealed", id="a comment that seals"),
        pytest.param("encrypted", "# another", "sealed", id="no comment that seals"),
    ],
)
def test_comments_may_rule_over_what_sops_seals(kind: str, comment: str, state: str) -> None:
    text = sops(
        value=("note_unencrypted: hello", f"{comment}\nnote:\n    deep: hello"),
        rule=("unencrypted_suffix: _unencrypted", f"{kind}_comment_regex: 'open: yes'"),
    )
    assert told(text, "s.yaml") == [f"sops:{state}"]


def _secret(values: dict[str, str]) -> dict[str, Any]:
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n"}, "data": encoded}


def test_the_items_of_a_list_of_secrets_need_no_kind() -> None:
    item = _secret({"password": WORD})
    del item["kind"], item["apiVersion"]
    text = json.dumps({"apiVersion": "v1", "kind": "SecretList", "items": [item, item]})
    assert told(text, "s.json") == ["kubernetes-secret:plaintext"] * 2


def test_what_kubectl_leaves_in_an_annotation_lies_open_too() -> None:
    secret = _secret({})
    name = "kubectl.kubernetes.io/last-applied-configuration"
    secret["metadata"]["annotations"] = {name: json.dumps(_secret({"password": WORD}))}
    assert told(json.dumps(secret), "s.json") == ["kubernetes-secret:plaintext"]


@pytest.mark.parametrize(
    ("value", "state"), [(WORD, "plaintext"), ("{{ .password }}", "reference")]
)
def test_a_template_of_an_external_secret_may_hold_text(value: str, state: str) -> None:
    data = {"password": value}
    spec = {"target": {"template": {"data": data}}, "data": []}
    text = json.dumps({"kind": "ExternalSecret", "metadata": {"name": "n"}, "spec": spec})
    assert told(text, "e.json") == [f"external-secret:{state}"]


@pytest.mark.parametrize(
    ("data", "fmt"),
    [
        (makers.git_crypt() + TEXT, "git-crypt"),
        (makers.age_file() + TEXT, "age"),
        (b"Salted__" + makers.noise(8, 4) + makers.noise(64, 4) + TEXT[:64], "transcrypt"),
    ],
)
def test_text_behind_ciphertext_is_no_ciphertext(data: bytes, fmt: str) -> None:
    assert told(data, "secret.bin") == [f"{fmt}:partly-sealed"]


def _string(raw: bytes) -> bytes:
    return len(raw).to_bytes(4, "big") + raw


def _openssh(private: bytes) -> bytes:
    fields = [b"aes256-ctr", b"bcrypt", _string(makers.noise(16)) + (16).to_bytes(4, "big")]
    public = _string(_string(b"ssh-ed25519") + _string(makers.noise(32, 5)))
    body = b"".join(map(_string, fields)) + (1).to_bytes(4, "big") + public + _string(private)
    kind = b"OPENSSH PRIVATE KEY-----\n"
    text = base64.encodebytes(b"openssh-key-v1\0" + body)
    return b"-----BEGIN " + kind + text + b"-----END " + kind


def test_an_openssh_key_that_only_names_a_cipher_is_a_fake() -> None:
    opened = makers.noise(4) * 2 + _string(b"ssh-ed25519") + makers.noise(130, 6)
    assert told(_openssh(makers.noise(160)), "key") == ["private-key:sealed"]
    assert told(_openssh(opened), "key") == ["private-key:fake"]


def test_a_sealed_openssh_key_with_lines_gone_is_broken() -> None:
    lines = _openssh(makers.noise(160)).split(b"\n")
    cut = b"\n".join([*lines[:3], lines[3][:61], *lines[-2:]])
    assert told(cut, "key") == ["private-key:broken"]


def test_a_sealed_legacy_key_with_lines_gone_is_broken() -> None:
    pem = makers.rsa_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(PHRASE),
    )
    lines = pem.split(b"\n")
    assert told(pem, "key") == ["private-key:sealed"]
    assert told(b"\n".join([*lines[:10], *lines[13:]]), "key") == ["private-key:broken"]


def _putty(cipher: str, raw: bytes) -> str:
    rows = base64.encodebytes(raw).decode().replace("\n", "")
    rows = "".join(rows[at : at + 64] + "\n" for at in range(0, len(rows), 64))
    return (
        f"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: {cipher}\nComment: c\nPublic-Lines: 1\n"
        f"AAAAB3Nza\nPrivate-Lines: {rows.count(chr(10))}\n{rows}Private-MAC: {'ab' * 32}\n"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("raw", "state"),
    [
        pytest.param(makers.noise(592), "sealed", id="noise"),
        pytest.param(makers.noise(590), "broken", id="no whole blocks"),
        pytest.param(
            b"".join(size.to_bytes(4, "big") + makers.noise(size) for size in (257, 129, 129, 61)),
            "fake", id="numbers",
        ),
    ],
)  # fmt: skip
def test_a_putty_key_is_what_its_private_part_is(raw: bytes, state: str, end: str) -> None:
    text = _putty("aes256-cbc", raw).replace("\n", end)
    assert told(text, "k.ppk") == [f"private-key:{state}"]


def test_keys_of_git_crypt_and_stores_with_an_open_key_are_told() -> None:
    assert told(makers.git_crypt_key(), "repo.key") == ["private-key:plaintext"]
    assert told("only text\n" * 9, "passwords.kdbx") == ["keystore:fake"]


RAILS = "--".join(
    base64.b64encode(makers.noise(size)).decode() for size in (90, 12, 16)
)  # what Rails writes
LARAVEL = base64.b64encode(
    json.dumps({"iv": "x", "value": base64.b64encode(makers.noise(64)).decode(), "mac": "ab"})
    .encode()
).decode()  # fmt: skip
SHELL = "#!/bin/sh\n"


@pytest.mark.parametrize(
    ("data", "path", "state"),
    [
        (RAILS, "config/credentials.yml.enc", "sealed"),
        (RAILS.rpartition("--")[0], "config/credentials/production.yml.enc", "broken"),
        (RAILS[:90], "config/credentials.yml.enc", "broken"),
        (f"secret_key_base: {WORD}\n", "config/credentials.yml.enc", "fake"),
        (base64.b64encode(TEXT).decode(), "config/credentials.yml.enc", "fake"),
        (LARAVEL, ".env.encrypted", "sealed"),
        (LARAVEL[:-9], ".env.encrypted", "broken"),
        (f"DB_PASSWORD={WORD}\n", ".env.production.encrypted", "fake"),
        (f"{SHELL}echo {WORD}\n", "vault_pass.sh", "plaintext"),
        (f"{SHELL}cat <<EOF\n{WORD}\nEOF\n", "vault_pass.sh", "plaintext"),
        (f'{SHELL}PW="{WORD}"\necho "$PW"\n', "vault_pass.sh", "plaintext"),
        (f'#!/usr/bin/env python3\nprint("{WORD}")\n', "vault_pass.py", "plaintext"),
        (f'{SHELL}echo "$VAULT_PASSWORD"\n', "vault_pass.sh", "reference"),
        ('#!/usr/bin/env python3\nprint(fetch("ansible"))\n', "vault_pass.py", "reference"),
        (json.dumps({"refresh_token": WORD}), "gcp/application_default_credentials.json",
         "plaintext"),
        (json.dumps({"db_password": WORD}), "prod.auto.tfvars.json", "plaintext"),
        (f"npmAuthToken: {WORD}\n", ".yarnrc.yml", "plaintext"),
        ("npmAuthToken: ${NPM_TOKEN}\n", ".yarnrc.yml", "reference"),
        (json.dumps({"kind": "Config", "users": [{"user": {"token": WORD}}]}), "kubeconfig.json",
         "plaintext"),
        (f"apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user:\n    token: {WORD}\n",
         "cluster.yaml", "plaintext"),
        ("kind: Config\nusers:\n- name: u\n  user:\n    exec:\n      command: aws\n",
         "cluster.yaml", "reference"),
    ],
)  # fmt: skip
def test_credential_files(data: str, path: str, state: str) -> None:
    assert told(data, path) == [f"credential-file:{state}"]


def _ring(end: str = "") -> str:
    public = b"\x04" + bytes(4) + b"\x01" + (16).to_bytes(2, "big") + b"\xff\xff" + b"\0\x02\x03"
    body = public + b"\xfe\x09\x03\x08" + makers.noise(80)  # usage 254: under a passphrase
    raw = b"\x95" + len(body).to_bytes(2, "big") + body
    kind = "PGP PRIVATE KEY BLOCK-----\n"
    text = base64.encodebytes(raw).decode()
    return f"-----BEGIN {kind}\n{text}" + (f"-----END {kind}" if end else "")


def test_a_sealed_key_ring_that_is_cut_off_is_broken() -> None:
    whole = _ring("whole")
    lines = whole.split("\n")
    assert told(whole, "key.asc") == ["private-key:sealed"]
    assert told(_ring(), "key.asc") == ["private-key:broken"]
    assert told("\n".join([*lines[:3], *lines[-2:]]), "key.asc") == ["private-key:broken"]
