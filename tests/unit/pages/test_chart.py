"""Charts, and how pages look: everything inside the frame, names where there is room, and enough contrast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import style
from api.pages.chart import HEIGHT, NARROW, WIDE, Aim, Dot, chart, labels_of
from api.pages.markup import Markup, page, table, tag, text
from api.pages.words import GROUPS, REASONS, VERDICTS, pupils, signed, subject_of, value_of
from api.progress_bodies import PointBody
from domain.academic_year import HALF_TERMS, TERMS, AssessmentPoint, Term, WholeYear
from domain.progress.gains import Reason, Verdict
from domain.progress.groups import Group
from domain.schemes.catalogue import STEPS

LABELS = labels_of(STEPS, STEPS)


def dots(
    points: Sequence[float | None], terms: Sequence[Term] = TERMS, *, expected: bool = True
) -> list[Dot]:
    """Dots at one term after the other."""
    return [
        Dot(
            PointBody.of(AssessmentPoint(2020 + number // len(terms), terms[number % len(terms)])),
            each,
            "" if each is None else f"{each:g}",
            (number * 2 + 1.0, number * 2 + 2.0) if expected else None,
        )
        for number, each in enumerate(points)
    ]


def drawn(some: Sequence[Dot], width: int = NARROW) -> ElementTree.Element:
    made = chart("a", "A title", "A description", some, LABELS, width=width)
    assert made is not None
    return ElementTree.fromstring(made)


def texts(svg: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in svg.iter("text")]


def outside(svg: ElementTree.Element, width: int) -> list[float]:
    """Coordinates that lie outside the frame."""
    across = [float(each.get(name, 0)) for each in svg.iter() for name in ("x", "cx", "x1", "x2")]
    down = [float(each.get(name, 0)) for each in svg.iter() for name in ("y", "cy", "y1", "y2")]
    for each in svg.iter():
        for pair in each.get("points", "").split():
            x, y = pair.split(",")
            across.append(float(x))
            down.append(float(y))
    return [x for x in across if not 0 <= x <= width] + [y for y in down if not 0 <= y <= HEIGHT]


values = st.none() | st.floats(1, 36)


@given(st.lists(values, min_size=1, max_size=36), st.sampled_from([TERMS, HALF_TERMS]), st.booleans())
def test_everything_lies_inside_the_frame(
    points: list[float | None], terms: tuple[Term, ...], expected: bool
) -> None:
    some = dots(points, terms, expected=expected)
    for width in (NARROW, WIDE):
        if all(each is None for each in points):
            assert chart("a", "A title", "A description", some, LABELS, width=width) is None
            continue
        svg = drawn(some, width)
        assert outside(svg, width) == []
        assert len(list(svg.iter("circle"))) == sum(each is not None for each in points)
        assert bool(list(svg.iter("polygon"))) == expected


def test_a_dot_outside_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin."""
    monkeypatch.setattr("api.pages.chart._Frame.across", lambda _, time: NARROW + time)
    assert outside(drawn(dots([1.0, 2.0])), NARROW)


def aims(*points: float | None, first: int = 2021) -> list[Aim]:
    """Targets at the end of one year after the other."""
    return [
        Aim(PointBody.of(AssessmentPoint(first + number, Term.SUMMER)), each, f"{each}")
        for number, each in enumerate(points)
    ]


def diamonds(svg: ElementTree.Element) -> list[tuple[float, float]]:
    """The middles of the targets."""
    found = []
    for each in svg.iter("path"):
        if each.get("stroke") == style.TARGET:
            x, top = each.get("d", "")[1:].partition("L")[0].split()
            found.append((float(x), float(top) + 8))
    return found


@given(st.lists(values, max_size=12), st.lists(values, min_size=1, max_size=6), st.booleans())
def test_targets_lie_inside_the_frame(
    points: list[float | None], targets: list[float | None], expected: bool
) -> None:
    for width in (NARROW, WIDE):
        made = chart(
            "a", "A title", "A description", dots(points, expected=expected), LABELS,
            width=width, aims=aims(*targets),
        )  # fmt: skip
        if all(each is None for each in (*points, *targets)):
            assert made is None
            continue
        svg = ElementTree.fromstring(str(made))
        assert outside(svg, width) == []
        middles = diamonds(svg)
        assert len(middles) == sum(each is not None for each in targets)
        assert all(8 <= x <= width - 8 and 8 <= y <= HEIGHT - 8 for x, y in middles)


def test_a_target_lies_where_a_result_that_reaches_it_does() -> None:
    reached = dots([1.0, 2.0, 9.0])
    made = chart("a", "A title", "A description", reached, LABELS, aims=aims(9.0, 12.0, first=2020))
    svg = ElementTree.fromstring(str(made))
    first, second = diamonds(svg)
    last = list(svg.iter("circle"))[-1]
    assert first == (float(last.get("cx", 0)), float(last.get("cy", 0)))
    assert second[0] > first[0]
    assert second[1] < first[1], "higher, and later"
    assert "12.0" in texts(svg)
    assert "9.0" not in texts(svg), "the result says it already"
    assert texts(svg).count("Summer") == 2, "one label for the result and the target of one term"


def test_terms_are_named_where_there_is_room() -> None:
    assert texts(drawn(dots([1, 3, 5]))).count("Autumn") == 1
    short = texts(drawn(dots(list(range(1, 19))), WIDE))
    assert short.count("Aut") == 6
    assert "2020/21" in short
    assert "2025/26" in short
    crowded = texts(drawn(dots(list(range(1, 37)), HALF_TERMS), WIDE))
    assert "2025/26" in crowded
    assert not [each for each in crowded if each.startswith("Au")]
    halves = texts(drawn(dots([1, 2, 3], HALF_TERMS)))
    assert "Autumn 1" in halves
    year = Dot(PointBody.of(WholeYear(2020)), 100.0, "100", (100.0, 120.0))
    assert "Year" in texts(drawn([year]))


def test_time_runs_evenly() -> None:
    """A term without a result leaves its room."""
    first, _, third, fourth = dots([1, 2, 3, 4])
    places = [float(each.get("cx", 0)) for each in drawn([first, third, fourth]).iter("circle")]
    gaps = [after - before for before, after in pairwise(places)]
    assert gaps[0] == pytest.approx(2 * gaps[1], abs=0.2)


def test_the_axis_has_the_values_of_the_scheme() -> None:
    shown = texts(drawn(dots([13, 15, 17])))
    assert set(shown) & set(LABELS.values())
    assert LABELS[13] == "3b"


def test_what_is_text_stays_text() -> None:
    hostile = "</td><script>alert('&')</script>"
    assert "<script>" not in tag("p", hostile, title=hostile)
    assert text(Markup("<b>")) == "<b>"
    made = page(hostile, table(hostile, [hostile], [[hostile]]))
    assert "<script>" not in made
    assert made.count("&lt;script&gt;") == 4
    assert tag("p", None, lang=None) == "<p></p>"
    assert "–" in table("A caption", ["A", "B"], [["a", None]])


def test_everything_has_a_name_for_people() -> None:
    assert GROUPS.keys() == set(Group)
    assert VERDICTS.keys() == set(Verdict)
    assert REASONS.keys() == set(Reason)
    assert value_of(Group.SEX, "F") == "Female"
    assert value_of(Group.SEN, "plan") == "EHC plan or statement"
    assert value_of(Group.CLASS, "Oak") == "Oak"
    assert value_of(Group.EAL, "not-known") == "not known"
    assert subject_of(STEPS, "MAT") == "Mathematics"
    assert subject_of(STEPS, "???") == "???"
    assert (pupils(1), pupils(2)) == ("1 pupil", "2 pupils")
    assert [signed(each) for each in (4, -1, 0, 2.5, -0.25, None)] == ["+4", "−1", "0", "+2.50", "−0.25", "–"]


def luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_and_lines_stand_out() -> None:
    of_text = set(re.findall(r"(?<![-\w])color: (#[0-9a-f]{6})", style.STYLE)) | {style.INK}
    assert len(of_text) >= 2
    assert all(contrast(colour, "#ffffff") >= 7 for colour in of_text)
    assert contrast(style.INK, style.BAND) >= 7
    assert contrast(style.LINE, "#ffffff") >= 4.5
    assert contrast(style.LINE, style.BAND) >= 3
    assert contrast(style.BAND_EDGE, "#ffffff") >= 3
    assert contrast("#999999", "#ffffff") < 7, "what is pale would be noticed"
