"""
The client's half of SCRAM (RFC 5802, RFC 7677): PostgreSQL and MongoDB speak it.

The password does not travel, and the server must know it too: whoever passes the last
step cannot be one that accepts everything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import stringprep
import unicodedata

from scanner.verify.request import TransportError

_MOST_ROUNDS = 1_000_000


class Scram:
    """
    One exchange.
    """

    def __init__(self, algorithm: str, user: str, password: str) -> None:
        """
        `algorithm` is of `hashlib`; the password is taken as it is: see `prepared`.
        """
        self._algorithm = algorithm
        self._password = password.encode()
        self._nonce = base64.b64encode(secrets.token_bytes(18)).decode()
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._signature = b""

    def first(self) -> bytes:
        """
        Return the client's first message.
        """
        return f"n,,{self._bare}".encode()

    def answer(self, challenge: bytes) -> bytes:
        """
        Return the client's proof for the server's first message.
        """
        try:
            text = challenge.decode("utf-8")
            fields = dict(part.split("=", 1) for part in text.split(","))
            nonce, rounds = fields["r"], int(fields["i"])
            salt = base64.b64decode(fields["s"])
        except (KeyError, ValueError) as error:
            raise TransportError("the server's challenge is no SCRAM") from error
        if not nonce.startswith(self._nonce) or not 0 < rounds <= _MOST_ROUNDS:
            raise TransportError("the server's challenge is no SCRAM")
        salted = hashlib.pbkdf2_hmac(self._algorithm, self._password, salt, rounds)
        client = self._mac(salted, b"Client Key")
        final = f"c=biws,r={nonce}"
        signed = f"{self._bare},{text},{final}".encode()
        stored = hashlib.new(self._algorithm, client).digest()
        proof = bytes(a ^ b for a, b in zip(client, self._mac(stored, signed), strict=True))
        self._signature = self._mac(self._mac(salted, b"Server Key"), signed)
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def proves(self, final: bytes) -> bool:
        """
        Say whether the server's last message shows that it knows the password.
        """
        head = final.split(b",", 1)[0]
        if not self._signature or not head.startswith(b"v="):
            return False
        try:
            return hmac.compare_digest(base64.b64decode(head[2:]), self._signature)
        except ValueError:
            return False

    def _mac(self, key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, self._algorithm).digest()


def prepared(password: str) -> str:
    """
    Return the password after SASLprep (RFC 4013), as it is where that refuses it.
    """
    if password.isascii():
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)
    )
    return unicodedata.normalize("NFKC", mapped) or password
