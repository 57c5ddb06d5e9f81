"""
Who can ask about what: the verifiers in code, beside the declarative checks.

A verifier is one file in this folder and one line in `VERIFIERS`.  Heavy libraries
are imported by its module, and its module only when a finding calls for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

from scanner.model import Finding, Verification
from scanner.ruleset.schema import Rule
from scanner.verify.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """
    What the user allowed beyond the harmless.
    """

    found_hosts: bool = False
    """Hosts that stand in the finding may be asked."""

    login: bool = False
    """Asking may be a login, which leaves a log entry or makes a short-lived token."""

    costs: bool = False
    """Asking may use quota or be billed."""

    canaries: bool = False
    """Known canary tokens may be used, which alerts whoever laid them."""

    spare_uses: bool = False
    """No request that takes one of the uses of a limited token."""

    believe: bool = False
    """A refusal means the end, though some servers word one of the place or for a while alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """
    One request that would be sent.
    """

    host: str
    method: str
    path: str
    """With placeholders."""


class Verifier(Protocol):
    """
    Asks the issuer about one kind of credential.
    """

    def accepts(self, finding: Finding, rule: Rule | None) -> bool:
        """
        Say whether this finding is of its kind and has the companions it needs.
        """

    def plan(self, finding: Finding, consent: Consent) -> list[Planned]:
        """
        Return the requests that `verify` would send; empty if consent lacks.
        """

    def verify(self, finding: Finding, transport: Transport, consent: Consent) -> Verification:
        """
        Return the issuer's answer.

        `inactive` only if the issuer said so in so many words.  May raise
        `RefusedError` and `TransportError`, which become `unknown`.
        """


@runtime_checkable
class Explains(Verifier, Protocol):
    """
    A verifier that can say why it would ask nothing about a finding that it accepts.
    """

    def excuse(self, finding: Finding, consent: Consent) -> str:
        """
        Return what is missing.
        """


# Provider as rules name it → modules, each with a function `verifier() -> Verifier`.
# The first that accepts a finding answers; declarative checks come after.
VERIFIERS: Mapping[str, tuple[str, ...]] = {
    "aws": ("scanner.verify.cloud.aws",),
    "azure": ("scanner.verify.cloud.azure_entra", "scanner.verify.cloud.azure_storage"),
    "azure-devops": ("scanner.verify.cloud.azure_devops",),
    "gcp": ("scanner.verify.cloud.gcp", "scanner.verify.cloud.google"),
    "google": ("scanner.verify.cloud.google",),
    "kubernetes": ("scanner.verify.kubernetes.verifier", "scanner.verify.vault.key_logins"),
    "private-key": ("scanner.verify.vault.key_logins", "scanner.verify.protocols.ssh_keys"),
    "jwt": ("scanner.verify.web.verifier",),
    "docker": ("scanner.verify.web.verifier",),
    "npm": ("scanner.verify.web.verifier",),
    "vault": ("scanner.verify.vault.verifier",),
    "generic": ("scanner.verify.protocols.verifier", "scanner.verify.web.verifier"),
    "mongodb": ("scanner.verify.protocols.verifier",),
    "mysql": ("scanner.verify.protocols.verifier",),
    "postgresql": ("scanner.verify.protocols.verifier",),
    "rabbitmq": ("scanner.verify.protocols.verifier",),
    "redis": ("scanner.verify.protocols.verifier",),
    "url": ("scanner.verify.protocols.verifier", "scanner.verify.web.verifier"),
}


def verifiers_of(provider: str) -> Iterator[Verifier]:
    """
    Yield the verifiers in code of one provider, importing what they need.

    A verifier whose extra is not installed is left out.
    """
    for module in VERIFIERS.get(provider, ()):
        try:
            made = importlib.import_module(module).verifier()
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.startswith("scanner."):
                raise
            continue
        yield cast("Verifier", made)
