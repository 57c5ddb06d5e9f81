"""
FTP: USER and PASS, and no transfer.
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
    if any(c in target.user + target.password for c in "\r\n"):
        raise RefusedError("the login holds characters that a line may not")
    code, text = _reply(link)
    if code != "220":
        return unclear(target, text)
    if link.needs_tls and _ask(link, "AUTH TLS")[0] == "234":
        link.secure()
    link.refuse_if_open()
    code, text = _ask(link, f"USER {target.user or 'anonymous'}")
    if code == "230":
        return unclear(target, "the server lets this user in without the password")
    if code != "331":
        return unclear(target, text)
    code, text = _ask(link, f"PASS {target.password}")
    if code in ("230", "202"):
        return active(target, rights=["the files that its user may see on this server"])
    if code == "332":
        return active(target, reason="the password is right, but the server wants an account too")
    # 530 is also said of a full server or a network that is not allowed.
    low = text.lower()
    if code == "530" and any(w in low for w in ("incorrect", "authentication failed", "invalid")):
        # What asks PAM says the same of an address or an hour that is not allowed.
        return refused(target, text, ELSEWHERE)
    return unclear(target, text)


def _ask(link: Link, line: str) -> tuple[str, str]:
    link.send(f"{line}\r\n".encode())
    return _reply(link)


def _reply(link: Link) -> tuple[str, str]:
    for _ in range(_MOST_LINES):
        line = link.line().decode("utf-8", "replace")
        if line[:3].isdigit() and line[3:4] in (" ", ""):
            return line[:3], line
    raise TransportError("the answer is not FTP")
