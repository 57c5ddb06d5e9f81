"""
One SARIF result for each finding: anchor, other places, life of the secret.
"""

from __future__ import annotations

from collections.abc import Mapping

import sarif_om

from scanner.model import Finding, Occurrence, Position, Status
from scanner.report import words
from scanner.report.path_text import uri_of, visible, visible_path
from scanner.report.sarif_anchor import FIRST_LINE, Anchor, Anchors
from scanner.report.sarif_rules import level, rule_id

_ID_SHOWN = 12
_RANK_OF_A_LIVE_ONE = 100.0


def result_of(
    finding: Finding, anchors: Anchors, index: Mapping[str, int], *, locations: int
) -> sarif_om.Result:
    """
    Return the result for one finding with at most `locations` other places.
    """
    anchor = anchors.of(finding)
    others = [one for one in finding.occurrences if one is not anchor.occurrence and one.path]
    name = rule_id(finding)
    return sarif_om.Result(
        rule_id=name,
        rule_index=index[name],
        level=level(finding),
        rank=_rank(finding),
        message=sarif_om.Message(text=_message(finding, anchor)),
        locations=[_location(anchor.path, anchor.position)],
        related_locations=[
            _location(other.path or b"", other.position or FIRST_LINE, _about(other), number)
            for number, other in enumerate(others[:locations], start=1)
        ]
        or None,
        code_flows=_life(finding, anchor, locations),
        partial_fingerprints={
            "primaryLocationLineHash": anchor.line_hash,
            "unsealed/v1": finding.fingerprint,
        },
        occurrence_count=len(finding.occurrences),
        properties={
            "confidence": finding.confidence.label,
            "score": finding.score,
            "severity": finding.severity.label,
            "verification": finding.verification.status.value,
        },
    )


def _rank(finding: Finding) -> float:
    live = finding.verification.status is Status.ACTIVE
    return _RANK_OF_A_LIVE_ONE if live else float(min(max(finding.score, 0), 100))


def _message(finding: Finding, anchor: Anchor) -> str:
    # Lists show the first sentence alone, so it has to say what and where.
    first = finding.occurrences[0]
    title = visible(finding.title).rstrip(".")
    shown = _escaped(words.shown(finding))
    head = f"{title} ({shown})" if shown else title
    if anchor.occurrence is None:
        head += f" leaked in history at {_escaped(words.where(first))}"
        came = words.came_in(first, person=False)
        head += f", commit {_escaped(came)}" if came else ""
        head += "; no file of the checkout holds it, this line stands for it."
    else:
        head += " is readable here."
    said = [head]
    if finding.verification.status is not Status.NOT_TRIED:
        said.append(f"Issuer: {words.status(finding.verification)}.")
    why = words.why(finding)
    if why:
        said.append(f"{_escaped(words.begun(why))}.")
    if len(finding.occurrences) > 1:
        said.append(f"It stands in {words.counted(len(finding.occurrences), 'place')}.")
    said.append(f"Id {finding.fingerprint[:_ID_SHOWN]}.")
    return " ".join(said)


def _life(finding: Finding, anchor: Anchor, locations: int) -> list[sarif_om.CodeFlow] | None:
    """
    Return the way of a secret through the history: introduced, copied, still there or gone.
    """
    told = [one for one in finding.occurrences if one.path and one.commit]
    if not told or (len(told) == 1 and anchor.occurrence is told[0]):
        return None
    steps = []
    for number, one in enumerate(told[:locations]):
        word = "Introduced" if number == 0 else "Copied or added again"
        text = f"{word}: {_about(one)}"
        steps.append(_location(one.path or b"", one.position or FIRST_LINE, text))
    end = (
        "Still here." if anchor.occurrence is not None else "Gone from the checkout, not from git."
    )
    steps.append(_location(anchor.path, anchor.position, end))
    flow = [sarif_om.ThreadFlowLocation(location=step) for step in steps]
    return [sarif_om.CodeFlow(thread_flows=[sarif_om.ThreadFlow(locations=flow)])]


def _about(occurrence: Occurrence) -> str:
    # Commit and day, but neither name nor e-mail: everyone with access to the tab reads it.
    said = [words.where(occurrence), words.came_in(occurrence, person=False)]
    said.append(words.state(occurrence))
    return _escaped(", ".join(one for one in said if one))


def _location(
    path: bytes, position: Position, text: str | None = None, number: int | None = None
) -> sarif_om.Location:
    location = sarif_om.Location(
        physical_location=sarif_om.PhysicalLocation(
            artifact_location=sarif_om.ArtifactLocation(uri=uri_of(path)),
            region=sarif_om.Region(
                start_line=position.line,
                start_column=position.column,
                end_line=position.end_line,
                end_column=_end_column(position),
            ),
        ),
        message=None if text is None else sarif_om.Message(text=text or visible_path(path)),
    )
    if number is not None:
        location.id = number
    return location


def _end_column(position: Position) -> int:
    if position.end_line > position.line:
        return max(position.end_column, 1)
    return max(position.end_column, position.column + 1)


def _escaped(text: str) -> str:
    # `[a](1)` in a message is a link; a file name is none.
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
