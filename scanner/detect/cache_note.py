"""
The note that a file of the cache was digested and found sound.
"""

from __future__ import annotations

import contextlib
import os
import time

from scanner.detect.cache import code
from scanner.detect.cache_file import CacheFile, write_whole

_PURPOSE = b"note of "
_QUIET_S = 2
"""A file that was changed so lately could be again, without its times showing it."""


class Note:
    """
    What the state folder says of a file: that all of it was digested and found sound.
    """

    def __init__(self, file: CacheFile) -> None:
        self._path = file.note
        self._key = file.key
        self._purpose = file.purpose
        self._begun = b""

    def fits(self, number: int) -> bool:
        """
        Tell whether this is the open file that the note was written of.
        """
        try:
            with open(self._path, "rb") as file:
                return file.read() == self._told(number)
        except OSError:
            return False

    def begin(self, number: int) -> bool:
        """
        Tell whether a note may be written of this file, once it has been digested.
        """
        self._begun = self._told(number)
        # Elsewhere `st_ctime` is something else, and a file of ours may be everybody's.
        return hasattr(os, "getuid") and os.fstat(number).st_ctime + _QUIET_S < time.time()

    def write(self, number: int) -> None:
        """
        Write the note, if the file is still the one that it was at `begin`.
        """
        told = self._told(number)
        if told == self._begun:
            with contextlib.suppress(OSError):
                write_whole(self._path, [told])

    def _told(self, number: int) -> bytes:
        stat = os.fstat(number)
        seen = stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
        return code(self._key, _PURPOSE + self._purpose, repr(seen).encode())
