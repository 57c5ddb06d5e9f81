"""
Plain YAML is read at speed, and read as every other reader reads it.
"""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect.sealed import structure
from scanner.detect.sealed.line_reader import read_lines
from scanner.detect.sealed.plain_lines import read_plain
from scanner.detect.sealed.registry import seal_records
from tests.lookalikes import fill

MANIFEST = """---
apiVersion: v1
kind: Secret
metadata:
  name: "acme app"
  labels:
    app.kubernetes.io/name: acme
type: Opaque
data:
  password: {{base64:24}}
  user: 'some one'
"""
keys = st.sampled_from(["a", "kind", "x.y/z", "no", "_k", "A-b"])
values = st.sampled_from(
    [
        *[
            "",
            " v",
            " 1",
            " a=b=",
            ' "x y: z # t"',
            " ''",
            " 'a\"b'",
            "  two",
            " +/a",
            " Zm9v=",
            " ~",
        ],
        *[
            " -",
            " - a",
            " |",
            " a b",
            " a:b",
            " #c",
            " 'a",
            ' "\\n"',
            " !t a",
            " é",
            " {a: b}",
            " a ",
        ],
        *[" *a", " {{ x }}", "\t", " ,", " a,"],
    ]
)
rows = st.tuples(st.integers(0, 3), keys, values)


def parsed(text: str):
    try:
        return structure._parsed(text, 7, templated=False).leaves
    except yaml.YAMLError:
        return None


@settings(deadline=None, max_examples=400)
@given(st.lists(rows, min_size=1, max_size=6), st.booleans(), st.booleans())
def test_it_says_what_the_other_readers_say_or_nothing(lines, separated, ended) -> None:
    body = "\n".join(f"{'  ' * depth}{key}:{value}" for depth, key, value in lines)
    text = "---\n" * separated + body + "\n" * ended
    plain = read_plain(text, 7, limit=100)
    if plain is not None:
        assert plain == parsed(text)
        assert plain == read_lines(text, 7)


def test_a_manifest_is_of_this_kind() -> None:
    text = fill(MANIFEST)
    plain = read_plain(text, 1, limit=100)
    assert plain is not None
    assert [leaf.line for leaf in plain] == [2, 3, 5, 7, 8, 10, 11]


@pytest.mark.parametrize(
    "line",
    ["data:", "- a: b", "a: |", "a: b c", "a: &x b", "a: {{ .b }}", "# note", "", "a: b\r", "ä: b"],
)
def test_whatever_else_stands_in_a_text_leaves_it_to_the_readers_proper(line: str) -> None:
    assert read_plain(f"a: b\n{line}\nc: d\n", 1, limit=100) is None


def test_of_more_lines_than_allowed_it_reads_none() -> None:
    assert read_plain("a: b\n" * 5, 1, limit=5) is not None
    assert read_plain("a: b\n" * 6, 1, limit=5) is None


def test_a_file_of_plain_manifests_starts_no_parser(monkeypatch) -> None:
    def refused(_text: str) -> None:
        raise AssertionError("a parser was started")

    monkeypatch.setattr(structure, "_LOADER", refused)
    monkeypatch.setattr(structure, "read_lines", refused)
    data = "".join(fill(MANIFEST) for _ in range(50)).encode()
    records = seal_records(data, b"all.yaml")
    assert {record.state for record in records} == {"plaintext"}
    assert [record.line for record in records] == [10 + 11 * number for number in range(50)]
