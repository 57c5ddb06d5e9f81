from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.sealed.registry import seal_records
from scanner.detect.sealed.trial import Keys, with_keys
from tests.detect.sealed import makers, mutations

KEY = makers.rsa_key()
SEALED = {
    "vault 1.1": (makers.vault(), b"a.yml"),
    "vault 1.2": (makers.vault(label="prod"), b"a.yml"),
    "vault with CRLF": (makers.vault().replace(b"\n", b"\r\n"), b"a.yml"),
    "vault indented by an editor": (makers.vault().replace(b"\n", b"\n    ").rstrip(b" "), b"a.yml"),
    "vault in wider lines": (mutations.rewrapped(makers.vault(), 120), b"a.yml"),
    "vault in upper case": (
        b"$ANSIBLE_VAULT;1.1;AES256\n" + makers.vault().split(b"\n", 1)[1].upper(), b"a.yml",
    ),
    "inline vault": (makers.inline("db_password") + b"user: bob\n", b"a.yml"),
    "two inline vaults": (makers.inline("a") + makers.inline("b", seed=1), b"a.yml"),
    "inline vault with CRLF": (makers.inline("a").replace(b"\n", b"\r\n"), b"a.yml"),
    "inline vault, flat": (makers.inline("a", indent=2), b"a.yml"),
    "sops yaml": (makers.sops_yaml(), b"s.yaml"),
    "sops dotenv": (makers.sops_env(), b"s.env"),
    "sealed secret": (makers.sealed_secret(KEY), b"s.yaml"),
    "git-crypt": (makers.git_crypt(), b"secret.bin"),
    "age": (makers.age_file(), b"x.age"),
    "age, more than one chunk": (makers.age_file(makers.noise(150_000)), b"x.age"),
    "age armor": (makers.armored_age(), b"x.age"),
    "pgp": (makers.pgp_message(), b"x.asc"),
    "transcrypt": (makers.transcrypt(), b"secret.txt"),
    "dotenvx": (makers.dotenvx(), b".env"),
}  # fmt: skip


def states(data: bytes, path: bytes) -> list[str]:
    return [record.state for record in seal_records(data, path)]


@pytest.mark.parametrize("name", SEALED)
def test_what_is_sealed_is_called_sealed(name):
    found = states(*SEALED[name])

    assert found
    assert set(found) == {"sealed"}


@pytest.mark.parametrize(
    "name", [name for name in SEALED if "inline" not in name and "sops dotenv" not in name]
)
def test_what_is_cut_off_or_altered_is_not_sealed_once_its_key_is_at_hand(name):
    data, path = SEALED[name]
    keys = Keys.of(
        [makers.PASSWORD],
        [makers.age_identity()[0].encode(), makers.git_crypt_key(), _pem()],
    )
    keyed = name.split()[0] in ("age", "git-crypt", "pgp")
    for what, text in mutations.damaged(data, keyed=keyed):
        records = with_keys(seal_records(text, path), text, keys)

        if name == "transcrypt" and "sealed" in {one.state for one in records}:
            assert len(base64.b64decode(re.sub(rb"\s", b"", text))) % 16 == 0  # a whole file too
            continue
        for one in records:
            # A flip where the key is wrapped looks as if it were sealed for someone else.
            assert one.state != "sealed" or "no key given" in one.reason, what
            assert "holds under the key given" not in one.reason, what


def _pem() -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


HEADS = {
    "vault": (b"$ANSIBLE_VAULT;1.1;AES256\n", b"a.yml"),
    "vault with a label": (b"$ANSIBLE_VAULT;1.2;AES256;dev\n", b"a.yml"),
    "git-crypt": (b"\0GITCRYPT\0", b"a.yml"),
    "age": (b"age-encryption.org/v1\n", b"a.age"),
    "age armor": (b"-----BEGIN AGE ENCRYPTED FILE-----\n", b"a.age"),
    "pgp": (b"-----BEGIN PGP MESSAGE-----\n\n", b"a.asc"),
    "transcrypt": (b"U2FsdGVkX1", b"a.txt"),
    "encrypted key": (b"-----BEGIN ENCRYPTED " + b"PRIVATE KEY-----\n", b"a.pem"),
    "inline vault": (b"a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  ", b"a.yml"),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_over_something_readable_is_never_sealed(name):
    head, path = HEADS[name]
    for what, text in mutations.faked(head):
        found = states(text, path)

        assert found, what
        assert not {"sealed", "reference"} & set(found), what


SEALED_LINE = re.compile(rb"(password|PASSWORD|token): ?[^\n]*|PASSWORD=[^\n]*")


@pytest.mark.parametrize("name", ["sops yaml", "sealed secret", "dotenvx"])
def test_one_value_left_plain_makes_it_partly_sealed(name):
    data, path = SEALED[name]
    plain = SEALED_LINE.sub(
        lambda found: re.split(rb"[:=]", found[0])[0] + found[0][len(re.split(rb"[:=]", found[0])[0]):][:1] + b" a-plain-word",
        data, count=1,
    )  # fmt: skip

    assert states(plain, path) == ["partly-sealed"]


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        pytest.param(makers.vault() + b"api_key: plain\n", b"a.yml", ["partly-sealed"], id="text after the body"),
        pytest.param(makers.inline("a") + b"smtp_password: hunter2\n", b"a.yml", ["sealed", "partly-sealed"], id="plain beside inline"),
        pytest.param(makers.inline("a") + b"smtp_password: '{{ other }}'\nport: 25\n", b"a.yml", ["sealed"], id="template beside inline"),
        pytest.param(b"see $ANSIBLE_VAULT;1.1;AES256 in the manual\n", b"a.md", [], id="header in prose"),
        pytest.param(b"$ANSIBLE_VAULT;1.1;ROT13\n" + makers.vault().split(b"\n", 1)[1], b"a.yml", ["broken"], id="unknown cipher"),
        pytest.param(b"vault_password: hunter2\n", b"group_vars/prod/vault.yml", ["plaintext"], id="named a vault and open"),
        pytest.param(b"user: bob\n", b"group_vars/prod/vault.yml", [], id="named a vault, nothing telling"),
        pytest.param(re.sub(rb"\n    mac: .*", b"", makers.sops_yaml()), b"a.yaml", ["broken"], id="sops without code"),
        pytest.param(b"\x00\xff$ANSIBLE_VAULT;1.1;AES256\n\x00\x01", b"a", [], id="binary with a header"),
        pytest.param(b"$ANSIBLE_VAULT;1.1;AES256\n\x00\x01\xfe", b"a", ["fake"], id="header over binary"),
        pytest.param(b"", b"vault.yml", [], id="empty"),
    ],
)  # fmt: skip
def test_state(text, path, expected):
    assert states(text, path) == expected


B64 = base64.b64encode(b"a value").decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"kind: Secret\napiVersion: v1\ndata:\n  a: {B64}\n", ["plaintext"], id="data"),
        pytest.param("kind: Secret\nmetadata: {}\nstringData:\n  a: word\n", ["plaintext"], id="stringData"),
        pytest.param(f'{{"kind": "Secret", "apiVersion": "v1", "data": {{"a": "{B64}"}}}}', ["plaintext"], id="json"),
        pytest.param(f'{{\t"kind" : "Secret",\n"apiVersion":"v1", "data": {{"a": "{B64}\\ud83d\\ude00"}}}}', ["plaintext"], id="json that YAML refuses"),
        pytest.param("kind: List\nitems:\n- kind: Secret\n  apiVersion: v1\n  stringData: {a: b}\n- kind: ConfigMap\n", ["plaintext"], id="list"),
        pytest.param(f"a: 1\n---\nkind: 'Secret'\ndata: {{a: {B64}}}\n---\nb: 2\n", ["plaintext"], id="several documents"),
        pytest.param(f"kind: Secret\ndata:\n  a: ''\ndata:\n  a: {B64}\n", ["plaintext"], id="duplicate keys"),
        pytest.param("kind: Secret\nstringData:\n\ta: word\n", ["plaintext"], id="tabs"),
        pytest.param(f"x: &v {{a: {B64}}}\nkind: Secret\ndata: *v\n", ["plaintext"], id="alias"),
        pytest.param("kind: Secret\ndata: &a\n  b: *a\n", ["reference"], id="an alias of itself"),
        pytest.param("kind: Secret\ndata:\n{{- range $k, $v := .Values.x }}\n  {{ $k }}: {{ $v | b64enc }}\n{{- end }}\n", ["reference"], id="Helm"),
        pytest.param('kind: Secret\ndata:\n  a: {{ "word" | b64enc }}\n', ["plaintext"], id="Helm with a literal"),
        pytest.param("kind: Secret\nstringData:\n  a: ${PASSWORD}\n", ["reference"], id="environment"),
        pytest.param("kind: Secret\nmetadata: {name: x}\n", ["reference"], id="no value"),
        pytest.param("kind: SecretStore\nspec:\n  provider: {}\n", ["reference"], id="store"),
        pytest.param("kind: ExternalSecret\nspec:\n  secretStoreRef:\n    kind: SecretStore\n", ["reference"], id="external"),
        pytest.param("kind: SecretProviderClass\nspec: {}\n", ["reference"], id="CSI"),
        pytest.param("kind: Pod\nmetadata:\n  annotations:\n    vault.hashicorp.com/agent-inject: 'true'\n", ["reference"], id="agent"),
        pytest.param("kind: Kustomization\nsecretGenerator:\n- name: a\n  literals:\n  - k=word\n", ["plaintext"], id="generator with literals"),
        pytest.param("kind: Kustomization\nsecretGenerator:\n- name: a\n  files: [k.txt]\n", ["reference"], id="generator with files"),
        pytest.param("kind: ConfigMap\ndata:\n  a: word\n", [], id="no secret"),
        pytest.param("kind: Deployment\nspec:\n  env:\n  - valueFrom: {secretKeyRef: {name: a}}\n", [], id="a reference by name"),
    ],
)  # fmt: skip
def test_manifest(text, expected):
    assert states(text.encode(), b"deploy/a.yaml") == expected


def test_a_yaml_bomb_a_deep_nest_and_a_huge_manifest_end_in_time():
    bomb = "a: &a [x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]\n" for n in range(20)
    )
    assert states(f"{bomb}kind: Secret\ndata: *b\n".encode(), b"a.yaml")
    assert states(b"kind: Secret\ndata: " + b"[" * 100_000, b"a.yaml")
    many = b"---\nkind: ConfigMap\ndata: {a: b}\n" * 100_000
    assert states(many + b"---\nkind: Secret\nstringData: {a: b}\n", b"a.yaml") == ["plaintext"]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        pytest.param(".vault_pass", "a password\n", ["plaintext"], id="vault password"),
        pytest.param(".vault_pass.sh", "#!/bin/sh\npass show ansible\n", ["reference"], id="script"),
        pytest.param(".vault_pass.sh", "#!/bin/sh\necho 'a password'\n", ["plaintext"], id="script that holds it"),
        pytest.param(".vault_pass", "", [], id="empty"),
        pytest.param(".netrc", "machine a login b password c\n", ["plaintext"], id="netrc"),
        pytest.param(".netrc", "machine a login b\n", [], id="netrc without"),
        pytest.param(".pgpass", "h:5432:d:u:word\n", ["plaintext"], id="pgpass"),
        pytest.param(".npmrc", "//r/:_authToken=word\n", ["plaintext"], id="npmrc"),
        pytest.param(".npmrc", "//r/:_authToken=${NPM_TOKEN}\n", ["reference"], id="npmrc, environment"),
        pytest.param(".npmrc", "registry=https://r/\n", [], id="npmrc without"),
        pytest.param(".pypirc", "[pypi]\nusername = a\npassword = word\n", ["plaintext"], id="pypirc"),
        pytest.param("kubeconfig", "users:\n- name: a\n  user:\n    token: word\n", ["plaintext"], id="kubeconfig"),
        pytest.param("kubeconfig", "users:\n- name: a\n  user:\n    exec:\n      command: x\n", ["reference"], id="kubeconfig, exec"),
        pytest.param(".docker/config.json", '{"auths": {"r": {"auth": "YTpi"}}}', ["plaintext"], id="docker"),
        pytest.param(".docker/config.json", '{"auths": {"r": {}}, "credsStore": "x"}', ["reference"], id="docker, helper"),
        pytest.param("a.tfstate", '{"version": 4, "resources": [{"instances": [{"attributes": {"password": "word"}}]}]}', ["plaintext"], id="state"),
        pytest.param("types.tfstate", '{"version": 4, "outputs": {"o": {"type": ["list", "string"], "value": []}}}', [], id="types of a state"),
        pytest.param("keys.tfstate", '{"version": 4, "resources": [{"instances": [{"index_key": "a", "attributes": {"sort_key": "name"}}]}]}', [], id="names of a state"),
        pytest.param("a.tfvars", 'db_password = "word"\n', ["plaintext"], id="tfvars"),
        pytest.param("a.tfvars", 'region = "eu"\n', [], id="tfvars without"),
        pytest.param("config/master.key", "0123456789abcdef" * 2, ["plaintext"], id="Rails"),
        pytest.param("secrets/master.key", "abc", ["plaintext"], id="Jenkins"),
        pytest.param("credentials.xml", "<a><password>{AQAAABAAAAAQ}</password></a>", ["sealed"], id="Jenkins, sealed"),
        pytest.param(".env", "APP_KEY=base64:word\n", ["plaintext"], id="dotenv"),
        pytest.param(".env.example", "DB_PASSWORD=word\n", [], id="dotenv, a sample"),
        pytest.param(".env", "DB_HOST=word\n", [], id="dotenv without"),
        pytest.param(".env", "ACME_SECRET_KEY=secret_key\n", [], id="dotenv that repeats its name"),
        pytest.param(".env.keys", "DOTENV_PRIVATE_KEY=" + "ab" * 32 + "\n", ["plaintext"], id="dotenvx keys"),
        pytest.param(".aws/credentials", "[default]\naws_secret_access_key = word\n", ["plaintext"], id="AWS"),
        pytest.param(".git-credentials", "https://a:b@h\n", ["plaintext"], id="git"),
    ],
)  # fmt: skip
def test_credential_file(path, text, expected):
    assert states(text.encode(), path.encode()) == expected


@given(st.binary(max_size=400), st.sampled_from(sorted(HEADS)))
@settings(max_examples=60, deadline=None)
def test_no_bytes_behind_a_head_make_a_checker_fall_over(data, name):
    head, path = HEADS[name]

    seal_records(head + data, path)
