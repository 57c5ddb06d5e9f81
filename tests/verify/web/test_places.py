"""
Whom a place of the web is: never another host than the one that a URL has by every reading.
"""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Companion
from scanner.secret import Secret
from scanner.verify.web.place import places_of
from tests.verify.web.scene import HOST, PASSWORD, found

FINDING = found(f"url = https://app:{PASSWORD}@{HOST}/status\n")
TEXT = st.text(r"ab.:/\@?#%[]012 -_" + "\r\n\t\0\u2024\uff0f", max_size=40)


@given(st.sampled_from(["https", "http", "git+https", "ftp", "x"]), TEXT, TEXT)
def test_no_reading_of_a_url_leads_elsewhere(scheme: str, user: str, where: str) -> None:
    values = {"login": f"{scheme}://{user}", "where": where}
    finding = dataclasses.replace(
        FINDING,
        companions=tuple(Companion(k, Secret(v.encode())) for k, v in values.items()),
    )

    for place in places_of(finding):
        parts = urlsplit(f"https://u:p@{where}")
        assert place.host == parts.hostname
        assert place.port == (parts.port or (443 if place.tls else 80))
        assert ":" not in place.user
        assert place.path.isascii()
        assert not set(place.path) & set("\r\n\t \0?#\\")
        assert place.password == PASSWORD


@given(TEXT, TEXT)
def test_no_setting_leads_elsewhere(user: str, where: str) -> None:
    for kind in ("docker+https", "npm.token+https", "pypi+http", "web+netrc"):
        login = Companion("server_login", Secret(f"{kind}://{user}@{where}".encode()))
        finding = dataclasses.replace(FINDING, companions=(login,))
        for place in places_of(finding):
            assert place.host == urlsplit(f"https://u:p@{where.rpartition('@')[2]}").hostname
            assert not set(place.path) & set("\r\n\t \0?#\\")
