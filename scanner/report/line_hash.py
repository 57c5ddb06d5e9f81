"""
`primaryLocationLineHash`, the only fingerprint that GitHub code scanning uses.

It must equal what github/codeql-action computes from the checked-out file, or
the upload warns for each result: the first hundred UTF-16 code units from the
start of the line that are no blanks or tabs (line ends as LF, the end of the file as
0xFFFF, then zeros), as digits of base 37 modulo 2**64, and the how-manieth
line with these same hundred it is.
"""

from __future__ import annotations

import array

_UNITS = 100
_BASE = 37
_MODULUS = 1 << 64
_END = "\uffff"


class LineHashes:
    """
    The hashes of one file's lines.
    """

    def __init__(self, data: bytes) -> None:
        text = data.decode("utf-8", errors="replace")
        text = text.replace("\t", " ") if "\t" in text else text
        # A blank between CR and LF makes them two line ends, so pairs are joined before blanks go.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "")
        if not text.isascii():
            text = _units(text)
        self._text = text + _END
        self._starts: list[int] | None = None

    def of(self, line: int) -> str | None:
        """
        Return the hash of a line, counted from 1, or `None` if there is no such line.
        """
        starts = self._line_starts()
        if not 1 <= line <= len(starts):
            return None
        window = self._text[starts[line - 1] : starts[line - 1] + _UNITS]
        value = 0
        for character in window:
            value = (value * _BASE + ord(character)) % _MODULUS
        value = value * pow(_BASE, _UNITS - len(window), _MODULUS) % _MODULUS
        seen = sum(self._is_window(start, window) for start in starts[:line])
        return f"{value:x}:{seen}"

    def _is_window(self, start: int, window: str) -> bool:
        # A window that the end of the file cuts ends with the end itself: equal
        # prefixes are equal windows.
        return self._text.startswith(window, start)

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            starts, position = [0], self._text.find("\n")
            while position >= 0:
                starts.append(position + 1)
                position = self._text.find("\n", position + 1)
            self._starts = starts
        return self._starts


def _units(text: str) -> str:
    units = array.array("H", text.encode("utf-16-le", errors="surrogatepass"))
    return "".join(map(chr, units))
