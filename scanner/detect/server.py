"""
The server that a password opens, where its URL is in pieces: host, user and port beside it.
"""

from __future__ import annotations

import re

from scanner.detect.server_files import from_file
from scanner.detect.server_names import from_names
from scanner.detect.server_ssh import from_ssh, is_key, of_key
from scanner.detect.server_strings import from_string

_HINT = re.compile(
    rb"(?i)host|server|url|uri|addr|endpoint|machine|data source|broker|-h|-s |:|//|@"
)


def beside(data: bytes, start: int, end: int) -> bytes | None:
    """
    Return `postgresql://app@db.shop.net/orders` for the password at `data[start:end]`.

    `None` where the text leaves open which server, which user, or which kind of server.
    """
    if not _HINT.search(data):
        return None
    if is_key(data, start):
        found = of_key(data, start, end)
    else:
        found = (
            from_string(data, start, end)
            or from_file(data, start, end)
            or from_ssh(data, start, end)
            or from_names(data, start, end)
        )
    return None if found is None else found.url()
