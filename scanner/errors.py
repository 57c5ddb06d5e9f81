"""
What a user can cause or cure.  Everything else is a bug.
"""

from __future__ import annotations

from typing import ClassVar


class ScannerError(Exception):
    """
    Base of every error that reaches the user as a message, not a traceback.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(ScannerError):
    """
    Arguments, configuration, a policy or a baseline cannot be used; nothing was scanned.
    """


class RuleError(ConfigError):
    """
    A rule file cannot be loaded.
    """

    def __init__(self, origin: str, rule_id: str, problem: str) -> None:
        super().__init__(
            f"{origin}: rule {rule_id!r}: {problem}",
            hint="run `unsealed rules check` to test every rule",
        )


class TargetError(ScannerError):
    """
    The target is not there, or is not what the command reads.
    """


class SourceError(ScannerError):
    """
    An input could not be read, so nothing can be said about it.
    """

    exit_code = 3
