"""
A credential found in the input, kept from printing itself.
"""

from __future__ import annotations

_MIN_LENGTH_TO_SHOW = 16
_SHOWN = 4


class Secret:
    """
    A credential, which prints as its length and no more.

    Equality and hashing are by value, so that two finds of one credential
    are one secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled")

    @property
    def withheld(self) -> bool:
        """
        Whether only the redacted form is known (read back from a report).
        """
        return False

    def reveal(self) -> bytes:
        """
        Return the credential itself.

        Few have a reason to ask; `tests/test_architecture.py` holds the list.
        """
        return self._value

    def redacted(self) -> str:
        """
        Return a form that is safe in a report: at most four leading
        characters, and none of a short secret.
        """
        if len(self._value) < _MIN_LENGTH_TO_SHOW:
            return "*" * 8
        head = self._value[:_SHOWN].decode("ascii", errors="replace")
        if not head.isprintable() or "\ufffd" in head:
            return "*" * 8
        return f"{head}{'*' * 8}"


class WithheldSecret(Secret):
    """
    A credential of which an earlier, redacted report is all we have.
    """

    __slots__ = ()

    def __init__(self, shown: str) -> None:
        super().__init__(shown.encode())

    __hash__ = Secret.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WithheldSecret) and self._value == other._value

    def __repr__(self) -> str:
        return "WithheldSecret()"

    @property
    def withheld(self) -> bool:
        """
        Whether only the redacted form is known (read back from a report).
        """
        return True

    def reveal(self) -> bytes:
        """
        Raise: the value must be read again from the target.
        """
        raise ValueError("a redacted report does not hold the credential")

    def redacted(self) -> str:
        """
        Return the redacted form as the earlier report had it.
        """
        return self._value.decode()
