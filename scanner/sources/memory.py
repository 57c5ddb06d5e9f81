"""
Gives memory that was freed back to the system.
"""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """
    Return free pages to the system, where the C library can (glibc).

    It keeps arrays of up to 32 MB for reuse, which after the inventory of a
    large repository is as much as the rest of the run needs.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(0)
