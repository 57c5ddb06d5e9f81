"""
What a credential's own characters prove offline: checksums, and what an id gives away.

`CHECKSUMS` maps the name that a rule writes in `checksum:` to a pair: `fits` says `True`
(the checksum holds), `False` (it does not) or `None` (this value carries none, or its
scheme is not known), and `make` makes values that pass, for the examples of rules.
"""

from __future__ import annotations

import base64
import binascii
import random
import string
import zlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from scanner.detect.azure_checksums import AZURE_KINDS, azure_fits, make_azure

_DIGITS_UPPER_LOWER = string.digits + string.ascii_uppercase + string.ascii_lowercase
_DIGITS_LOWER_UPPER = string.digits + string.ascii_lowercase + string.ascii_uppercase
_BASE36 = string.digits + string.ascii_lowercase
_ALNUM = string.ascii_letters + string.digits
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

Check = Callable[[bytes], "bool | None"]
Maker = Callable[[random.Random], str]


class Checksum(NamedTuple):
    """
    One scheme: how to check a value, and how to make one that passes.
    """

    fits: Check
    make: Maker


def _crc(data: bytes) -> int:
    return zlib.crc32(data) & 0xFFFFFFFF


def _in_base(number: int, alphabet: str, width: int) -> bytes:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(alphabet))
        digits = alphabet[digit] + digits
    return digits.encode()


def _random(generator: random.Random, alphabet: str, length: int) -> str:
    return "".join(generator.choice(alphabet) for _ in range(length))


def _github(value: bytes) -> bool | None:
    prefix, _, body = value.partition(b"_")
    if len(prefix) != 3 or len(body) != 36 or not body.isalnum():
        return None  # fine-grained and newer, longer tokens: no confirmed scheme
    return _in_base(_crc(body[:30]), _DIGITS_UPPER_LOWER, 6) == body[30:]


def _github_maker(prefix: str) -> Maker:
    def make(generator: random.Random) -> str:
        body = _random(generator, _ALNUM, 30)
        return prefix + body + _in_base(_crc(body.encode()), _DIGITS_UPPER_LOWER, 6).decode()

    return make


def _gitlab_routable(value: bytes) -> bool | None:
    body, dot, tail = value.rpartition(b".")
    if not dot or len(tail) != 9 or b"-" not in body:
        return None
    if _in_base(_crc(value[:-7]), _BASE36, 7) != tail[2:]:
        return False
    # Before the checksum stand two digits with the length of the payload, and in
    # later versions a version field.
    payload = body.split(b"-", 1)[1]
    payload = payload.split(b".", 1)[0]
    if payload[:1] == b"t" and payload[2:3] == b"_":
        payload = payload[3:]
    return len(payload) == int(tail[:2], 36)


def _make_gitlab_routable(generator: random.Random) -> str:
    payload = _random(generator, _ALNUM, generator.randrange(27, 60))
    head = f"glpat-{payload}.01.{_in_base(len(payload), _BASE36, 2).decode()}"
    return head + _in_base(_crc(head.encode()), _BASE36, 7).decode()


def _grafana(value: bytes) -> bool | None:
    head, underscore, tail = value.rpartition(b"_")
    if not underscore or len(tail) != 8:
        return None
    return _crc(head).to_bytes(4, "little").hex().encode() == tail.lower()


def _make_grafana(generator: random.Random) -> str:
    head = "glsa_" + _random(generator, _ALNUM, 32)
    return f"{head}_{_crc(head.encode()).to_bytes(4, 'little').hex()}"


def _cloudflare(value: bytes) -> bool | None:
    body = value.partition(b"_")[2]
    if len(body) != 48:
        return None
    return b"%08x" % _crc(body[:40]) == body[40:]


def _cloudflare_maker(prefix: str) -> Maker:
    def make(generator: random.Random) -> str:
        body = _random(generator, _ALNUM, 40)
        return f"{prefix}{body}{_crc(body.encode()):08x}"

    return make


def _atlassian(value: bytes) -> bool | None:
    if len(value) < 20 or value[-9:-8] != b"=":
        return None
    return b"%08X" % _crc(value[:-8]) == value[-8:]


def _make_atlassian(generator: random.Random) -> str:
    head = "ATATT3xFfGF0" + _random(generator, _ALNUM + "-_", 171) + "="
    return f"{head}{_crc(head.encode()):08X}"


def _vercel(value: bytes) -> bool | None:
    body = value.partition(b"_")[2]
    if len(body) != 56:
        return None
    return _in_base(_crc(body[:50]), _DIGITS_UPPER_LOWER, 6) == body[50:]


def _vercel_maker(prefix: str) -> Maker:
    def make(generator: random.Random) -> str:
        body = _random(generator, _ALNUM, 50)
        return prefix + body + _in_base(_crc(body.encode()), _DIGITS_UPPER_LOWER, 6).decode()

    return make


def _apify(value: bytes) -> bool | None:
    if len(value) < 30:
        return None
    return _in_base(_crc(value[:-6]), _DIGITS_LOWER_UPPER, 6) == value[-6:]


def _make_apify(generator: random.Random) -> str:
    head = "apify_api_" + _random(generator, _ALNUM, 30)
    return head + _in_base(_crc(head.encode()), _DIGITS_LOWER_UPPER, 6).decode()


def _saladcloud(value: bytes) -> bool | None:
    body = value.rpartition(b"_")[2]
    if len(body) < 20:
        return None
    return _in_base(_crc(body[:-6]), _DIGITS_UPPER_LOWER, 6) == body[-6:]


def _make_saladcloud(generator: random.Random) -> str:
    body = _random(generator, _ALNUM, 43)
    tail = _in_base(_crc(body.encode()), _DIGITS_UPPER_LOWER, 6).decode()
    return f"salad_cloud_user_{body}{tail}"


def _canva(value: bytes) -> bool | None:
    if len(value) < 20:
        return None
    return b"%08x" % _crc(value[:-8]) == value[-8:]


def _make_canva(generator: random.Random) -> str:
    head = "cnvca" + _random(generator, _ALNUM + "-_", 43)
    return f"{head}{_crc(head.encode()):08x}"


def _zuplo(value: bytes) -> bool | None:
    body, _, tail = value.partition(b"_")[2].rpartition(b"_")
    if len(body) != 32 or len(tail) != 8:
        return None
    return b"%08x" % _crc(body) == tail


def _make_zuplo(generator: random.Random) -> str:
    body = _random(generator, string.ascii_lowercase + string.digits, 32)
    return f"zpka_{body}_{_crc(body.encode()):08x}"


def _confluent(value: bytes) -> bool | None:
    body = value[4:]
    if len(body) != 60:
        return None
    return base64.b64encode(_crc(body[:54]).to_bytes(4, "little"))[:6] == body[54:]


def _make_confluent(generator: random.Random) -> str:
    body = _random(generator, _ALNUM + "+/", 54)
    tail = base64.b64encode(_crc(body.encode()).to_bytes(4, "little"))[:6].decode()
    return f"cflt{body}{tail}"


def _polymod(values: list[int]) -> int:
    generators = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(generators):
            if top >> bit & 1:
                total ^= term
    return total


def _expanded(label: str) -> list[int]:
    return [ord(char) >> 5 for char in label] + [0] + [ord(char) & 31 for char in label]


def _age(value: bytes) -> bool | None:
    label, one, body = value.decode("ascii", "replace").lower().rpartition("1")
    if not one or len(body) < 7:
        return None
    if any(char not in _BECH32 for char in body):
        return False
    return _polymod(_expanded(label) + [_BECH32.index(char) for char in body]) == 1


def _make_age(generator: random.Random) -> str:
    label = "age-secret-key-"
    body = [generator.randrange(32) for _ in range(52)]
    remainder = _polymod(_expanded(label) + body + [0] * 6) ^ 1
    body += [remainder >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{label}1{''.join(_BECH32[five] for five in body)}".upper()


def aws_account_id(key_id: bytes) -> str | None:
    """
    Return the 12 digits of the account that an AWS access key id belongs to.

    Ids given out before 2019 or so carry none.
    """
    body = key_id[4:]
    if len(body) != 16 or body[:1] in (b"I", b"J"):
        return None
    try:
        first = base64.b32decode(body)[:6]
    except binascii.Error:
        return None
    number = (int.from_bytes(first, "big") & 0x7FFFFFFFFF80) >> 7
    return f"{number:012d}" if number < 10**12 else None


def _all() -> dict[str, Checksum]:
    table = {
        "age-identity": Checksum(_age, _make_age),
        "apify-token": Checksum(_apify, _make_apify),
        "atlassian-token": Checksum(_atlassian, _make_atlassian),
        "canva-secret": Checksum(_canva, _make_canva),
        "cloudflare-token": Checksum(_cloudflare, _cloudflare_maker("cfut_")),
        "confluent-secret": Checksum(_confluent, _make_confluent),
        "github-token": Checksum(_github, _github_maker("ghp_")),
        "gitlab-routable-token": Checksum(_gitlab_routable, _make_gitlab_routable),
        "grafana-service-account-token": Checksum(_grafana, _make_grafana),
        "npm-token": Checksum(_github, _github_maker("npm_")),
        "saladcloud-key": Checksum(_saladcloud, _make_saladcloud),
        "vercel-token": Checksum(_vercel, _vercel_maker("vcp_")),
        "zuplo-key": Checksum(_zuplo, _make_zuplo),
    }
    for kind in ("ghp", "gho", "ghu", "ghs", "ghr"):
        table[f"github-token-{kind}"] = Checksum(_github, _github_maker(f"{kind}_"))
    for kind in ("cfat", "cfk", "cfut"):
        table[f"cloudflare-token-{kind}"] = Checksum(_cloudflare, _cloudflare_maker(f"{kind}_"))
    for kind in ("vcp", "vci", "vca", "vcr", "vck"):
        table[f"vercel-token-{kind}"] = Checksum(_vercel, _vercel_maker(f"{kind}_"))
    for name in AZURE_KINDS:
        table[name] = Checksum(partial(azure_fits, name), partial(make_azure, name))
    return table


CHECKSUMS = _all()
MAKERS: dict[str, Maker] = {name: checksum.make for name, checksum in CHECKSUMS.items()}
