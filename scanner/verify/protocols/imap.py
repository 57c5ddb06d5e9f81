"""
IMAP: LOGIN, and no mailbox is opened.
"""

from __future__ import annotations

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import ELSEWHERE, active, refused, unclear
from scanner.verify.request import RefusedError, TransportError

_MOST_LINES = 200


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    if not target.user.isascii() or not target.password.isascii():
        raise RefusedError("the login is not ASCII")
    if not (target.user + target.password).isprintable():
        raise RefusedError("the login holds characters that a line may not")
    hello = link.line().upper()
    if not hello.startswith(b"* OK"):
        return unclear(target, hello)
    if link.needs_tls and _ask(link, "a1", "STARTTLS").startswith("OK"):
        link.secure()
    link.refuse_if_open()
    answer = _ask(link, "a2", f"LOGIN {_quoted(target.user)} {_quoted(target.password)}")
    if answer.startswith("OK"):
        return active(target, rights=["read, move and delete the mail of its user"])
    if answer.startswith("NO [AUTHENTICATIONFAILED]") and "http" not in answer.lower():
        # "On which the server is unwilling to elaborate" (RFC 5530): Dovecot says so of an
        # address that is not among a user's `allow_nets`.
        return refused(target, answer, ELSEWHERE)
    return unclear(target, answer)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _ask(link: Link, tag: str, line: str) -> str:
    link.send(f"{tag} {line}\r\n".encode())
    for _ in range(_MOST_LINES):
        answer = link.line().decode("utf-8", "replace")
        if answer.startswith(f"{tag} "):
            return answer[len(tag) + 1 :]
    raise TransportError("the answer is not IMAP")
