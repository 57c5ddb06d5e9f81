"""
The pictures of the HTML page, as inline SVG without script: bars and the timeline.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from scanner.model import Finding
from scanner.report.order import in_head
from scanner.report.path_text import visible
from scanner.report.words import where

_WIDTH, _LEFT, _RIGHT = 1040, 230, 24
_LANE, _HISTOGRAM, _TOP = 22, 90, 22
_LANES_SHOWN = 30
_BINS_MOST = 48
_TICKS = 6
_COPIES_SHOWN = 200
_NAME_LIMIT = 32
_SECONDS_OF_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Life:
    """
    When one secret came in, was copied, and whether it is still there; times in seconds.
    """

    title: str
    place: str
    """Where it came in first: of many secrets of one kind, the kind tells none apart."""

    severity: str
    times: tuple[float, ...]
    still: bool
    gone: float | None


def life_of(finding: Finding) -> Life | None:
    """
    Return the life of a secret, or `None` if no date is known.
    """
    known = [when(one.date) for one in finding.occurrences]
    times = sorted(time for time in known if time is not None)
    if not times:
        return None
    # A place that HEAD never held has no end, and says nothing of when the others ended.
    ends = [when(one.removed_at) for one in finding.occurrences]
    gone = [time for time in ends if time is not None]
    still = in_head(finding)
    last = None if still else max(gone, default=None)
    place = where(finding.occurrences[0])
    severity = finding.severity.label
    return Life(visible(finding.title), place, severity, tuple(times), still, last)


def when(date: str | None) -> float | None:
    """
    Return an ISO date in seconds, `None` if it is absent or is none.
    """
    if date is None:
        return None
    try:
        parsed = dt.datetime.fromisoformat(date.replace("Z", "+00:00"))
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=dt.timezone.utc)
    return parsed.timestamp()


def day(seconds: float) -> str:
    """
    Return the day of a time.
    """
    return _date(seconds).strftime("%Y-%m-%d")


def bar(share: float, kind: str = "accent") -> str:
    """
    Return a horizontal bar, `share` from 0 to 1 of its cell.
    """
    width = max(1.0, min(100.0, share * 100))
    return (
        '<svg class="bars" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="f-{kind}" x="0" y="4" width="{width:.1f}" height="7" rx="1"/></svg>'
    )


def timeline(lives: Sequence[Life]) -> str:
    """
    Return the chart of secrets coming in (and going), with a lane for each of the first.
    """
    if not lives:
        return ""
    lanes = sorted(lives, key=lambda life: life.times[0])[:_LANES_SHOWN]
    first = min(life.times[0] for life in lives)
    last = max(max(life.times[-1], life.gone or 0.0) for life in lives)
    scale = _Scale(first, max(last, first + _SECONDS_OF_A_DAY))
    height = _TOP + _HISTOGRAM + 34 + _LANE * len(lanes) + 10
    parts = [
        (
            f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img"'
            ' aria-label="When secrets came in and went">'
        )
    ]
    parts += _axis(scale, height)
    parts += _histogram(lives, scale)
    for number, life in enumerate(lanes):
        parts += _lane(life, scale, _TOP + _HISTOGRAM + 40 + _LANE * number)
    return "".join([*parts, "</svg>"])


def lanes_left_out(lives: Sequence[Life]) -> int:
    """
    Return how many lives have no lane.
    """
    return max(0, len(lives) - _LANES_SHOWN)


@dataclass(frozen=True, slots=True)
class _Scale:
    first: float
    last: float

    def x(self, time: float) -> float:
        share = (time - self.first) / (self.last - self.first)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _axis(scale: _Scale, height: int) -> list[str]:
    parts = []
    form = "%Y-%m-%d" if scale.last - scale.first >= _TICKS * _SECONDS_OF_A_DAY else "%m-%d %H:%M"
    for number in range(_TICKS):
        time = scale.first + (scale.last - scale.first) * number / (_TICKS - 1)
        x = scale.x(time)
        anchor = {0: "start", _TICKS - 1: "end"}.get(number, "middle")
        label = _date(time).strftime(form)
        parts.append(
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{height - 6}"/>'
            f'<text class="tick" x="{x:.1f}" y="14" text-anchor="{anchor}">{label}</text>'
        )
    return parts


def _histogram(lives: Sequence[Life], scale: _Scale) -> list[str]:
    days = (scale.last - scale.first) / _SECONDS_OF_A_DAY
    bins = int(max(6, min(_BINS_MOST, days)))
    came, went = [0] * bins, [0] * bins
    for life in lives:
        came[_bin(life.times[0], scale, bins)] += 1
        if life.gone is not None:
            went[_bin(life.gone, scale, bins)] += 1
    most = max([*came, *went])
    floor, span = _TOP + _HISTOGRAM, (_WIDTH - _LEFT - _RIGHT) / bins
    up = _HISTOGRAM - 26
    parts = [
        (
            f'<text class="tick" x="{_LEFT - 10}" y="{floor - up + 8}" text-anchor="end">'
            f"{len(lives):,} secrets came in,</text>"
            f'<text class="tick" x="{_LEFT - 10}" y="{floor - up + 22}" text-anchor="end">'
            f"at most {most:,} at once</text>"
            f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>'
        )
    ]
    for number in range(bins):
        x = _LEFT + span * number
        for count, kind, top in (
            (came[number], "critical", True),
            (went[number], "good", False),
        ):
            if count:
                high = max(2.0, up * count / most) if top else max(2.0, 20 * count / most)
                y = floor - high if top else floor + 1
                parts.append(
                    f'<rect class="f-{kind}" x="{x + 1:.1f}" y="{y:.1f}"'
                    f' width="{max(span - 2, 1):.1f}" height="{high:.1f}" rx="1.5"/>'
                )
    return parts


def _bin(time: float, scale: _Scale, bins: int) -> int:
    return min(bins - 1, int((time - scale.first) / (scale.last - scale.first) * bins))


def _lane(life: Life, scale: _Scale, y: int) -> list[str]:
    name = life.place if len(life.place) <= _NAME_LIMIT else f"…{life.place[1 - _NAME_LIMIT :]}"
    told = f"<title>{escape(life.title)}: {escape(life.place)}</title>"
    start = scale.x(life.times[0])
    if life.still:
        end, dash = float(_WIDTH - _RIGHT), ""
    elif life.gone is not None:
        end, dash = scale.x(life.gone), ""
    else:
        end, dash = scale.x(life.times[-1]) + 18, ' stroke-dasharray="3 3"'
    label = f"{told}{escape(name)}"
    parts = [
        f'<text class="lane" x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{label}</text>',
        (
            f'<line class="s-{life.severity}" x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"'
            f' stroke-width="3" stroke-linecap="round"{dash}/>'
        ),
    ]
    parts += [
        f'<circle class="f-{life.severity}" cx="{scale.x(time):.1f}" cy="{y}" r="4.5">'
        f"<title>{day(time)}</title></circle>"
        for time in sorted(set(life.times))[:_COPIES_SHOWN]
    ]
    if life.still:
        x = _WIDTH - _RIGHT
        parts.append(
            f'<path class="f-{life.severity}" d="M{x} {y - 5}l9 5l-9 5z">'
            "<title>still in HEAD</title></path>"
        )
    elif life.gone is not None:
        parts.append(
            f'<rect class="f-good" x="{end - 2:.1f}" y="{y - 6}" width="4" height="12" rx="1">'
            f"<title>gone from HEAD {day(life.gone)}</title></rect>"
        )
    return parts


def _date(seconds: float) -> dt.datetime:
    # Not `fromtimestamp`: it fails for dates that git happily stores.
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return epoch + dt.timedelta(seconds=seconds)
