"""
Signs requests to AWS (Signature Version 4), from values alone.

The official library would read profiles, environment and metadata services on its
way to the same thirty lines; none of that may have a say here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeyPair:
    """
    An access key, with the token of its session if it is a temporary one.
    """

    key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def signed(
    pair: KeyPair,
    *,
    host: str,
    service: str,
    region: str,
    headers: Mapping[str, str],
    body: bytes,
    now: dt.datetime | None = None,
) -> dict[str, str]:
    """
    Return the headers of a signed POST of `body` to `/`; their names must be in lower case.
    """
    moment = now or dt.datetime.now(dt.timezone.utc)
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    signing = {**headers, "host": host, "x-amz-date": stamp}
    if pair.token is not None:
        signing["x-amz-security-token"] = pair.token
    names = ";".join(sorted(signing))
    lines = [f"{name}:{signing[name].strip()}" for name in sorted(signing)]
    digest = hashlib.sha256(body).hexdigest()
    canonical = "\n".join(["POST", "/", "", *lines, "", names, digest])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = b"AWS4" + pair.secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    signing["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={pair.key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    del signing["host"]  # the transport writes it
    return signing
