"""
Names of files that mean something to us; apart, so that the hook need load no more to know them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scanner.expressions import expression

BASELINE_FILE = ".unsealed-baseline"
POLICY_FILES = (b".unsealed.yml", b".sops.yaml", b".sops.yml", b".gitattributes", b"ansible.cfg")

_IMPORTED = POLICY_FILES[1:]
"""What other tools take from any folder, for the files below it."""


def policy_files(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """
    Return where a policy for these paths may lie: at the root, and in the folders above each.
    """
    folders: set[bytes] = set()
    for path in paths:
        folder = path.rpartition(b"/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition(b"/")[0]
    below = (folder + b"/" + name for folder in sorted(folders) for name in _IMPORTED)
    return (*POLICY_FILES, *below)


# Wider than every checker's own pattern (a test holds them together): what it
# turns away need not load the checkers, which would cost the hook more than all else.
ROUGH_NAME = (
    r"vault|\.age$|\.gpg$|\.pgp$|\.asc$|\.p12$|\.pfx$|\.jks$|\.jceks$|keystore|\.kdbx$|kustomization"
    r"|pass|\.env|netrc|\.npmrc|\.pypirc|kube|(?:admin|kubelet|manager|scheduler)\.conf$|docker"
    r"|\.tfstate|\.tfvars|\.key$|secret|credential|settings|\.boto$|\.s3cfg$|application_default"
    r"|service[-_]?account|gcp|gcloud|google|azure|\.my(?:login)?\.cnf$|terraform|auth\.json$"
    r"|rclone\.conf$|\.yarnrc|config\.json$|/config$|\.bin$|\.json$"
)


def rough(path: bytes) -> bool:
    """
    Tell whether a checker might ask for a file of this name.
    """
    return expression(ROUGH_NAME.encode(), re.IGNORECASE).search(path) is not None
