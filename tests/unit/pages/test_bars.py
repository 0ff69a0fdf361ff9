"""Bars: as long as what they show, and said in words where there are none; and tenths between deciles."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from api.pages.bars import Bar, Bunch, Part, bars
from api.pages.style import ABOVE, AT, BELOW
from projections.benchmarks.comparing import Tenths, Told, tenths


def drawn(*of: Bar) -> tuple[list[float], list[str]]:
    """The widths of the parts of a chart, and its words."""
    svg = bars("chart", "How they stood", "In words", [Bunch("Year 3", of)])
    assert svg is not None
    elements = list(ElementTree.fromstring(svg).iter())
    widths = [
        float(each.get("width", 0)) for each in elements if each.tag == "rect" and each.get("fill") != "none"
    ]
    return widths, [each.text or "" for each in elements if each.tag == "text"]


def test_parts_are_as_long_as_their_shares() -> None:
    parts = [Part(0.25, "25%", BELOW), Part(0.5, "50%", AT), Part(0.25, "25%", ABOVE)]
    widths, words = drawn(Bar("Your school", parts))
    assert widths[1] == 2 * widths[0] == 2 * widths[2]
    assert words == ["Year 3", "Your school", "25%", "50%", "25%"]


def test_a_part_that_is_too_short_has_no_number() -> None:
    widths, words = drawn(
        Bar("Your school", [Part(0.0, "0%", BELOW), Part(0.02, "2%", AT), Part(0.98, "98%", ABOVE)])
    )
    assert len(widths) == 2
    assert words[2:] == ["98%"]


def test_what_is_suppressed_has_words_in_place_of_a_bar() -> None:
    widths, words = drawn(
        Bar("All schools", [], "c: suppressed"), Bar("Your school", [Part(1.0, "100%", AT)])
    )
    assert len(widths) == 1
    assert "c: suppressed" in words


def test_without_any_bar_there_is_no_chart() -> None:
    assert bars("chart", "T", "D", [Bunch("Year 3", [Bar("All schools", [], "c: suppressed")])]) is None


DECILES = ["0.1", "0.2", None, "0.4", "0.5", "0.6", "0.7", "0.8", None]


@pytest.mark.parametrize(
    ("value", "lowest", "highest"),
    [("0", 1, 1), ("0.1", 2, 2), ("0.15", 2, 2), ("0.3", 3, 4), ("0.4", 5, 5), ("0.79", 8, 8), ("1", 9, 10)],
)
def test_a_value_lies_in_a_tenth_as_far_as_deciles_are_told(value: str, lowest: int, highest: int) -> None:
    told = [Told(Decimal(each) if each else None, None if each else "c") for each in DECILES]
    assert tenths(told, Decimal(value)) == Tenths(lowest, highest)
