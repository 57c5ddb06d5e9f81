"""
What opens nothing is no candidate, whatever it looks like; what might open something stays one.
"""

from __future__ import annotations

import re

import pytest

from scanner.detect import well_known
from scanner.detect.generic_excluded import begins_a_text, excluded
from scanner.detect.generic_whole import schemes
from tests.lookalikes import fill

OPENS_NOTHING = {
    "signature": ("request_signature", "{{hex:40}}"),
    "digest": ("sha256", "{{hex:64}}"),
    "nonce": ("cnonce", "{{hex:16}}"),
    "sealed already": ("encrypted_password", "{{base64:44}}"),
    "text of a cipher": ("ciphertext", "{{base64:44}}"),
    "vector": ("encryption_iv", "{{alnum:16}}"),
    "id of a client": ("client_id", "{{hex:32}}"),
    "id of a token": ("refresh_token_id", "{{alnum:24}}"),
    "id of a key": ("KeyId", "{{hex:32}}"),
    "verifier of one login": ("code_verifier", "{{alnum:43}}"),
    "token of one page": ("authenticity_token", "{{base64:44}}"),
    "package": ("io.jsonwebtoken", "jjwt-orgjson"),
    "key of a table": ("primary_key", "{{alnum:12}}"),
    "public key": ("key", "ssh-ed25519 {{alnum:60}}"),
    "hash of a password": ("password", "pbkdf2_sha256$36000${{alnum:12}}"),
    "keyboard": ("password", "asdfghjkl"),
    "UUID of a row": ("row_key", "{{hex:8}}-{{hex:4}}-{{hex:4}}-{{hex:4}}-{{hex:12}}"),
    "UUID of a message": ("PASSWORD_ERROR", "{{hex:8}}-{{hex:4}}-{{hex:4}}-{{hex:4}}-{{hex:12}}"),
    "name of a text": ("SHOW_PASSWORD_ADVICE", "VIS_KODEORD_RÅD"),
    "text with a version": ("CONFIRM_OAUTH", "Uwierzytelnianie użytkownika OAuth 2.0."),
    "digest of a package": ("http-token", "sha512-{{base64:88}}"),
    "country": ("PW", "Paalu"),
    "word for password": ("LABEL_PASSWORD", "Mot de passe"),
    "word for password, capital": ("LABEL_PASSWORD", "Şifrə"),
    "handshake of a socket": ("Sec-WebSocket-Key", "{{base64:22}}=="),
    "lock of WebDAV": ("Lock-Token", "urn:uuid:{{uuid}}"),
    "id at Twilio": ("message_sid", "SM{{hex:32}}"),
    "object in a bucket": ("Key", "exports/2024/A.parquet"),
    "numbered signature": ("correct_signature512", "{{hex:128}}"),
    "name of a key of OpenPGP": ("gpg-key", "D56C4FCA57A46444"),
    "signature in parts": ("JWS_Signature_4_6_2", "{{alnum:43}}"),
    "signature in hex": ("detachedSignatureHex", "{{hex:120}}"),
    "tag of a cipher": ("JWE_Authentication_Tag_5_2_4", "{{alnum:22}}"),
    "key that is sealed": ("Server-Side-Encryption-S3-Kms-Sealed-Key", "{{base64:88}}"),
    "key that is wrapped": ("wrapped_data_key", "{{base64:88}}"),
    "public key, for short": ("MINISIGN_PUBKEY", "{{base64:56}}"),
    "list of keys of OpenPGP": ("Keys", "D56C4FCA57A46444"),
    "public key of OpenPGP in hex": ("revokedKeyHex", "988d0453312abc{{hex:120}}"),
    "signature of OpenPGP in hex": ("detachedKeyText", "889c04010102000605024d44{{hex:120}}"),
    "number of a call": ("SYS_____PASSWD_A", "0x773"),
    "what a signature is for": (
        "X-Amz-Credential",
        "{{upper:20}}/20160727/us-east-1/s3/aws4_request",
    ),
    "frame of a key without the key": (
        "tls.key",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCi0tLS0tRU5EIFBSSVZBVEUgS0VZLS0t",
    ),
    "next page": ("expectedNextToken", "1008.{{uuid}}"),
    "page after that": ("next_page_token", "{{alnum:30}}"),
    "key of an attribute": ("NetHostConnectionSubtypeKey.String", "cdma2000_1xrtt"),
    "id of a webhook": ("webhook_id", "{{alnum:16}}"),
    "digest of an image": ("DigestKey", "sha256:{{hex:64}}"),
    "short name of a key of OpenPGP": ("gpg_signing_key", "348FFC4C"),
    "fingerprint of a key": ("ssh_keys", "7b:40:be:5a:9a:90:1f:8a:b6:ec:7e:48:82:ae:73:dc"),
    "kind of a key": ("P-521 keys", "301006072a8648ce3d020106052b81040023"),
    "header of a token": ("BearerToken", "eyJhbGciOiJIUzI1NiJ9"),
    "odd length for a key of all signs": ("key", "{{alnum:9}}?{{digits:2}}!%*-{{alnum:9}}"),
    "words of the length of a key": ("key", "is?it?a?key?of?signs?or?{{alpha:8}}"),
    "digest of a key": ("hashed_key", "{{hex:16}}"),
    "right to run a command": ("NOPASSWD", "SMARTCTL"),
    "kind of a login": ("AuthenticationProtocol", "gosnmp.MD5"),
    "what Fernet has sealed": ("token", "gAAAAABd{{base64:90}}=="),
    "constant of 64 bits": ("key64_019", "0x{{hex:16}}"),
    "pattern of a token": ("TOKEN", "wagtail_[0-9A-Za-z]{33}"),
    "tokens of a language model": ("tokenizer.ggml.tokens", "{{hex:64}}"),
    "weights of a language model": ("token_embd.weight", "{{hex:64}}"),
    "mark of an element": ("data-hydro-click-hmac", "{{hex:64}}"),
    "public key with its size": ("pubkey256", "{{base64:44}}"),
    "handshake of a socket, by a method": ("setSecWebSocketKey", "{{base64:22}}=="),
    "greatest number": ("NSMnemonicLoc", "2147483647"),
    "mark of a style sheet": ("legacyStylesheetToken", "lwc-{{alnum:11}}"),
    "file of public keys": ("registry.npmjs.org%2Fkeys.json", "{{base64:88}}"),
    "sentence": ("FORGOT_PASSWORD", "Şifrənizi unutdunuz?"),
}
MAY_OPEN = {
    "password": ("password", "{{ascii:16}}"),
    "token": ("access_token", "{{hex:40}}"),
    "UUID as a token": ("api_token", "{{hex:8}}-{{hex:4}}-{{hex:4}}-{{hex:4}}-{{hex:12}}"),
    "weak password": ("password", "heslo1234"),
    "other letters": ("password", "pässwörter77"),
    "key": ("encryption_key", "{{base64:44}}"),
    "secret id of a role": ("secret_id", "{{alnum:24}}"),
    "key at Twilio": ("api_key_sid", "SK{{hex:32}}"),
    "password with a dot": ("password", "{{alnum:8}}.json"),
    "private key of OpenPGP in hex": ("signingKeyHex", "c54b0663877fe31b{{hex:120}}"),
    "token with a public name": ("pubkey_token", "{{alnum:32}}"),
    "token of a session after login": ("next_login_token", "{{alnum:30}}"),
    "key of hex": ("encryption_key", "{{hex:128}}"),
    "secret that is a number": ("password", "0x{{hex:32}}"),
    "secret for signatures": ("signature_secret", "{{alnum:32}}"),
    "key of all signs": ("encryption_key", "{{alnum:12}}?{{digits:2}}!%*-{{alnum:13}}"),
    "secret of a client": ("client_secret", "{{hex:32}}"),
    "secret for marks": ("hmac_secret", "{{hex:64}}"),
    "token of a kind": ("github_token_type_a", "{{alnum:40}}"),
    "password after a digest": ("hashed_password", "{{alnum:16}}"),
    "password in brackets": ("password", "{{alnum:6}}[{{alnum:4}}]+{{alnum:4}}"),
}


@pytest.mark.parametrize(("name", "value"), OPENS_NOTHING.values(), ids=OPENS_NOTHING)
def test_what_opens_nothing_is_left_out(name: str, value: str) -> None:
    assert excluded(name.encode(), fill(value).encode())


@pytest.mark.parametrize(("name", "value"), MAY_OPEN.values(), ids=MAY_OPEN)
def test_what_may_open_something_stays(name: str, value: str) -> None:
    assert not excluded(name.encode(), fill(value).encode())


def test_bytes_that_are_no_text_are_no_password() -> None:
    assert excluded(b"password", b"\x89\xff\xfe\x12\x80abc")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Confirm.password=Potvrzení hesla", id="two words"),
        pytest.param("token.unlock=Odblokuj Jenkinsa", id="two words more"),
        pytest.param("password=Senha\\ errada", id="blanks that are escaped"),
        pytest.param("password=Bitte geben Sie es ein.", id="a sentence"),
        pytest.param("password=Kemudian, masukkan kode", id="a comma"),
        pytest.param("password=Icke-lokala användare", id="a hyphen"),
    ],
)
def test_an_unquoted_text_for_people_is_no_value(line: str) -> None:
    data = line.encode()
    start = data.index(b"=") + 1
    end = start + len(re.match(rb"[^ ,\\]+", data[start:])[0])
    assert begins_a_text(b"password", data, start, end)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("password=abcdefgh", id="alone"),
        pytest.param("password=abcdefgh host=db.internal", id="a connection string"),
        pytest.param("password=abcdefgh # for the tests", id="a comment"),
        pytest.param("password=abcdefg7 and more", id="a digit"),
    ],
)
def test_a_value_with_something_else_behind_it_stays(line: str) -> None:
    data = line.encode()
    assert not begins_a_text(b"password", data, 9, 17)


def test_the_token_of_a_badge_is_no_secret() -> None:
    data = fill("https://codecov.io/gh/o/r/graph/badge.svg?token={{alnum:10}}").encode()
    start = data.index(b"token=") + 6
    assert begins_a_text(b"token", data, start, len(data))


def test_a_variable_before_a_command_has_a_value() -> None:
    assert not begins_a_text(b"PGPASSWORD", b"PGPASSWORD=abcdefgh psql -h db", 11, 19)


def test_the_words_of_a_phrase_are_its_value() -> None:
    assert not begins_a_text(b"seed_phrase", b"seed_phrase=abandon ability able", 12, 19)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        pytest.param("an OAuth-token waarmee iets gedaan moet worden", [], id="a text"),
        pytest.param('"Nieprawidlowy token aktywacyjny."', [], id="the end of a text"),
        pytest.param(fill("Authorization: Bearer {{lower:24}}"), [b"bearer"], id="a header"),
        pytest.param(
            fill("curl -H 'Authorization: Token {{hex:40}}' -X GET"), [b"token"], id="a command"
        ),
    ],
)
def test_a_word_behind_the_name_of_a_scheme_is_a_value_only_where_no_text_goes_on(line, names):
    found = schemes(line.encode(), line.lower().encode())
    assert [match["name"] for match in found] == names


def test_what_a_vendor_has_published_is_left_out(monkeypatch):
    value = fill("{{alnum:24}}").encode()
    assert not excluded(b"token", value)
    code = well_known.blake2b(value, digest_size=8).digest()
    monkeypatch.setattr(well_known, "_HASHES", frozenset({code}))
    assert excluded(b"token", value)
