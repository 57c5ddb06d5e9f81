"""
The hooks of the engine, and the ordered table of those who use them.

Two kinds of code look at bytes beside the rules' own patterns.  A *detector*
finds matches that no single pattern can tell (a sealed file, a private key, an
assignment that is judged by its score).  A *deriver* undoes a coding or opens a
container and hands back texts that are scanned like any other.

Both say by expressions where they want to be asked.  These run with all rules
in one pass over a whole batch, so code is called for documents in which
something hit, never for others.  Nothing is discovered: who is not in the
tables below does not run.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from scanner.model import Companion, Document, SealRecord
from scanner.records import dataclass
from scanner.ruleset.schema import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    r"""
    What the first pass looks for on behalf of a detector or deriver.

    Every hit is a call into Python, so let it *end early and once*: `password=\S{8}`
    and not `password=\S{8,}`, which hits at each further byte.  A dot matches
    every byte.  There are no captures, lookarounds or back references, and `^`
    is the start of a batch, not of a document: use `within`.
    """

    pattern: bytes
    """Hyperscan's syntax (PCRE without the above), for bytes: ASCII, other bytes as `\\xNN`."""

    tag: int = 0
    """Comes back with each hit, so that one detector can tell its expressions apart."""

    caseless: bool = False
    within: int | None = None
    """Only hits that *end* within so many bytes of the document's start count (magic numbers)."""


class Text(Protocol):
    """
    A document in which something hit.
    """

    @property
    def data(self) -> bytes:
        """The whole text (one copy, made when first asked for)."""
        ...

    @property
    def document(self) -> Document:
        """What is known of it; `path` is often `None` while history is read."""
        ...

    @property
    def hits(self) -> Sequence[tuple[int, int]]:
        """`(end offset in data, tag)` of each hit, ascending and without repeats."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    What a detector found; the engine gives it its position and settles overlaps.
    """

    text: Text
    rule_id: str
    """A rule with this detector's name; dropped if the run did not select it."""

    start: int
    end: int
    """Byte offsets of the secret in `text.data`, half-open."""

    secret: bytes | None
    """Usually `data[start:end]`; may differ (unescaped), `None` for a match about a file."""

    score: float = 1.0
    reasons: tuple[str, ...] = ()
    features: tuple[float, ...] | None = None
    companions: tuple[Companion, ...] = ()
    seal: SealRecord | None = None
    proven: bool = False
    public: bool = False
    """It is no finding but a certificate or a public key."""

    generic: bool = False
    """Gives way to any other match on the same bytes."""


@dataclass(frozen=True, slots=True)
class Public:
    """
    Where a certificate or public key stands: no finding, but private keys may belong to it.
    """

    document: Document
    line: int


def may_prove(rule_id: str) -> bool:
    """
    Whether a match under this rule is one that something can be proven of.
    """
    return "jwt" in rule_id or rule_id.startswith("private-key") or rule_id == "aws-access-key-id"


class Detector(Protocol):
    """
    Code behind a rule's `detector:`.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """Where it wants to be asked."""
        ...

    def detect(self, texts: Sequence[Text]) -> Iterable[Candidate]:
        """
        Look at all documents of a batch in which an expression hit, in one call.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """
    A text that was made from another.
    """

    data: bytes
    decoded: tuple[str, ...] = ()
    """Codings undone here, outermost first (`base64`, `utf-16-le`, …)."""

    inner_path: tuple[str, ...] = ()
    """Members opened here, outermost first; with any, findings have no line."""

    start: int | None = None
    """Where the encoded run starts in the parent: findings get this line; `None`: no line."""

    end: int | None = None
    """Where the encoded run ends in the parent, exclusive."""

    same_lines: bool = False
    """It is the whole parent in another encoding (UTF-16): its own lines are the file's lines."""


class Budget(Protocol):
    """
    What one outermost document may still cost, shared by all that is derived from it.
    """

    @property
    def depth(self) -> int:
        """How many derivations led here; 0 for a document of a source."""
        ...

    @property
    def bytes_left(self) -> int:
        """How many derived bytes are still allowed: give up *before* inflating more."""
        ...

    def limit(self, name: str, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        """Report that a bound bit and something was left out."""
        ...

    def unread(self, reason: str, inner_path: tuple[str, ...] = ()) -> None:
        """Report a container or member that could not be read."""
        ...


class Deriver(Protocol):
    """
    A decoder or a reader of documents and archives.
    """

    @property
    def expressions(self) -> Sequence[Expression]:
        """Where it wants to be asked."""
        ...

    def derive(self, text: Text, budget: Budget) -> Iterable[Derived]:
        """
        Yield the texts that follow from `text`; the engine scans them, takes their
        size off the budget, and stops asking when it is used up.
        """
        ...


@runtime_checkable
class AnchoredDeriver(Deriver, Protocol):
    """
    A deriver that is asked where the rules' anchors stand in coded form.
    """

    def anchored(self, anchors: Iterable[str]) -> Sequence[Expression]:
        """Return where to ask, beside `expressions`, for these anchors."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    One candidate of a rule whose shape proves little, for the confidence score.
    """

    value: bytes
    before: bytes
    """Up to 200 bytes before the value."""

    after: bytes
    """Up to 100 bytes after it."""

    path: bytes | None
    rule: Rule
    words: tuple[str, ...] = ()
    """Provider words of a keyed rule that stand before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """
    What the score says of one piece of evidence.
    """

    score: float
    reasons: tuple[str, ...] = ()
    features: tuple[float, ...] | None = None


class Judge(Protocol):
    """
    The confidence score, asked once for all evidence of a batch.
    """

    def judge(self, evidence: Sequence[Evidence]) -> Sequence[Judgement]:
        """Return one judgement for each piece of evidence, in order."""
        ...


# In order: name (as rules write it in `detector:`) and the module with a
# `DETECTOR`, or for derivers a `DERIVER`.  Modules are named and not imported:
# a warm cache knows their expressions, and one that never hits is never loaded.
JUDGE = "scanner.detect.score"  # with a `JUDGE`
DETECTORS: dict[str, str] = {
    "generic": "scanner.detect.generic",
    "sealed": "scanner.detect.sealed.detector",
}
DERIVERS: dict[str, str] = {
    name: f"scanner.detect.decode.{name}"
    for name in (
        "base64_runs",
        "hex_runs",
        "escapes",
        "wide_text",
        "encoded_values",
        "joined_literals",
        "notebook",
        "office_text",
        "pdf_text",
        "sqlite_rows",
        "bytecode",
        "png_text",
        "compressed",
        "zip_members",
        "tar_members",
        "package_members",
        "sevenzip_members",
    )
}


def load_detector(name: str) -> Detector:
    """
    Return the detector of this name.
    """
    detector: Detector = importlib.import_module(DETECTORS[name]).DETECTOR
    return detector


def load_judge() -> Judge | None:
    """
    Return the confidence score, `None` where there is none to load.
    """
    judge: Judge | None = getattr(importlib.import_module(JUDGE), "JUDGE", None)
    return judge


def load_deriver(name: str) -> Deriver:
    """
    Return the deriver of this name.
    """
    deriver: Deriver = importlib.import_module(DERIVERS[name]).DERIVER
    return deriver
