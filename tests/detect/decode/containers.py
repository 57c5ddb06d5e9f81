"""
Documents and archives of every kind, made here around one look-alike of a token.
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import py7zr

from tests.lookalikes import fill

TOKEN = fill("ghp_{{alnum:36}}", seed=5)
LINE = f'github_token = "{TOKEN}"\n'
PAD = "lorem ipsum dolor sit amet " * 50
TEXT = (PAD + "\n" + LINE).encode()


def zipped(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(form: int = tarfile.PAX_FORMAT, **members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            item = tarfile.TarInfo(name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))
    return out.getvalue()


def sevenzipped() -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        archive.writestr(TEXT, "s.py")
    return out.getvalue()


def ar(**members: bytes) -> bytes:
    out = b"!<arch>\n"
    for name, data in members.items():
        out += f"{name + '/':<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
        out += data + b"\n" * (len(data) % 2)
    return out


def cpio(name: bytes, data: bytes) -> bytes:
    def entry(name: bytes, data: bytes) -> bytes:
        fields = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0"
        head += b"\0" * (-len(head) % 4)
        return head + data + b"\0" * (-len(data) % 4)

    return entry(name, data) + entry(b"TRAILER!!!", b"")


def rpm() -> bytes:
    header = b"\x8e\xad\xe8\x01" + b"\0" * 4 + struct.pack(">II", 0, 8) + b"x" * 8
    return b"\xed\xab\xee\xdb" + b"\0" * 92 + header * 2 + gzip.compress(cpio(b"./s.py", TEXT))


def database(*rows: tuple[object, ...], coding: str = "UTF-8") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "t.db")
        connection = sqlite3.connect(file)
        connection.execute(f"pragma encoding = '{coding}'")
        connection.execute("create table t(a, b, c)")
        connection.executemany("insert into t values(?, ?, ?)", rows)
        connection.commit()
        connection.close()
        return file.read_bytes()


def pdf(content: bytes, filters: bytes, extra: bytes = b"") -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n4 0 obj<</Length "
        + str(len(content)).encode()
        + b"/Filter"
        + filters
        + b">>stream\n"
        + content
        + b"\nendstream endobj\n"
        + extra
        + b"trailer<</Root 1 0 R>>\n"
    )


def shown(text: str) -> bytes:
    return f"BT /F1 12 Tf 72 712 Td ({text}) Tj ET".encode()


def kerned() -> bytes:
    return zlib.compress(
        f"BT /F1 9 Tf [({TOKEN[:7]}) -12 ({TOKEN[7:20]}) 8 ({TOKEN[20:]})] TJ ET".encode()
    )


def mapped() -> bytes:
    codes = {character: number for number, character in enumerate(sorted(set(LINE)), start=3)}
    table = b"begincodespacerange <0000> <FFFF> endcodespacerange\n1 beginbfchar\n"
    table += b"".join(b"<%04x> <%04x>\n" % (code, ord(text)) for text, code in codes.items())
    table += b"endbfchar"
    page = b"BT /F7 12 Tf <" + b"".join(b"%04x" % codes[text] for text in LINE) + b"> Tj ET"
    packed = zlib.compress(table)
    extra = b"5 0 obj<</Type/Font/ToUnicode 6 0 R>>endobj\n6 0 obj<</Filter/FlateDecode/Length "
    extra += str(len(packed)).encode() + b">>stream\n" + packed + b"\nendstream endobj\n"
    extra += b"7 0 obj<</Font<</F7 5 0 R>>>>endobj\n"
    return pdf(zlib.compress(page), b"/FlateDecode", extra)


def png(kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + b"\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk


def word(*runs: str) -> bytes:
    body = "".join(f"<w:r><w:rPr><w:b/></w:rPr><w:t>{run}</w:t></w:r>" for run in runs)
    return f'<?xml version="1.0"?><w:document xmlns:w="x"><w:p>{body}</w:p></w:document>'.encode()


def notebook() -> bytes:
    cells = [
        {"cell_type": "code", "source": ["x = 1\n", LINE[:25], LINE[25:]], "outputs": []},
    ]
    return json.dumps({"cells": cells}, indent=1).encode()


def java_class() -> bytes:
    strings = [b"Main", b"x" * 11 + TOKEN.encode()[:0] + LINE.encode()]
    pool = b"".join(b"\1" + struct.pack(">H", len(item)) + item for item in strings)
    return b"\xca\xfe\xba\xbe\0\0\0\x34" + struct.pack(">H", len(strings) + 1) + pool


SPLIT = f"{'x' * 5000} {TOKEN}"
