"""
What opens nothing is no candidate, whatever it looks like; what might open something stays one.
"""

from __future__ import annotations

import pytest

from scanner.detect.generic_excluded import excluded
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
    "digest of a package": ("http-token", "sha512-{{base64:88}}"),
    "country": ("PW", "Paalu"),
    "word for password": ("LABEL_PASSWORD", "Mot de passe"),
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
    "secret of a client": ("client_secret", "{{hex:32}}"),
}


@pytest.mark.parametrize(("name", "value"), OPENS_NOTHING.values(), ids=OPENS_NOTHING)
def test_what_opens_nothing_is_left_out(name: str, value: str) -> None:
    assert excluded(name.encode(), fill(value).encode())


@pytest.mark.parametrize(("name", "value"), MAY_OPEN.values(), ids=MAY_OPEN)
def test_what_may_open_something_stays(name: str, value: str) -> None:
    assert not excluded(name.encode(), fill(value).encode())


def test_bytes_that_are_no_text_are_no_password() -> None:
    assert excluded(b"password", b"\x89\xff\xfe\x12\x80abc")
