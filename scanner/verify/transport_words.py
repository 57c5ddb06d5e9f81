"""
How a request is written, and what an answer amounts to before anybody judges it.
"""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime

from scanner.verify.request import Reply, Request
from scanner.verify.transport_wire import Answer

_AGENT = "unsealed (credential verification by its holder's own team)"


def head(request: Request, host: str) -> bytes:
    """
    Return a request's first line and headers.
    """
    name = f"[{host}]" if ":" in host else host
    standard = 443 if request.tls else 80
    lines = [
        f"{request.method} {request.path} HTTP/1.1",
        f"Host: {name}" if request.port == standard else f"Host: {name}:{request.port}",
    ]
    headers = {"User-Agent": _AGENT, "Accept": "application/json, */*;q=0.5", **request.headers}
    headers["Accept-Encoding"] = "identity"
    if request.body or request.method == "POST":
        headers["Content-Length"] = str(len(request.body))
    lines += [f"{key}: {value}" for key, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def reply(answer: Answer) -> Reply:
    """
    Return an answer as verifiers read it.
    """
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Reply(status=answer.status, headers=headers, body=answer.body)


def back_off(attempt: int) -> float:
    """
    Return the seconds to wait after a failure, ever longer, and not the same for all.
    """
    return (0.25 * 2.0**attempt) * (0.5 + random.random() / 2)  # noqa: S311 # jitter, not a secret


def asked_wait(answer: Answer) -> float | None:
    """
    Return the seconds that the server wants us to wait, `None` if it does not say.
    """
    for name, value in answer.headers:
        if name.lower() != "retry-after":
            continue
        if value.strip().isdecimal():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError):
            return None
    return None
