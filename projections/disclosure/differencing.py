"""What a release tells together with an earlier one of the same table.

All that is kept of an earlier release is what it told. So the difference is looked at as whoever has both
sees
it: between the least and the most that the rounded figures allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import ceil, floor
from typing import NamedTuple

from projections.disclosure.examining import STANDINGS, Examined, Unit
from projections.disclosure.rules import Rules
from projections.disclosure.table import (
    ALL,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    SUPPRESSED,
    Earlier,
    Group,
    Measure,
    Row,
)

Bounds = tuple[int, int]
"""The least and the most that a count can have been."""

NOBODY = Row(
    pupils=NOT_APPLICABLE,
    below=NOT_APPLICABLE,
    at=NOT_APPLICABLE,
    above=NOT_APPLICABLE,
    mean_points=NOT_APPLICABLE,
    progress=NOT_APPLICABLE,
)
"""The row of a category that nobody is in, and that may be told so."""


def told(row: Row, rules: Rules) -> dict[Measure, Bounds]:
    """Between what bounds the true counts lie that a row tells of.

    Args:
        row: As it was released.
        rules: What it was made under.
    """
    if row.pupils == NOT_APPLICABLE:
        return dict.fromkeys(("pupils", *STANDINGS), (0, 0))
    if row.pupils.value is None:
        return {}
    pupils = int(row.pupils.value)
    found: dict[Measure, Bounds] = {"pupils": (max(0, pupils - rules.slack), pupils + rules.slack)}
    for name in STANDINGS:
        figure = row.figure(name)
        share = Decimal(0) if figure.symbol == "low" else figure.value
        if share is not None:
            found[name] = _behind(share, pupils, rules)
    return found


def _behind(share: Decimal, pupils: int, rules: Rules) -> Bounds:
    """The counts that a share can have come from.

    It is of the sum of three rounded counts, which differs from the rounded sum by what was rounded off.
    """
    base, off = rules.rounding_base, 4 * rules.slack
    half = Decimal(1) / (2 * 10**rules.share_decimals)
    found: list[int] = []
    for whole in range(max(base, ceil((pupils - off) / base) * base), pupils + off + 1, base):
        first, last = ceil((share - half) * whole / base), floor((share + half) * whole / base)
        if first <= last:
            found += (first * base, last * base)
    if not found:
        raise ValueError(f"A share of {share} does not go with {pupils} pupils under the rules it came with")
    return max(0, min(found) - rules.slack), max(found) + rules.slack


def telling(earlier: Earlier) -> bool:
    """Whether an earlier release told anything of the table at all: its other rows are part of `all`."""
    return ALL in earlier.rows and earlier.rows[ALL].pupils != SUPPRESSED


def row_of(earlier: Earlier, group: Group) -> Row | None:
    """What an earlier release told of a group; nothing where it did not know the characteristic."""
    if group in earlier.rows:
        return earlier.rows[group]
    known = any(each.characteristic == group.characteristic for each in earlier.rows)
    return NOBODY if known else None


class Compared(NamedTuple):
    """A row beside what an earlier release told of it.

    Attributes:
        grown: Whether so many more pupils have come that the difference may be told.
        quiet: Units that were suppressed then.
        changed: Units whose figures are others, by too little to be told; and why.
    """

    grown: bool
    quiet: set[Unit]
    changed: dict[Unit, str]


QUIET = "was suppressed then, and could be worked out from what has changed little since"
SMALL = "differs from what was told then by too few pupils or schools"
HARDLY_ANY = "tells of those who have come since that hardly any is of a standing"
WHOLE = "the table has changed since, by too little for any of it to be told"


def compare(
    new: Row,
    examined: Examined,
    old: Row,
    rules: tuple[Rules, Rules],
    measures: Mapping[Unit, list[Measure]],
) -> Compared:
    """Holds a row against what an earlier release told of it.

    What was suppressed stays suppressed: the change in between may be known to be small, and then the new
    figure is the old one. What was told may be told again if it is the same to the last digit; or if so many
    more pupils have come, overall and of each standing that has changed for certain, that the difference is
    enough to be told itself, whichever of the schools they belong to.

    Args:
        new: What the row would tell.
        examined: What is behind it.
        old: What the earlier release told.
        rules: What this one is made under, and what the earlier one was.
        measures: Of each unit, those that apply to the table.
    """
    quiet = {
        unit for unit, names in measures.items() if any(old.figure(name) == SUPPRESSED for name in names)
    }
    before, now = told(old, rules[1]), told(new, rules[0])
    changes = {
        name: (now[name][0] - before[name][1], now[name][1] - before[name][0])
        for name in now
        if name in before
    }

    def enough(name: Measure) -> bool:
        """Whether so many pupils have come that no school can be most of them."""
        least, largest = changes[name][0], examined.largest[name]
        return (
            least >= rules[0].minimum_pupils
            and least > (rules[0].minimum_schools - 1) * largest[0]
            and rules[0].concentrated(largest, least) is None
        )

    changed: dict[Unit, str] = {}
    grown = "pupils" in changes and enough("pupils")
    if grown:
        for name in STANDINGS:
            if name in changes and not (changes[name][0] <= 0 <= changes[name][1] or enough(name)):
                changed[Unit.CONTENT] = SMALL
            elif name in changes and changes[name][1] < rules[0].minimum_pupils:
                changed[Unit.CONTENT] = HARDLY_ANY
    else:
        for unit, names in measures.items():
            for name in names:
                was, is_now = old.figure(name), new.figure(name)
                if SUPPRESSED not in (was, is_now) and NOT_AVAILABLE not in (was, is_now) and was != is_now:
                    changed[unit] = SMALL
    return Compared(grown, quiet, changed)
