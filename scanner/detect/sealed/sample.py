"""
Values of samples and tests: `my-password`, `changeme`, the base64 of `admin`.  A file that holds no
other lies open, and tells nobody anything.
"""

from __future__ import annotations

import re

from scanner.detect.placeholder import placeholder

_NAMES = r"""
a the my your our some this is not no very super top real really old new current any test
testing demo e2e ci sample example fake dummy mock stub initial default secret secrets s3cr3t
password passwords passwd pass passphrase passcode p@ssw0rd p@ssword pa\$\$word pwd token tokens
key keys api auth access cred creds credential credentials value values data string content text
user username name login client id email mail admin administrator root guest foo bar foobar baz qux
hello world xyz abc none empty change it replace redacted private public webhook github gitlab
bitbucket slack git
"""
_SINGLE = frozenset(_NAMES.split())
_WORD = f"(?:{'|'.join(_NAMES.split())})"
_WORDS = re.compile(rf"(?i)\W*{_WORD}(?:[-_. '!,]+{_WORD}){{0,7}}\W*")
_FRAME = re.compile(r"-----BEGIN ([A-Z ]+)-----\s*-----END \1-----\s*")
"""The armour of a key without the key."""

_SLOT = re.compile(r"<[A-Za-z][\w .-]*>")
_LONGEST = 80


def is_sample(value: str) -> bool:
    """
    Return whether `value` says by its words alone that it stands for a credential.
    """
    value = value.strip()
    if _FRAME.fullmatch(value):
        return True
    if len(value) > _LONGEST:  # of a text that holds a secret a word tells nothing
        return False
    if value.isalnum() and value.isascii():  # nearly all of a large manifest, and quickly told
        if value.lower() in _SINGLE:
            return True
    elif _WORDS.fullmatch(value) or _SLOT.search(value):
        return True
    return '"' not in value and placeholder(value.encode("utf-8", "replace")) is not None
