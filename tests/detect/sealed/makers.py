"""
Sealed files of every format, made here: what the real tools write, without the tools.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scanner.detect.sealed.pgp import crc24

PASSWORD = b"correct horse battery"
TEXT = b"db_password: a long and telling value\nport: 5432\n" * 4
_BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"


def noise(count: int, seed: int = 0) -> bytes:
    """Return bytes that look like ciphertext, the same for the same seed."""
    return random.Random(f"noise{seed}{count}").randbytes(count)


def vault(text: bytes = TEXT, *, label: str | None = None, seed: int = 0) -> bytes:
    """Return a whole Ansible Vault file under `PASSWORD`."""
    salt = noise(32, seed)
    derived = hashlib.pbkdf2_hmac("sha256", PASSWORD, salt, 10_000, dklen=80)
    count = 16 - len(text) % 16
    cipher = Cipher(algorithms.AES(derived[:32]), modes.CTR(derived[64:]))
    sealed = cipher.encryptor().update(text + bytes([count]) * count)
    code = hmac.new(derived[32:64], sealed, hashlib.sha256).hexdigest().encode()
    body = b"\n".join([salt.hex().encode(), code, sealed.hex().encode()]).hex().encode()
    lines = [body[at : at + 80] for at in range(0, len(body), 80)]
    head = b"$ANSIBLE_VAULT;1.2;AES256;" + label.encode() if label else b"$ANSIBLE_VAULT;1.1;AES256"
    return b"\n".join([head, *lines]) + b"\n"


def inline(name: str, text: bytes = b"value", *, indent: int = 10, seed: int = 0) -> bytes:
    """Return `name: !vault |` and an indented body."""
    body = vault(text, seed=seed).replace(b"\n", b"\n" + b" " * indent).rstrip(b" ")
    return name.encode() + b": !vault |\n" + b" " * indent + body


def age_identity(seed: int = 0) -> tuple[str, bytes]:
    """Return an identity line and the public share."""
    raw = noise(32, 1000 + seed)
    bits = int.from_bytes(raw, "big") << 4
    values = [bits >> 5 * at & 31 for at in range(51, -1, -1)]
    prefix = b"age-secret-key-"
    spread = [char >> 5 for char in prefix] + [0] + [char & 31 for char in prefix]
    check = _polymod(spread + values + [0] * 6) ^ 1
    values += [check >> 5 * (5 - at) & 31 for at in range(6)]
    public = X25519PrivateKey.from_private_bytes(raw).public_key()
    line = "AGE-SECRET-" + "KEY-1" + "".join(_BECH32[value] for value in values)
    return line, public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for index, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> index & 1 else 0
    return check


def _hkdf(key: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def age_file(text: bytes = TEXT, *, seed: int = 0) -> bytes:
    """Return a binary age file for the identity of the same seed."""
    _, public = age_identity(seed)
    key = noise(16, 2)
    ephemeral = X25519PrivateKey.from_private_bytes(noise(32, 3))
    share = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    wrapping = _hkdf(shared, share + public, b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)
    head = b"age-encryption.org/v1\n-> X25519 " + _b64(share) + b"\n" + _b64(body) + b"\n---"
    code = hmac.new(_hkdf(key, None, b"header"), head, hashlib.sha256).digest()
    nonce = noise(16, 4)
    cipher = ChaCha20Poly1305(_hkdf(key, nonce, b"payload"))
    chunks = [text[at : at + 65536] for at in range(0, len(text), 65536)] or [b""]
    payload = b"".join(
        cipher.encrypt(at.to_bytes(11, "big") + bytes([at == len(chunks) - 1]), chunk, None)
        for at, chunk in enumerate(chunks)
    )
    return head + b" " + _b64(code) + b"\n" + nonce + payload


def armored_age(text: bytes = TEXT, *, seed: int = 0) -> bytes:
    """Return the same in armor."""
    body = base64.b64encode(age_file(text, seed=seed))
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    kind = b"AGE ENCRYPTED FILE-----"
    return b"\n".join([b"-----BEGIN " + kind, *lines, b"-----END " + kind]) + b"\n"


def sops_value(text: str, path: str, kind: str = "str", *, seed: int = 0) -> str:
    """Return one sealed value."""
    nonce = noise(32, seed)
    raw = AESGCM(noise(32, 77)).encrypt(nonce, text.encode(), path.encode())
    data, tag = base64.b64encode(raw[:-16]).decode(), base64.b64encode(raw[-16:]).decode()
    iv = base64.b64encode(nonce).decode()
    return f"ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{kind}]"


def sops_yaml() -> bytes:
    """Return a SOPS YAML file for the first identity: two sealed values and an exempt one."""
    date = "2026-01-02T03:04:05Z"
    values = ("s3cret value of some length", "5432", "hello")
    digest = hashlib.sha512("".join(values).encode()).hexdigest().upper()
    wrapped = armored_age(noise(32, 77)).decode().replace("\n", "\n                ").rstrip()
    return f"""db:
    password: {sops_value(values[0], "db:password:", seed=1)}
    port: {sops_value(values[1], "db:port:", "int", seed=2)}
note_unencrypted: hello
sops:
    age:
        - recipient: age1example
          enc: |
                {wrapped}
    lastmodified: "{date}"
    mac: {sops_value(digest, date, seed=3)}
    unencrypted_suffix: _unencrypted
    version: 3.11.0
""".encode()


def sops_env() -> bytes:
    """Return a SOPS dotenv file."""
    wrapped = armored_age(noise(32, 77)).decode().replace("\n", "\\n")
    return f"""PASSWORD={sops_value("value of a password", "PASSWORD:", seed=4)}
sops_age__list_0__map_enc={wrapped}
sops_age__list_0__map_recipient=age1example
sops_lastmodified=2026-01-02T03:04:05Z
sops_mac={sops_value("0" * 128, "2026-01-02T03:04:05Z", seed=5)}
sops_version=3.11.0
""".encode()


def rsa_key() -> rsa.RSAPrivateKey:
    """Return a new RSA key (2,048 bits)."""
    return rsa.generate_private_key(65537, 2048)


def sealed_secret(key: rsa.RSAPrivateKey, *, name: str = "n", space: str = "ns") -> bytes:
    """Return a SealedSecret with two values."""
    values = {"password": b"value of a password", "token": b"abc"}
    label = f"{space}/{name}".encode()
    lines = []
    for at, (each, text) in enumerate(values.items()):
        session = noise(32, at)
        wrapped = key.public_key().encrypt(session, OAEP(MGF1(SHA256()), SHA256(), label))
        raw = len(wrapped).to_bytes(2, "big") + wrapped
        raw += AESGCM(session).encrypt(bytes(12), text, None)
        lines.append(f"    {each}: {base64.b64encode(raw).decode()}\n")
    return (
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n"
        f"  name: {name}\n  namespace: {space}\nspec:\n  encryptedData:\n{''.join(lines)}"
        f"  template:\n    metadata:\n      name: {name}\n"
    ).encode()


def git_crypt_key() -> bytes:
    """Return a key file as `git-crypt export-key` writes it."""
    entry = b"".join(
        kind.to_bytes(4, "big") + len(value).to_bytes(4, "big") + value
        for kind, value in ((1, bytes(4)), (3, noise(32, 8)), (5, noise(64, 9)))
    )
    return b"\0GITCRYPTKEY" + (2).to_bytes(4, "big") + bytes(4) + entry + bytes(4)


def git_crypt(text: bytes = TEXT) -> bytes:
    """Return a git-crypt blob under that key."""
    nonce = hmac.new(noise(64, 9), text, hashlib.sha1).digest()[:12]
    cipher = Cipher(algorithms.AES(noise(32, 8)), modes.CTR(nonce + bytes(4)))
    return b"\0GITCRYPT\0" + nonce + cipher.encryptor().update(text)


def pgp_message() -> bytes:
    """Return an armored message: a key wrapped under a passphrase, and protected data."""
    wrapped = bytes([0xC3, 13, 4, 9, 3, 8]) + noise(8, 5) + b"\xff"
    data = b"\x01" + noise(400, 6)
    size = len(data) - 192
    raw = wrapped + bytes([0xD2, (size >> 8) + 192, size & 255]) + data
    body = base64.b64encode(raw)
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    code = base64.b64encode(crc24(raw).to_bytes(3, "big"))
    kind = b"PGP MESSAGE-----"
    return (
        b"\n".join([b"-----BEGIN " + kind, b"", *lines, b"=" + code, b"-----END " + kind]) + b"\n"
    )


def transcrypt() -> bytes:
    """Return what `openssl enc -a` writes."""
    body = base64.b64encode(b"Salted__" + noise(8, 1) + noise(208, 2))
    return b"\n".join(body[at : at + 64] for at in range(0, len(body), 64)) + b"\n"


def dotenvx() -> bytes:
    """Return a dotenvx file with two sealed values."""
    rows = ['DOTENV_PUBLIC_KEY="03' + noise(32, 3).hex() + '"']
    for at, name in enumerate(("PASSWORD", "API_KEY")):
        value = base64.b64encode(b"\x04" + noise(110 + at, at)).decode()
        rows.append(f'{name}="encrypted:{value}"')
    return ("\n".join(rows) + "\n").encode()
