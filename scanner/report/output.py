"""
Writes a report whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from scanner.errors import ConfigError

_BYTES_OF_A_WRITE = 1 << 20


def write_report(text: str, target: str | None, *, stdout: TextIO | None = None) -> None:
    """
    Write `text` to the file `target`, or to standard output for `None` or `-`.

    A file is replaced only when the new one is complete, so an earlier report
    outlives a full disk.  A reader of standard output that goes away early is no error.
    Raise `ConfigError` if the file cannot be written.
    """
    if target is None or target == "-":
        _to_stream(text, sys.stdout if stdout is None else stdout)
        return
    path = Path(target)
    try:
        _to_file(text.encode("utf-8", errors="replace"), path)
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {error.strerror or error}") from None


def check_writable(target: str | None) -> None:
    """
    Raise `ConfigError` before a long scan if its report could not be written to `target`.
    """
    if target is None or target == "-":
        return
    path = Path(target)
    if path.is_dir():
        raise ConfigError(f"cannot write {target}: it is a folder")
    folder = path.parent
    if not folder.is_dir():
        raise ConfigError(f"cannot write {target}: there is no folder {folder}")
    if not os.access(folder, os.W_OK) and not _is_special(path):
        raise ConfigError(f"cannot write {target}: no permission to write to {folder}")


def _to_stream(text: str, stream: TextIO) -> None:
    data = text.encode("utf-8", errors="replace")
    binary = getattr(stream, "buffer", None)
    try:
        stream.flush()
        if binary is None:
            stream.write(data.decode("utf-8"))
        else:
            for start in range(0, len(data), _BYTES_OF_A_WRITE):
                binary.write(data[start : start + _BYTES_OF_A_WRITE])
        stream.flush()
    except BrokenPipeError:
        # `unsealed … | head` has seen enough.  Without this, Python complains at exit too.
        with contextlib.suppress(OSError, ValueError):
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
            os.close(devnull)
    except OSError as error:
        raise ConfigError(f"cannot write the report: {error.strerror or error}") from None


def _to_file(data: bytes, path: Path) -> None:
    if _is_special(path):  # /dev/stdout, a named pipe: nothing to keep, nothing to replace
        with path.open("wb") as stream, contextlib.suppress(BrokenPipeError):
            stream.write(data)
        return
    path = Path(os.path.realpath(path))  # a link stays a link
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
