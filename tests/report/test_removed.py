"""
When a secret left HEAD, as the page for people tells it.
"""

from __future__ import annotations

import re

import pytest

from scanner.report import html_page, terminal
from scanner.report.html_chart import life_of, when
from scanner.report.options import Options
from tests.report.samples import RULES, finding, occurrence, report

LEFT = "2021-06-30T10:00:00Z"


@pytest.mark.parametrize(
    ("places", "end"),
    [
        pytest.param([{"removed_at": LEFT}], LEFT, id="gone"),
        pytest.param([{"removed_at": LEFT}, {"reachable": False}], LEFT, id="a copy HEAD never had"),
        pytest.param([{"removed_at": LEFT}, {"in_head": True}], None, id="a copy that lives"),
        pytest.param([{}], None, id="not known"),
    ],
)  # fmt: skip
def test_a_life_ends_when_the_last_place_at_head_was_cleaned(places, end):
    occurrences = tuple(occurrence(b"p%d" % n, **one) for n, one in enumerate(places))
    life = life_of(finding(occurrences=occurrences))

    assert life is not None
    assert life.gone == when(end)


@pytest.mark.parametrize("form", [html_page, terminal])
def test_the_day_is_told(form):
    whole = report(finding(occurrences=(occurrence(removed_at=LEFT),)))

    assert "left HEAD 2021-06-30" in form.render(whole, RULES, Options())


def test_a_lane_is_named_by_where_its_secret_came_in():
    whole = report(finding(occurrences=(occurrence(b"deploy/prod.py", removed_at=LEFT),)))
    page = html_page.render(whole, RULES, Options())

    assert "</title>deploy/prod.py:" in page


def test_times_less_than_a_week_apart_are_told_by_the_hour():
    page = html_page.render(report(finding(occurrences=(occurrence(b"a"),))), RULES, Options())
    ticks = re.findall(r'<text class="tick" [^>]*>(\d\d-\d\d[^<]*)<', page)

    assert len(set(ticks)) == len(ticks) == 6
