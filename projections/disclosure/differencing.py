"""What a release tells together with an earlier one of the same table.

All that is kept of an earlier release is what it told. So the difference is looked at as whoever has both
sees
it: between the least and the most that the rounded figures allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import ceil, floor

from projections.disclosure.examining import STANDINGS, Examined, Unit
from projections.disclosure.rules import Rules
from projections.disclosure.table import (
    ALL,
    NOT_APPLICABLE,
    SUPPRESSED,
    Earlier,
    Figure,
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


def given_away(
    new: Row,
    examined: Examined,
    old: Row,
    rules: Rules,
    earlier_rules: Rules,
    measures: Mapping[Unit, list[Measure]],
) -> dict[Unit, str]:
    """What a row must not tell since an earlier release told what it did.

    What was suppressed stays suppressed: the change in between may be known to be small, and then the new
    figure is the old one. What was told is told again as long as nothing is certain to have changed, or
    where so many more pupils have come that the difference is enough to be told itself, whoever of the
    schools they belong to.

    Args:
        new: What the row would tell.
        examined: What is behind it.
        old: What the earlier release told.
        rules: How much must lie behind a figure.
        earlier_rules: What the earlier release was made under.
        measures: Of each unit, those that apply to the table.

    Returns:
        Units, and why.
    """
    found: dict[Unit, str] = {}
    for unit, names in measures.items():
        if any(old.figure(name) == SUPPRESSED for name in names):
            found[unit] = "was suppressed then, and could be worked out from what has changed little since"
    before, now = told(old, earlier_rules), told(new, rules)
    changes = {
        name: (now[name][0] - before[name][1], now[name][1] - before[name][0])
        for name in now
        if name in before
    }

    def enough(name: Measure) -> bool:
        """Whether so many pupils have come that no school can be most of them."""
        least, largest = changes[name][0], examined.largest[name]
        return (
            least >= rules.minimum_pupils
            and least > (rules.minimum_schools - 1) * largest[0]
            and rules.concentrated(largest, least) is None
        )

    def uncertain(name: Measure) -> bool:
        return changes[name][0] <= 0 <= changes[name][1]

    small = "differs from what was told then by too few pupils or schools"
    grown = "pupils" in changes and enough("pupils")
    if "pupils" in changes and not (uncertain("pupils") or grown):
        found.setdefault(Unit.SIZE, small)
    for name in STANDINGS:
        if name not in changes:
            continue
        if not (uncertain(name) or enough(name)):
            found.setdefault(Unit.CONTENT, small)
        if grown and changes[name][1] < rules.minimum_pupils:
            found.setdefault(
                Unit.CONTENT, "tells of those who have come since that hardly any is of a standing"
            )
    for unit, name in ((Unit.CONTENT, "mean_points"), (Unit.PROGRESS, "progress")):
        if (
            _both_tell(new.figure(name), old.figure(name))
            and new.figure(name) != old.figure(name)
            and not grown
        ):
            found.setdefault(unit, small)
    return found


def _both_tell(one: Figure, other: Figure) -> bool:
    return one.value is not None and other.value is not None
