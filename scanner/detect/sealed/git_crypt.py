"""
git-crypt: blobs that its filter encrypted.

Format: https://www.agwa.name/projects/git-crypt/
"""

from __future__ import annotations

from scanner.detect.sealed.evidence import is_filler, is_readable, plain_run
from scanner.model import SealRecord

FORMAT = "git-crypt"
MAGIC = b"\0GITCRYPT\0"
NONCE_SIZE = 12


def check(data: bytes, path: bytes | None = None) -> list[SealRecord]:
    """
    Return a record if `data` starts as a git-crypt blob does.
    """
    del path
    if not data.startswith(MAGIC):
        return []
    state, reason = _judge(data[len(MAGIC) :])
    return [SealRecord(format=FORMAT, state=state, reason=reason)]


def _judge(rest: bytes) -> tuple[str, str]:
    nonce, ciphertext = rest[:NONCE_SIZE], rest[NONCE_SIZE:]
    if is_readable(rest, minimum=4):
        return "fake", "behind the magic number stands text that anyone can read"
    if len(nonce) < NONCE_SIZE:
        return "broken", f"it ends inside the nonce: {len(nonce)} of {NONCE_SIZE} bytes"
    if is_readable(ciphertext):
        return "fake", "the ciphertext is text that anyone can read"
    if plain_run(ciphertext) is not None:
        return "partly-sealed", "plain text stands beside the ciphertext"
    if is_filler(nonce) or is_filler(ciphertext):
        return "fake", "the ciphertext is filler"
    if not ciphertext:
        return "broken", "it ends behind the nonce: git-crypt leaves an empty file as it is"
    return "sealed", f"AES-256-CTR, {len(ciphertext)} bytes"
