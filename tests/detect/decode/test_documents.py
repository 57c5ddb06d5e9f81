"""
Which documents and archives are read, what is said of those that cannot be, and that none of them
costs more than it may.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detect.decode.containers import (
    LINE,
    SPLIT,
    TEXT,
    TOKEN,
    ar,
    database,
    java_class,
    kerned,
    mapped,
    notebook,
    pdf,
    png,
    rpm,
    sevenzipped,
    shown,
    tarred,
    word,
    zipped,
)
from tests.detect.decode.driving import Drive, Purse

DRIVE = Drive()

FOUND = [
    pytest.param(zipped(**{"x/s.py": TEXT}), ((), ("x/s.py",)), id="zip"),
    pytest.param(zipped(zipfile.ZIP_STORED, s=TEXT), ((), ("s",)), id="stored zip"),
    pytest.param(zipped(zipfile.ZIP_BZIP2, s=TEXT), ((), ("s",)), id="zip with bzip2"),
    pytest.param(zipped(a=zipped(b=TEXT)), ((), ("a", "b")), id="zip in zip"),
    pytest.param(b"#!/bin/sh\n" + zipped(s=TEXT), ((), ("s",)), id="zip behind a launcher"),
    pytest.param(zipped(s=TEXT)[:-30], ((), ("s",)), id="zip that lost its end"),
    pytest.param(tarred(s=TEXT), ((), ("s",)), id="tar"),
    pytest.param(
        tarred(tarfile.GNU_FORMAT, **{"d/" * 80 + "s": TEXT}),
        ((), ("d/" * 80 + "s",)),
        id="gnu tar",
    ),
    pytest.param(tarred(**{"é" * 80: TEXT}), ((), ("é" * 80,)), id="pax tar"),
    pytest.param(
        tarred(layer=gzip.compress(tarred(s=TEXT))), (("gzip",), ("layer", "s")), id="image layer"
    ),
    pytest.param(gzip.compress(TEXT), (("gzip",), ()), id="gzip"),
    pytest.param(gzip.compress(b"x") + gzip.compress(TEXT), (("gzip",), ()), id="two gzips"),
    pytest.param(bz2.compress(TEXT), (("bzip2",), ()), id="bzip2"),
    pytest.param(lzma.compress(TEXT), (("xz",), ()), id="xz"),
    pytest.param(zstandard.compress(TEXT), (("zstd",), ()), id="zstd"),
    pytest.param(sevenzipped(), ((), ("s.py",)), id="7z"),
    pytest.param(
        ar(**{"debian-binary": b"2.0\n", "data.tar.xz": lzma.compress(tarred(s=TEXT))}),
        (("xz",), ("data.tar.xz", "s")),
        id="deb",
    ),
    pytest.param(rpm(), ((), ("payload.cpio", "./s.py")), id="rpm"),
    pytest.param(
        base64.b64encode(gzip.compress(TEXT)), (("base64", "gzip"), ()), id="gzip in base64"
    ),
    pytest.param(word(TOKEN[:9], TOKEN[9:]), (("xml-text",), ()), id="runs of Word"),
    pytest.param(
        zipped(**{"word/document.xml": word(TOKEN[:9], TOKEN[9:])}),
        (("xml-text",), ("word/document.xml",)),
        id="docx",
    ),
    pytest.param(
        zipped(
            **{
                "xl/sharedStrings.xml": f"<sst ><si><r><t>{TOKEN[:9]}</t></r><r><t>{TOKEN[9:]}"
                "</t></r></si><si><t>x</t></si></sst>".encode()
            }
        ),
        (("xml-text",), ("xl/sharedStrings.xml",)),
        id="xlsx",
    ),
    pytest.param(
        zipped(
            **{
                "content.xml": f"<office:document-content ><text:p>{TOKEN[:9]}<text:span>"
                f"{TOKEN[9:]}</text:span></text:p></office:document-content>".encode()
            }
        ),
        (("xml-text",), ("content.xml",)),
        id="odt",
    ),
    pytest.param(notebook(), (("notebook",), ()), id="notebook"),
    pytest.param(database((1, "k", LINE)), (("sqlite",), ()), id="sqlite"),
    pytest.param(database(("k" * 30, TOKEN, None)), (("sqlite",), ()), id="sqlite, side by side"),
    pytest.param(database((1, "k", SPLIT)), (("sqlite",), ()), id="sqlite, overflow pages"),
    pytest.param(database((1, "k", LINE), coding="UTF-16le"), (("sqlite",), ()), id="wide sqlite"),
    pytest.param(pdf(zlib.compress(shown(LINE)), b"/FlateDecode"), (("pdf-text",), ()), id="pdf"),
    pytest.param(
        pdf(
            base64.a85encode(zlib.compress(shown(LINE)), adobe=True)[2:],
            b"[/ASCII85Decode /FlateDecode]",
        ),
        (("pdf-text",), ()),
        id="pdf, two filters",
    ),
    pytest.param(
        pdf(shown(LINE).hex().encode() + b">", b"/ASCIIHexDecode"),
        (("pdf-text",), ()),
        id="hex pdf",
    ),
    pytest.param(pdf(kerned(), b"/FlateDecode"), (("pdf-text",), ()), id="pdf, kerned"),
    pytest.param(mapped(), (("pdf-text",), ()), id="pdf with a font of its own codes"),
    pytest.param(
        pdf(zlib.compress(b"<< /Password (" + LINE.encode() + b") >>"), b"/FlateDecode"),
        (("pdf-stream",), ()),
        id="pdf, another stream",
    ),
    pytest.param(
        png(b"zTXt", b"Comment\0\0" + zlib.compress(TEXT)), (("zlib",), ("zTXt",)), id="png zTXt"
    ),
    pytest.param(
        png(b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(TEXT)),
        (("zlib",), ("zTXt",)),
        id="png iTXt",
    ),
    pytest.param(java_class(), (("class",), ()), id="class"),
]


@pytest.mark.parametrize(("data", "way"), FOUND)
def test_a_token_in_a_document_is_found(
    data: bytes, way: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    assert way in [(one.decoded, one.inner_path) for one in DRIVE.finds(TOKEN, data)]


def test_strings_of_python_bytecode_stand_alone(tmp_path: Path) -> None:
    import py_compile

    source = tmp_path / "m.py"
    source.write_text(f"T = {TOKEN + 'x' * 9!r}\nU = {TOKEN!r}\n")
    data = Path(str(py_compile.compile(str(source), cfile=str(tmp_path / "m.pyc")))).read_bytes()

    assert [one.decoded for one in DRIVE.finds(TOKEN, data)] == [("pyc",)]


def encrypted_zip() -> bytes:
    data = bytearray(zipped(s=TEXT))
    for magic, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(magic) + flags] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(encrypted_zip(), "encrypted", id="encrypted zip"),
        pytest.param(b"%PDF-1.4\ntrailer<</Encrypt 5 0 R>>", "encrypted", id="encrypted pdf"),
        pytest.param(gzip.compress(TEXT)[:-12], "gzip: ends too soon", id="cut gzip"),
        pytest.param(zipped(s=TEXT)[:-30], "zip: no central directory", id="zip without its end"),
        pytest.param(tarred(s=TEXT)[:1000], "tar: the archive ends", id="cut tar"),
        pytest.param(sevenzipped()[:-20], "7z: ", id="cut 7z"),
        pytest.param(b"7z\xbc\xaf\x27\x1c" + b"\xff" * 60, "7z: ", id="7z of nonsense"),
        pytest.param(b"!<arch>\n" + b"x" * 80, "ar: no member", id="ar of nonsense"),
        pytest.param(b"\xed\xab\xee\xdb" + b"x" * 200, "rpm: a header", id="rpm of nonsense"),
        pytest.param(b"\x28\xb5\x2f\xfd" + b"\xff" * 30, "zstd: damaged", id="zstd of nonsense"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, reason: str) -> None:
    purse = Purse()

    DRIVE.texts(data, purse=purse)

    assert any(said.startswith(reason) for said, _ in purse.unreads), purse.unreads


def test_what_a_damaged_stream_gave_is_read() -> None:
    noise = random.Random(1).randbytes(200_000)
    data = bytearray(gzip.compress(TEXT + noise))
    data[-100_000:] = b"\xff" * 100_000

    assert DRIVE.finds(TOKEN, bytes(data))


def nested(times: int) -> bytes:
    data = TEXT
    for _ in range(times):
        data = zipped(zipfile.ZIP_STORED, a=data)
    return data


BOMBS = [
    pytest.param(gzip.compress(bytes(100 << 20), 9), "expansion-ratio", id="gzip"),
    pytest.param(gzip.compress(bytes(300 << 20), 9), "derived-bytes", id="large gzip"),
    pytest.param(bz2.compress(bytes(300 << 20)), "expansion-ratio", id="bzip2"),
    pytest.param(zipped(a=bytes(100 << 20)), "expansion-ratio", id="zip"),
    pytest.param(pdf(zlib.compress(bytes(100 << 20)), b"/FlateDecode"), "member-size", id="pdf"),
]


@pytest.mark.parametrize(("data", "limit"), BOMBS)
def test_a_bomb_is_a_limit_that_bit(data: bytes, limit: str) -> None:
    purse = Purse()

    texts = DRIVE.texts(data, purse=purse)

    assert limit in [name for name, _ in purse.limits]
    assert sum(len(one.data) for one in texts) <= 64 << 20


def test_members_that_overlap_are_not_all_read() -> None:
    archive = zipped(zipfile.ZIP_STORED, a=TEXT * 100)
    central = archive.find(b"PK\1\2")
    entry = archive[central : archive.find(b"PK\5\6")]
    end = b"PK\5\6\0\0\0\0" + struct.pack("<HHIIH", 999, 999, 999 * len(entry), central, 0)
    purse = Purse(bytes_left=1 << 40)

    texts = DRIVE.texts(archive[:central] + entry * 999 + end, purse=purse, most_depth=1)

    assert len(texts) < 10
    assert ("members", ()) in purse.limits


def test_an_archive_nested_a_thousand_times_ends() -> None:
    assert len(DRIVE.texts(nested(100), most_depth=8)) <= 8


@pytest.mark.parametrize(
    "name", [b"\x1b[31mred", b"\xff\xfe", b"../../etc/passwd", b"a" * 9999], ids=repr
)
def test_a_hostile_member_name_is_text(name: bytes) -> None:
    header = b"PK\3\4" + struct.pack(
        "<HHHHHIIIHH", 20, 0, 0, 0, 0, 0, len(TEXT), len(TEXT), len(name), 0
    )

    (one,) = DRIVE.finds(TOKEN, header + name + TEXT)

    one.inner_path[0].encode()
    assert len(one.inner_path[0]) <= 1024


MAKERS: list[bytes] = [parameter.values[0] for parameter in FOUND]  # type: ignore[misc]


@settings(max_examples=150, deadline=None)
@given(
    base=st.sampled_from(MAKERS),
    edits=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 4096),
)
def test_no_damage_raises(base: bytes, edits: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(base)
    for at, byte in edits:
        data[at % len(data)] = byte

    DRIVE.texts(bytes(data[: max(1, len(data) - cut % len(data))]), purse=Purse(bytes_left=1 << 22))


MAGICS = [
    b"PK\3\4", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"!<arch>\n",
    b"\xed\xab\xee\xdb", b"07070100000000", b"%PDF-1.4 stream\n", b"SQLite format 3\0\x02\0",
    b"\x89PNG\r\n\x1a\n", b"\xca\xfe\xba\xbe\0\0\0", b"\xff\xfe", b"kind: Secret\ndata:\n",
    b'{"cell_type"', b"<w:document ", b"&#103;&#104;&#112;", b"\\u0067\\u0068\\u0070", b"%67%68%70",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(magic=st.sampled_from(MAGICS), body=st.binary(max_size=600))
def test_no_bytes_raise(magic: bytes, body: bytes) -> None:
    DRIVE.texts(magic + body, purse=Purse(bytes_left=1 << 22))


TAGS = {
    id(deriver): sorted({expression.tag for expression in deriver.expressions})
    for deriver in DRIVE.derivers
}


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=600))
def test_no_deriver_raises_on_hits_anywhere(body: bytes) -> None:
    from scanner.model import Document, Place
    from tests.detect.decode.driving import Sheet

    for deriver in DRIVE.derivers:
        tags = TAGS[id(deriver)]
        hits = [(end, tag) for end in range(1, len(body), 37) for tag in tags]
        list(deriver.derive(Sheet(body, Document(Place.FILE), hits), Purse()))
