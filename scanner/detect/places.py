"""
What a path says about the purpose of a file.
"""

from __future__ import annotations

import re

_OF_TESTS = re.compile(
    rb"(?i)(?:\A|[/_.-])(?:(?:unit|self)?tests?|test-?(?:data|utils?|certs?|keys?|resources?|infra)"
    rb"|testing|specs?|e2e|mocks?|fixtures?|examples?|samples?|demos?|tutorials?)(?:[/_.-]|\Z)"
)


def of_tests(path: bytes) -> bool:
    """
    Return whether a path says that its file is of tests, samples or demonstrations.
    """
    return _OF_TESTS.search(path) is not None
