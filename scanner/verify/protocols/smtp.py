"""
SMTP: AUTH, and nothing that would send a mail.
"""

from __future__ import annotations

import base64

from scanner.model import Verification
from scanner.verify.protocols.link import Link
from scanner.verify.protocols.target import Target
from scanner.verify.protocols.verdicts import ELSEWHERE, active, refused, unclear, wrong
from scanner.verify.request import TransportError

_MOST_LINES = 100


def speak(link: Link, target: Target) -> Verification:
    """
    See `Speaker`.
    """
    code, text = _reply(link)
    if code != "220":
        return unclear(target, text)
    code, text = _ask(link, "EHLO unsealed.invalid")
    if link.needs_tls and "STARTTLS" in text.upper():
        code, text = _ask(link, "STARTTLS")
        if code != "220":
            return unclear(target, text)
        link.secure()
        code, text = _ask(link, "EHLO unsealed.invalid")
    link.refuse_if_open()
    offered = next((x.upper() for x in text.splitlines() if x[4:].upper().startswith("AUTH")), "")
    if "PLAIN" in offered:
        pair = f"\0{target.user}\0{target.password}".encode()
        code, text = _ask(link, f"AUTH PLAIN {base64.b64encode(pair).decode()}")
    elif "LOGIN" in offered:
        code, text = _ask(link, "AUTH LOGIN")
        for word in (target.user, target.password):
            if code == "334":
                code, text = _ask(link, base64.b64encode(word.encode()).decode())
    else:
        return unclear(target, "the server offers no login by password")
    if code == "235":
        return active(target, rights=["send mail as its user"])
    # 535 is also said of a second factor or a place that is not allowed: Google and
    # Microsoft word these so, with codes of their own.
    if code == "535" and text[4:9] in ("5.7.8", "5.7.0") and "http" not in text.lower():
        if "credentials invalid" in text.lower():
            return wrong(target, text)
        # "Authentication failed" is all that Postfix has to say, whatever Dovecot told it.
        return refused(target, text, ELSEWHERE)
    return unclear(target, text)


def _ask(link: Link, line: str) -> tuple[str, str]:
    link.send(f"{line}\r\n".encode())
    return _reply(link)


def _reply(link: Link) -> tuple[str, str]:
    lines = []
    for _ in range(_MOST_LINES):
        line = link.line().decode("utf-8", "replace")
        lines.append(line)
        if not line[:3].isdigit():
            break
        if line[3:4] != "-":
            return line[:3], "\n".join(lines)
    raise TransportError("the answer is not SMTP")
