"""
What is judged by a file's name: files that must be sealed by their kind, or by the policy.

The engine's first pass cannot call for these, since their texts need not hold
any literal; and only who knows paths can ask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scanner.file_names import POLICY_FILES, rough
from scanner.model import Document, Match, Place, Position
from scanner.policy.model import Policy
from scanner.sources.batch import Batch
from scanner.sources.policy_texts import opened_filters, policy_texts

_FILES = frozenset({Place.FILE, Place.INDEX, Place.BLOB, Place.LFS_OBJECT})


@dataclass(slots=True)
class ByName:
    """
    Looks at batches whose documents have paths; keeps what a policy's notices need.
    """

    takes: Callable[[str], bool]
    """Whether the run selected a rule."""

    policy: Policy | None = None
    keep: re.Pattern[bytes] | None = None
    """Paths to remember in `kept`."""

    kept: list[bytes] = field(default_factory=list)
    paths: set[bytes] = field(default_factory=set)
    """What was looked at, to tell a policy's pattern that fits nothing."""

    def matches(self, batch: Batch) -> Iterator[Match]:
        """
        Yield what is wrong with files because of their names.
        """
        return (match for match in self._all(batch) if self.takes(match.rule_id))

    def _all(self, batch: Batch) -> Iterator[Match]:
        for index, (start, end) in enumerate(zip(batch.starts, batch.ends, strict=True)):
            document = batch.document(index)
            path = document.path
            if path is None or document.place not in _FILES or document.inner_path:
                continue
            if self.keep is not None and self.keep.fullmatch(path):
                self.kept.append(path)
            if rough(path):
                from scanner.detect.sealed.detector import matches_by_name  # noqa: PLC0415

                yield from matches_by_name(bytes(batch.data[start:end]), document)
            if self.policy is not None:
                self.paths.add(path)
                if asked(self.policy, path):
                    yield from _violations(self.policy, document, bytes(batch.data[start:end]))

    def notices(self) -> list[str]:
        """
        Return what the policy's author should know.
        """
        if self.policy is None:
            return []
        from scanner.policy.evaluation import unmatched  # noqa: PLC0415

        return [*self.policy.notices, *unmatched(self.policy, self.paths)]


def policy_of(texts: Mapping[bytes, bytes]) -> Policy | None:
    """
    Return the policy of a repository, `None` where no file states one.

    `texts` has those of `POLICY_FILES` that lie at its root.  Raise `ConfigError`
    if `.unsealed.yml` cannot be understood.
    """
    if not texts:
        return None
    from scanner.policy.imports import import_policy  # noqa: PLC0415
    from scanner.policy.loading import load_policy  # noqa: PLC0415

    policy = Policy()
    for name, text in texts.items():
        if name == POLICY_FILES[0]:
            policy = policy.joined(load_policy(text))
        else:
            policy = policy.joined(import_policy(name, text))
    return policy


def policy_of_folder(roots: Sequence[str]) -> Policy | None:
    """
    Return the policy of a folder as it lies there: `policy_of`, without what a filter of git that
    is at work here has laid open.
    """
    policy = policy_of(policy_texts(roots))
    if policy is None or not policy.must_seal:
        return policy
    opened = opened_filters(Path(roots[0]))
    kept = tuple(rule for rule in policy.must_seal if not opened.intersection(rule.formats))
    if len(kept) == len(policy.must_seal):
        return policy
    names = " and ".join(sorted(opened))
    notice = f"{names} is unlocked here: `unsealed staged` and `unsealed audit` judge what is kept"
    return replace(policy, must_seal=kept, notices=(*policy.notices, notice))


def asked(policy: Policy, path: bytes) -> bool:
    """
    Whether a policy has anything to say about a path.
    """
    name = path.decode("utf-8", "replace")
    patterns = [rule.pattern for rule in policy.must_seal]
    patterns += [rule.pattern for rule in policy.forbidden]
    return any(pattern.fullmatch(name) for pattern in patterns)


def _violations(policy: Policy, document: Document, data: bytes) -> Iterator[Match]:
    from scanner.detect.sealed.detector import rule_id  # noqa: PLC0415
    from scanner.detect.sealed.registry import seal_records  # noqa: PLC0415
    from scanner.policy.evaluation import demanded, evaluate  # noqa: PLC0415

    path = document.path or b""
    records = seal_records(data, path)
    for record in demanded(policy, path, data, records):
        rule = rule_id(record)
        if rule is not None:
            yield Match(
                rule_id=rule,
                secret=None,
                document=document,
                position=Position(record.line, 1, record.line, 2),
                reasons=(record.reason,),
                seal=replace(record, blob=document.blob),
                proven=True,
            )
    for found in evaluate(policy, path, data, records):
        owner = () if found.owner is None else (f"owner: {found.owner}",)
        yield Match(
            rule_id=found.rule_id,
            secret=None,
            document=document,
            position=Position(found.line, 1, found.line, 2),
            reasons=(found.reason, *owner),
            seal=None if found.seal is None else replace(found.seal, blob=document.blob),
            proven=True,
        )
