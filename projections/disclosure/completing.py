"""Secondary suppression: which further rows are suppressed, so that none can be worked out from the others.

Two things make it safe, also against somebody who knows this very code. Whatever is suppressed together is,
taken together, enough to be told: it can be worked out from the margins anyway. And the further rows are
taken in an order that has nothing to do with the figures, the first of them always: so it may be of any
size, and takes up whatever the others are not. Any exchange of pupils between the suppressed rows of a
characteristic leaves everything that is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import product

from projections.disclosure.table import UNKNOWN, Group

Enough = Callable[[Iterable[Group]], bool]
"""Whether some groups, taken together, are enough to be told."""


def fixed_order(categories: Iterable[str]) -> list[str]:
    """The order in which further rows are taken: those of whom it is not known first, then by name."""
    return sorted(categories, key=lambda category: (category != UNKNOWN, category))


def complete(
    characteristic: str, categories: Collection[str], hidden: set[Group], enough: Enough
) -> set[Group]:
    """The rows of a characteristic that are suppressed, when some of them have to be.

    Args:
        characteristic: Whose categories add up to all pupils, who are told.
        categories: Those that anybody could be in: at least two.
        hidden: The rows that have to be.
        enough: Whether rows taken together are enough to be told.
    """
    chosen = {group for group in hidden if group.characteristic == characteristic}
    if not chosen:
        return chosen
    order = [Group(characteristic, category) for category in fixed_order(categories)]
    # Always the first: were it taken only when needed, its being shown would say that all the suppressed ones
    # fail a rule. Of 9 and 9, whose sum is known to be 18, both would be known.
    chosen.add(order[0])
    for group in order[1:]:
        if len(chosen) >= 2 and enough(chosen):
            break
        chosen.add(group)
    return chosen


def complete_rectangle(
    characteristic: str,
    sides: tuple[Sequence[str], Sequence[str]],
    hidden: set[Group],
    enough: Enough,
) -> set[Group]:
    """The cells of a cross-table that are suppressed, when both of its margins are told.

    They are a rectangle, some rows by some columns, of which every row and every column is enough to be told.
    Pupils of one row can then change places with pupils of another, and no margin moves.

    Args:
        characteristic: Of the cells, whose categories are `row/column`.
        sides: The rows' and the columns' categories, at least two of each.
        hidden: The cells that have to be suppressed.
        enough: Whether cells taken together are enough to be told.
    """
    mine = [group.category.split("/", 1) for group in hidden if group.characteristic == characteristic]
    if not mine:
        return set()
    first = [fixed_order(names)[0] for names in sides]
    chosen = [{pair[side] for pair in mine} | {first[side]} for side in (0, 1)]
    rest = [[each for each in fixed_order(sides[side]) if each not in chosen[side]] for side in (0, 1)]

    def cells(rows: Iterable[str], columns: Iterable[str]) -> set[Group]:
        return {Group(characteristic, f"{row}/{column}") for row, column in product(rows, columns)}

    def safe() -> bool:
        rows, columns = chosen
        return (
            min(len(rows), len(columns)) >= 2
            and all(enough(cells([row], columns)) for row in rows)
            and all(enough(cells(rows, [column])) for column in columns)
        )

    side = 0
    while any(rest) and not safe():
        # The shorter side grows first; then they take turns.
        side = (0 if len(chosen[0]) < len(chosen[1]) else 1) if min(map(len, chosen)) < 2 else 1 - side
        side = side if rest[side] else 1 - side
        chosen[side].add(rest[side].pop(0))
    return cells(*chosen)
