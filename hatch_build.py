"""
Builds the library of our own (the C files in `scanner/`) where there is a C compiler.

It is a plain shared library: no headers of Python or zlib are needed, and one serves every version
of Python.  Where it cannot be built the wheel is pure, and git reads all packs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCES = [
    Path("scanner", name)
    for name in (
        "sources/commits.c",
        "sources/packs.c",
        "sources/pieces.c",
        "sources/trees.c",
        "triage/paths.c",
        "detect/sealed/pbkdf2.c",
    )
]
_LIBRARY = Path("scanner/sources/_native.so")
_FLAGS = ("-O3", "-std=c99", "-D_XOPEN_SOURCE=700", "-shared", "-fPIC")


class LibraryHook(BuildHookInterface[Any]):
    """
    See `hatchling`'s documentation of build hooks.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 # the interface's
        """
        Compile, and tag the wheel by its platform if that went well.
        """
        if self.target_name != "wheel" or not _built(Path(self.root)):
            return
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"/{_LIBRARY.as_posix()}")


def _built(root: Path) -> bool:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler or sys.platform == "win32" or os.environ.get("UNSEALED_PURE"):
        return False
    fresh = root / _LIBRARY.with_suffix(".new")
    command = [*compiler.split(), *_FLAGS, "-o", str(fresh), *(str(root / one) for one in _SOURCES)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        sys.stderr.write(f"the library was not built: {said.decode(errors='replace')}\n")
        return False
    fresh.replace(root / _LIBRARY)
    return True
