"""
What the user asked of verification; the command line's settings are one of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Settings(Protocol):
    """
    What the user allowed, and how far it goes.
    """

    @property
    def rules(self) -> tuple[Path, ...]:
        """Packs named on the command line, which may bring checks."""

    @property
    def plan(self) -> bool:
        """Say what would be sent, and send nothing."""

    @property
    def only(self) -> tuple[str, ...]:
        """Providers; empty: all."""

    @property
    def skip(self) -> tuple[str, ...]:
        """Providers that are not asked."""

    @property
    def allow_hosts(self) -> bool:
        """Hosts that stand in the finding may be asked."""

    @property
    def allow_login(self) -> bool:
        """Asking may be a login."""

    @property
    def allow_costs(self) -> bool:
        """Asking may use quota or be billed."""

    @property
    def allow_canaries(self) -> bool:
        """Known canary tokens may be used."""

    @property
    def spare_uses(self) -> bool:
        """Nothing that takes a use of a limited token."""

    @property
    def believe_refusals(self) -> bool:
        """A refusal means the end, though the server has the same words for others."""

    @property
    def allow_private(self) -> bool:
        """Addresses inside the house may be reached."""

    @property
    def proxy(self) -> str | None:
        """The only proxy there is."""

    @property
    def ca_file(self) -> Path | None:
        """Authorities instead of the system's."""

    @property
    def known_hosts(self) -> Path | None:
        """The keys of SSH hosts that may be sent a password."""

    @property
    def budget(self) -> int:
        """The most requests."""

    @property
    def verdict_lifetime(self) -> float:
        """Seconds for which a verdict is not asked for again."""
