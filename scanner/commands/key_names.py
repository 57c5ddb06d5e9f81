"""
Names of files that are sealed by custom, or hold keys.
"""

from __future__ import annotations

import re

# Whole file names, in any case: few enough not to be asked for at every tree.
NAMES = (
    rb"[^\x00]*vault[^\x00]*\.ya?ml",
    rb"[^\x00]*vault[-_.]?(?:pass|pw|key|secret)[^\x00]*",
    rb"[^\x00]*\.(?:vault|age|p12|pfx|jks|jceks|kdbx|tfvars)",
    rb"[^\x00]*\.tfstate[^\x00]*",
    rb"[._]netrc|\.?pgpass[^\x00]*|\.npmrc|\.pypirc|\.git-credentials|\.s3cfg|\.boto|\.dockercfg",
    rb"[^\x00]*kubeconfig[^\x00]*|master\.key|\.env(?:\.[^\x00]*)?|rclone\.conf|\.my\.cnf",
    rb"[^\x00]*(?:sops|secret)[^\x00]*\.(?:ya?ml|json|env)|credentials\.xml|key\.txt|keys\.txt",
)
KEY_FILE = re.compile(
    b"(?:.*/)?(?:" + b"|".join(NAMES).replace(rb"[^\x00]", b"[^/]") + b")",
    re.DOTALL | re.IGNORECASE,
)
