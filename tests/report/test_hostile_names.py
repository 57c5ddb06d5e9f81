"""
A scanned repository chooses its file names; no report may be steered by them.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

import pytest

from scanner.model import Identity, Place, Unread
from scanner.report import formats, path_text
from scanner.report.options import Options
from tests.report.samples import RULES, finding, occurrence, report

NAMES = [
    pytest.param(b"a\nb\r\nc.txt", id="line ends"),
    pytest.param(b"quote\"s and 'more'.txt", id="quotes"),
    pytest.param(b"\x1b[31mred\x1b]0;title\x07.txt", id="terminal escapes"),
    pytest.param("\x9b31m\u202eevil\u2066.txt".encode(), id="C1 and direction overrides"),
    pytest.param(b"\xff\xfe\x80.txt", id="not UTF-8"),
    pytest.param(b"=cmd|' /C calc'!A0", id="a formula"),
    pytest.param(b"@SUM(1+1)*cmd", id="another formula"),
    pytest.param(b"-2+3", id="a third formula"),
    pytest.param(b"<script>alert(1)</script>.html", id="a script"),
    pytest.param(b"</title></style></script><img src=x onerror=alert(1)>", id="an early end"),
    pytest.param(b"a|b`c`*d*_e_[x](http://evil.example) @octocat #1", id="markdown"),
    pytest.param(b"[bold red]x[/]:smile:", id="rich markup"),
    pytest.param(b"]]>&amp;<!--", id="XML"),
    pytest.param(b"a b%20c#d?e:f", id="URI characters"),
    pytest.param(b"\x00\x01\x0b\x0c", id="what XML cannot hold"),
    pytest.param("\ud7ff\uffff\U0001f512.txt".encode(), id="non-characters and astral"),
    pytest.param(b"x" * 4000, id="long"),
]


def hostile(name: bytes):
    shown = name.decode(errors="replace")
    return report(
        finding(
            None,
            occurrence(name, author=Identity(shown, shown), inner_path=(shown,)),
            title=shown,
            remediation=shown,
        ),
        unread=(Unread(place=Place.BLOB, reason=shown, path=name),),
        notices=(shown,),
        complete=False,
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("format_name", formats.NAMES)
def test_no_format_lets_a_control_through(format_name, name):
    text = formats.renderer(format_name)(hostile(name), RULES, Options())

    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    text.encode()


@pytest.mark.parametrize("name", NAMES)
def test_json_gives_the_name_back_byte_by_byte(name):
    document = json.loads(formats.renderer("json")(hostile(name), RULES, Options()))

    place = document["findings"][0]["occurrences"][0]

    assert path_text.bytes_of(place["path"], place.get("path_base64")) == name


@pytest.mark.parametrize("name", NAMES)
def test_jsonl_has_one_part_a_line(name):
    text = formats.renderer("jsonl")(hostile(name), RULES, Options())

    assert [json.loads(line)["type"] for line in text.splitlines()] == [
        "run",
        "finding",
        "unread",
        "summary",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_sarif_uris_are_relative_and_give_the_name_back(name):
    log = json.loads(formats.renderer("sarif")(hostile(name), RULES, Options()))

    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    uri = location["artifactLocation"]["uri"]

    assert unquote_to_bytes(uri) == name.lstrip(b"/")
    assert re.fullmatch(r"[A-Za-z0-9/._~%-]+", uri)


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_of_the_table_is_a_formula(name):
    text = formats.renderer("csv")(hostile(name), RULES, Options())

    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    assert not [cell for cell in rows[1] if re.match(r"\s*[=+\-@|%\t\r]", cell)]


@pytest.mark.parametrize("name", NAMES)
def test_junit_is_well_formed(name):
    root = ET.fromstring(formats.renderer("junit")(hostile(name), RULES, Options()))

    assert len(root.findall(".//testcase")) == 2
    assert len(root.findall(".//failure")) == 1


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_no_element_that_is_not_ours(name):
    def tags(path: bytes) -> list[str]:
        page = _Page()
        page.feed(formats.renderer("html")(hostile(path), RULES, Options()))
        assert not [attrs for _, attrs in page.tags if any(key.startswith("on") for key in attrs)]
        return [tag for tag, _ in page.tags]

    assert tags(name) == tags(b"plain.txt")


@pytest.mark.parametrize("name", NAMES)
def test_a_comment_has_neither_links_nor_mentions_of_the_names_making(name):
    text = formats.renderer("markdown")(hostile(name), RULES, Options())

    assert not re.search(r"(?<!\\)\[x\]\(", text)
    assert "@octocat" not in text
    assert not re.search(r"<(?!/?(details|summary|code|br)>)", text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_report_keeps_to_its_width(name, width):
    text = formats.renderer("terminal")(hostile(name), RULES, Options(width=width))

    assert max(map(len, text.split("\n"))) <= width


def test_no_colour_means_no_escape_at_all():
    plain = formats.renderer("terminal")(hostile(b"x"), RULES, Options(color=False))
    coloured = formats.renderer("terminal")(hostile(b"x"), RULES, Options(color=True))

    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == plain.split()
