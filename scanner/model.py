"""
The nouns of the domain, frozen.  Data flows one way through them:
`Batch` (sources) → `Match` (detect) → `Finding` (triage) → report.
"""

from __future__ import annotations

import enum

from scanner.records import dataclass, field
from scanner.secret import Secret


class Place(enum.Enum):
    """
    Where in a repository or on disk a text was read.
    """

    BLOB = "blob"
    PATH = "path"
    SYMLINK = "symlink"
    COMMIT_MESSAGE = "commit-message"
    COMMIT_IDENTITY = "commit-identity"
    COMMIT_HEADER = "commit-header"
    TAG_MESSAGE = "tag-message"
    TAG_IDENTITY = "tag-identity"
    NOTE = "note"
    REFLOG = "reflog"
    REF_NAME = "ref-name"
    GIT_CONFIG = "git-config"
    LFS_OBJECT = "lfs-object"
    INDEX = "index"
    FILE = "file"
    STDIN = "stdin"


class Severity(enum.IntEnum):
    """
    What an attacker gains.
    """

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The word used in rules and reports."""
        return self.name.lower()


MEDIUM_FROM, HIGH_FROM = 0.5, 0.75
"""Below even odds precision falls faster than recall grows (docs/model-card.md)."""


class Confidence(enum.IntEnum):
    """
    How sure we are that it is a credential; cut from the score.
    """

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The word used in rules and reports."""
        return self.name.lower()

    @classmethod
    def of(cls, score: float) -> Confidence:
        """
        Return the band of a score between 0 and 1.
        """
        if score < MEDIUM_FROM:
            return cls.LOW
        return cls.MEDIUM if score < HIGH_FROM else cls.HIGH


class Status(enum.Enum):
    """
    What the issuer said about a credential.
    """

    ACTIVE = "active"
    """The issuer accepted it."""

    INACTIVE = "inactive"
    """The issuer knows the kind and refused it in so many words."""

    UNKNOWN = "unknown"
    """We asked and learned nothing: timeout, rate limit, unexpected reply."""

    NOT_TRIED = "not-tried"
    """Verification was off, or no check takes this rule."""


@dataclass(frozen=True, slots=True)
class Document:
    """
    One text that is scanned in one go: a blob, a message, a file, a name.
    """

    place: Place
    path: bytes | None = None
    """From the root, `/`-separated; `None` where a blob's path is not known yet."""

    blob: str | None = None
    """Id of the git object that holds the text (blob, commit or tag)."""

    inner_path: tuple[str, ...] = ()
    """Members of archives, outermost first."""

    decoded: tuple[str, ...] = ()
    """Codings undone, outermost first."""

    offset: int = 0
    """Where it starts in its object, of which it is a part."""


@dataclass(frozen=True, slots=True)
class Position:
    """
    Lines and columns for a person, from 1; columns in characters of the decoded text.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    """One past the last character."""


@dataclass(frozen=True, slots=True)
class Companion:
    """
    A value that belongs to a secret: the id of a key, the host of a password.
    """

    name: str
    value: Secret
    rule_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRecord:
    """
    What a checker says of one sealed or sealable file or inline value (CONTRACT.md, "Seals").
    """

    format: str
    state: str
    """`sealed`, `partly-sealed`, `fake`, `broken`, `plaintext` or `reference`."""

    reason: str
    line: int = 1
    version: str | None = None
    label: str | None = None
    recipients: tuple[str, ...] = ()
    detail: tuple[tuple[str, str], ...] = ()
    """Further facts by name, never a secret."""

    path: bytes | None = None
    blob: str | None = None
    inner_path: tuple[str, ...] = ()
    sample: bool = False
    """Every value that lies open in it stands for a credential and is none: no report tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """
    What detection saw at one position of one document.
    """

    rule_id: str
    secret: Secret | None
    """`None` for a match about a file and not a value."""

    document: Document
    position: Position | None
    """`None` where the outer file has no lines (an archive member)."""

    start: int = 0
    end: int = 0
    """Byte offsets in the document's text, half-open."""

    score: float = 1.0
    """Probability, 0 to 1, that this is a credential; the path's share comes when it is known."""

    reasons: tuple[str, ...] = ()
    """Why the score is what it is, for a person; never holds the secret."""

    features: tuple[float, ...] | None = None
    """What `detect.score` needs to score again with a path; `None` if the path has no say."""

    companions: tuple[Companion, ...] = ()
    allow: str | None = None
    """The inline suppression comment that stands on its line, if any (text after the marker)."""

    peer_marker: str | None = None
    """Another scanner's marker on its line, if any; counts on request alone."""

    seal: SealRecord | None = None
    nudge: float = 0.0
    """What offline proof adds to the score, or takes off it, whatever the path says."""

    proven: bool = False
    """An offline proof (checksum, parsed key, signature) says that it is real."""


@dataclass(frozen=True, slots=True)
class Identity:
    """
    An author: name and e-mail as git has them, U+FFFD for what is not UTF-8.
    """

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """
    One place where a secret came in (CONTRACT.md, "occurrences").
    """

    place: Place
    path: bytes | None = None
    inner_path: tuple[str, ...] = ()
    decoded: tuple[str, ...] = ()
    position: Position | None = None
    blob: str | None = None
    commit: str | None = None
    author: Identity | None = None
    date: str | None = None
    """The author's date, ISO 8601 with `Z`."""

    reachable: bool | None = None
    in_head: bool | None = None
    line_in_head: bool | None = None
    """HEAD has it not only at this path but at this very line and column."""

    removed_at: str | None = None
    """When the path at HEAD stopped holding it (author's date), where known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """
    The issuer's answer about one finding.
    """

    status: Status = Status.NOT_TRIED
    checked_at: str | None = None
    identity: str | None = None
    scopes: tuple[str, ...] = ()
    created_at: str | None = None
    last_used_at: str | None = None
    expires_at: str | None = None
    rotated_at: str | None = None
    reason: str | None = None
    rights: tuple[str, ...] = ()
    """The least-privilege view: granted rights in plain words, dangerous ones first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """
    Why a finding does not count: what waved it through, and until when.
    """

    by: str
    """`baseline`, `comment`, `peer-marker` or `policy`."""

    reason: str | None = None
    until: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One leaked credential under one rule, however often it occurs.
    """

    fingerprint: str
    """32 hex digits; see `triage.fingerprint`."""

    rule_id: str
    provider: str
    title: str
    severity: Severity
    confidence: Confidence
    score: int
    """0 to 100: the calibrated probability in percent."""

    secret: Secret | None
    occurrences: tuple[Occurrence, ...]
    """Never empty; the earliest in history first."""

    remediation: str
    verification: Verification = field(default_factory=Verification)
    score_reasons: tuple[str, ...] = ()
    companions: tuple[Companion, ...] = ()
    suppressed: Suppressed | None = None
    seal: SealRecord | None = None

    def __post_init__(self) -> None:
        if not self.occurrences:
            raise ValueError(f"finding {self.fingerprint} has no occurrence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """
    An input that could not be read, or not whole.
    """

    place: Place
    reason: str
    path: bytes | None = None
    blob: str | None = None
    inner_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """
    A bound that bit: what it is called, where, and what was left out.
    """

    name: str
    reason: str
    path: bytes | None = None
    blob: str | None = None
    inner_path: tuple[str, ...] = ()


@dataclass(slots=True)
class KindCount:
    """
    How many objects of one kind were read, skipped (by reason) or unreadable, and their bytes.
    """

    read: int = 0
    bytes: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0


@dataclass(slots=True)
class Coverage:
    """
    What a run looked at, by kind (`blob`, `tree`, `commit`, `file`, …); filled by the sources.
    """

    kinds: dict[str, KindCount] = field(default_factory=dict)

    def kind(self, name: str) -> KindCount:
        """
        Return the count of one kind, made on first use.
        """
        return self.kinds.setdefault(name, KindCount())


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    What was asked of this run.
    """

    command: str
    target: str
    """As the user named it, without credentials of a URL."""

    version: str
    rules_digest: str
    head: str | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    Everything a report format may say about one run.
    """

    run: Run
    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...]
    limits: tuple[Limit, ...]
    seals: tuple[SealRecord, ...] = ()
    coverage: Coverage
    seconds: float
    complete: bool
    suppressed: int = 0
    notices: tuple[str, ...] = ()
    """One-line remarks for the user (an expired baseline entry, a depth that lacks)."""
