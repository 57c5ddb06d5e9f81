"""
Text of office documents: runs joined, one line a paragraph.

Formats: ECMA-376 (docx, xlsx, pptx), OASIS OpenDocument.  The members arrive one by one from the
zip reader; no XML parser is needed, so no entity of the document's own is ever expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scanner.detect.decode.escapes import unentity
from scanner.detect.registry import Budget, Derived, Expression, Text

_LARGEST = 64 << 20
_PARAGRAPH = re.compile(
    rb"</(?:w:p|a:p|si|c|row|text:p|text:h|table:table-row)>|<(?:w:br|w:cr|a:br|text:line-break)\b[^<>]*>"
)
_BLANK = re.compile(rb"<(?:w:tab|text:tab|text:s)\b[^<>]*>")
_TAG = re.compile(rb"<[^<>]*>")


class OfficeTextDeriver:
    """
    Strips the markup between runs.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """See `Deriver.expressions`."""
        return [
            Expression(
                pattern=rb"<(?:w:document|w:hdr|w:ftr|w:comments|w:footnotes|p:sld|p:notes)[ >]"
            ),
            Expression(pattern=rb"<(?:sst|office:document-content|office:document)[ >]"),
            Expression(pattern=rb"<inlineStr|t=\"inlineStr\""),
        ]

    def derive(self, text: Text, budget: Budget) -> Iterator[Derived]:
        """See `Deriver.derive`."""
        data = text.data
        if len(data) > min(_LARGEST, budget.bytes_left):
            budget.limit("derived-bytes", f"the text of {len(data)} bytes of XML was not joined")
            return
        marked = _BLANK.sub(b"\t", _PARAGRAPH.sub(b"\n", data))
        lines = (line.strip() for line in unentity(_TAG.sub(b"", marked)).split(b"\n"))
        plain = b"\n".join(line for line in lines if line)
        if plain and plain != data:
            yield Derived(data=plain, decoded=("xml-text",))


DERIVER = OfficeTextDeriver()
