"""Tables whose means are of some of the pupils alone: children below the standard of a test have no score."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec

from projections.disclosure import (
    ALL,
    MEASURES,
    SUPPRESSED,
    Earlier,
    Group,
    Measure,
    Protected,
    Reason,
    Row,
    Rules,
    Table,
    protect,
)


class Scored(NamedTuple):
    """What one school contributes to the mean of a group.

    Attributes:
        pupils: Those who have points.
        points: The sum of them.
    """

    pupils: int
    points: Decimal | int


def protect_means_of_some(
    table: Table,
    scored: Mapping[Group, Mapping[UUID, Scored]],
    rules: Rules,
    earlier: Sequence[Earlier] = (),
    *,
    not_applicable: Collection[Measure] = (),
    before: Mapping[Group, Row] | None = None,
) -> Protected:
    """Protects a table in which some who are held against what is expected have no points.

    A mean of some of a group's pupils is what progress is, too, and is protected in the same way: as the
    progress of those who have points, after size and shares, and before progress itself. So progress is
    suppressed wherever the mean is, and an earlier release is held against what it told: the mean of those
    who had points, and not that of everybody.

    Args:
        table: What each school contributes to each group.
        scored: What it contributes to the means: at most the pupils of the table.
        rules: How much must lie behind a figure.
        earlier: What earlier releases told of the same table.
        not_applicable: Measures that do not exist for this table.
        before: What is told of the point before, from which progress counts.
    """
    means = protect(
        {
            group: {
                school_id: msgspec.structs.replace(
                    each,
                    progressed=scored[group][school_id].pupils,
                    progress=scored[group][school_id].points,
                )
                for school_id, each in of_schools.items()
            }
            for group, of_schools in table.items()
        },
        rules,
        [
            msgspec.structs.replace(each, rows={group: _of_means(row) for group, row in each.rows.items()})
            for each in earlier
        ],
        not_applicable={*not_applicable, "mean_points"} - {"progress"},
    )
    without = {group: row for group, row in means.rows.items() if row.progress == SUPPRESSED}
    others = protect(
        table,
        rules,
        earlier,
        not_applicable={*not_applicable, "mean_points"},
        before={**(before or {}), **{group: _of_progress(row) for group, row in without.items()}},
    )
    for part in (others, means):
        if part.rows[ALL].pupils == SUPPRESSED:
            # It is told as it was told, or not at all: shares that are told beside no mean would tell of it.
            return _nothing(others.rows, part.reasons)
    rows = {
        group: msgspec.structs.replace(row, mean_points=means.rows[group].progress)
        for group, row in others.rows.items()
    }
    return Protected(rows, [*others.reasons, *_reasons_of_means(means)])


def _nothing(rows: Mapping[Group, Row], reasons: Sequence[Reason]) -> Protected:
    """Nothing of a table, for the reasons for which some of it is not told."""
    figures = {name: figure for name in MEASURES if (figure := rows[ALL].figure(name)).symbol == "z"}
    figures |= dict.fromkeys(["mean_points"], SUPPRESSED)
    hidden = [name for name in MEASURES if figures.setdefault(name, SUPPRESSED) == SUPPRESSED]
    because = {reason.group: reason for reason in reversed(reasons)}
    return Protected(
        {group: Row(**figures) for group in rows},
        [msgspec.structs.replace(because[group], measures=tuple(hidden)) for group in rows],
    )


def _of_means(row: Row) -> Row:
    """A row as if its mean were progress."""
    return msgspec.structs.replace(row, progress=row.mean_points)


def _of_progress(row: Row) -> Row:
    """The other way round."""
    return msgspec.structs.replace(row, mean_points=row.progress)


def _reasons_of_means(means: Protected) -> list[Reason]:
    return [
        msgspec.structs.replace(reason, measures=("mean_points",))
        for reason in means.reasons
        if "progress" in reason.measures
    ]
