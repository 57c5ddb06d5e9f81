"""
No known secret, in any coding, in any field of any redacted format.
"""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import string
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model import (
    Companion,
    Identity,
    Limit,
    Place,
    Run,
    SealRecord,
    Suppressed,
    Unread,
    Verification,
)
from scanner.report import formats
from scanner.report.options import Options
from scanner.report.scrub import MASK, Scrubber, scrubbed
from scanner.secret import Secret
from tests.report.samples import RULES, finding, occurrence, report

# Nothing that a report holds anyway can be equal to one of these.
_ALPHABET = string.ascii_letters + string.digits + "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~ \\é€🔒"
SECRETS = st.text(_ALPHABET, min_size=10, max_size=60).map(lambda text: f"Zq7{text.strip()}xK9")

CODINGS = {
    "raw": lambda s: s,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 without padding": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "base64, second alignment": lambda s: base64.b64encode(b"x" + s.encode()).decode(),
    "base64, third alignment": lambda s: base64.b64encode(b"xy" + s.encode()).decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "hex with colons": lambda s: s.encode().hex(":"),
    "percent": lambda s: quote(s, safe=""),
    "percent, every byte": lambda s: "".join(f"%{byte:02x}" for byte in s.encode()),
    "percent twice": lambda s: quote(quote(s, safe=""), safe=""),
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON, every character": lambda s: "".join(
        f"\\u{unit:04x}" for unit in memoryview(s.encode("utf-16-le")).cast("H")
    ),
    "HTML": html.escape,
    "HTML, numbers": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "HTML, hex numbers": lambda s: "".join(f"&#x{ord(c):x};" for c in s),
    "bytes": lambda s: "".join(f"\\x{byte:02x}" for byte in s.encode()),
    "base64 of base64": lambda s: base64.b64encode(base64.b64encode(s.encode())).decode(),
    "base64 in percent": lambda s: quote(base64.b64encode(s.encode()).decode(), safe=""),
}
REDACTED = list(formats.NAMES)


def everywhere(secret: str, said: str):
    """
    Return a report that says `said` wherever a text may stand.
    """
    said = f"see {said} there"
    path = f"dir/{said}/file.py".encode()
    record = SealRecord(
        format="sops",
        state="broken",
        reason=said,
        version=said,
        label=said,
        recipients=(said,),
        detail=((said, said),),
        path=path,
        inner_path=(said,),
    )
    place = occurrence(
        path,
        author=Identity(said, said),
        inner_path=(said,),
        decoded=(said,),
        in_head=True,
        commit=said,
        blob=said,
        date=said,
        removed_at=said,
    )
    one = finding(
        Secret(secret.encode()),
        place,
        title=said,
        remediation=said,
        score_reasons=(said,),
        companions=(Companion("password", Secret(secret.encode())),),
        verification=Verification(
            identity=said,
            scopes=(said,),
            rights=(said,),
            reason=said,
            checked_at=said,
            created_at=said,
            last_used_at=said,
            expires_at=said,
            rotated_at=said,
        ),
        seal=record,
    )
    waved = dataclasses.replace(
        one,
        secret=None,
        fingerprint="00" * 16,
        suppressed=Suppressed(by="policy", reason=said, until=said, owner=said),
    )
    return report(
        one,
        waved,
        run=Run(command="audit", target=said, version="1", rules_digest="d", head=said, base=said),
        unread=(Unread(place=Place.BLOB, reason=said, path=path, blob=said, inner_path=(said,)),),
        limits=(Limit(name="depth", reason=said, path=path, blob=said, inner_path=(said,)),),
        seals=(record,),
        notices=(said,),
    )


def views(text: str) -> list[str]:
    """
    Return `text` and what a reader makes of it by undoing the usual codings.
    """
    seen = [text, unquote(text), html.unescape(text), unquote(unquote(text))]
    unjson = re.sub(
        r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), text, flags=re.IGNORECASE
    )
    seen.append(unjson.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    seen.append(seen[-1].replace('\\"', '"').replace("\\\\", "\\"))
    for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", text):
        body = run.replace("-", "+").replace("_", "/")
        for skip in range(4):
            part = body[skip:]
            part = part[: len(part) // 4 * 4]
            seen.append(base64.b64decode(part).decode("utf-8", "replace"))
    seen += [
        bytes.fromhex(run[: len(run) // 2 * 2]).decode("utf-8", "replace")
        for run in re.findall(r"[0-9a-fA-F]{12,}", text)
    ]
    return seen


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", REDACTED)
@settings(max_examples=8, deadline=None)
@given(secret=SECRETS)
def test_no_redacted_format_holds_a_secret(name, coding, secret):
    said = CODINGS[coding](secret)
    whole = everywhere(secret, said)

    text = formats.renderer(name)(whole, RULES, Options())

    assert said not in text
    assert not [view for view in views(text) if secret in view]


@pytest.mark.parametrize("coding", CODINGS)
@settings(max_examples=25, deadline=None)
@given(secret=SECRETS, before=st.text("ab/ .", max_size=5), after=st.text("ab/ .", max_size=5))
def test_a_masked_text_keeps_what_stands_around(coding, secret, before, after):
    said = CODINGS[coding](secret)

    masked = Scrubber([Secret(secret.encode())]).text(f"{before}|{said}|{after}")

    assert MASK in masked
    assert masked.startswith(before)
    assert masked.endswith(after)


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        pytest.param("test", "tests/test_login.py", id="a short word"),
        pytest.param("password", "docs/password-policy.md", id="a common word"),
        pytest.param("12345", "release-12345", id="few digits"),
        pytest.param("Zq7secretvalueK9", "nothing of the kind", id="not there"),
    ],
)
def test_ordinary_names_stay_readable(secret, text):
    assert Scrubber([Secret(secret.encode())]).text(text) == text


def test_each_line_of_a_long_secret_counts():
    body = "\n".join(["-----BEGIN", "Zq7" + "a1B2" * 15, "Zq8" + "c3D4" * 15, "-----END"])

    masked = Scrubber([Secret(body.encode())]).text("note: Zq8" + "c3D4" * 15)

    assert masked == f"note: {MASK}"


def test_what_is_not_secret_about_a_companion_stays():
    one = finding(companions=(Companion("host", Secret(b"db-1.internal.example.org")),))
    whole = report(one, notices=("asked db-1.internal.example.org",))

    assert scrubbed(whole).notices == ("asked db-1.internal.example.org",)


@pytest.mark.parametrize("name", sorted(formats.MAY_SHOW_SECRETS))
def test_show_secrets_shows_where_it_may(name):
    secret = "Zq7abcdefghijkxK9"

    text = formats.renderer(name)(everywhere(secret, secret), RULES, Options(show_secrets=True))

    assert secret in text


@pytest.mark.parametrize("name", sorted(set(formats.NAMES) - formats.MAY_SHOW_SECRETS))
def test_show_secrets_shows_nothing_elsewhere(name):
    secret = "Zq7abcdefghijkxK9"

    text = formats.renderer(name)(everywhere(secret, secret), RULES, Options(show_secrets=True))

    assert secret not in text
