"""The disclosure control of releases of a single characteristic: goes with its last caller."""

from __future__ import annotations

from collections.abc import Mapping

MINIMUM_PUPILS = 10
"""No figure is about fewer pupils than this, nor can be worked out from those beside it."""

MINIMUM_SCHOOLS = 3
"""No figure is about fewer schools: of two, each could take its own away and see the other's."""


def protect(
    counts: Mapping[str, int],
    schools: int,
    *,
    minimum_pupils: int = MINIMUM_PUPILS,
    minimum_schools: int = MINIMUM_SCHOOLS,
) -> dict[str, int | None]:
    """Suppresses what must not be told of a group that is divided into categories.

    A count under the minimum is suppressed. Since the total is told, so are further ones, the smallest first,
    until three things hold: the suppressed ones are at least two, for one alone could be worked out; together
    they reach the minimum, for their sum can always be worked out; and each one that is shown is greater than
    that sum. The last keeps this very rule from telling anything: since the shown ones would be shown however
    the rest is divided, any of the suppressed ones could be all of it, or none. Where no choice will do, only
    the total is told. A zero is a count under the minimum, too: it would say of every pupil where they are
    not.

    Args:
        counts: Pupils by category.
        schools: The number of schools that they come from.
        minimum_pupils: The least pupils that a figure may be about.
        minimum_schools: The least schools.

    Returns:
        Each category and `all`, with its count, or nothing where it is suppressed.
    """
    total = sum(counts.values())
    if total < minimum_pupils or schools < minimum_schools:
        return dict.fromkeys(("all", *counts))
    suppressed: list[str] = []
    hidden = 0
    for category in sorted(counts, key=lambda name: counts[name]):
        if counts[category] >= minimum_pupils and (
            not suppressed or (len(suppressed) >= 2 and minimum_pupils <= hidden < counts[category])
        ):
            break
        suppressed.append(category)
        hidden += counts[category]
    return {
        "all": total,
        **{name: None if name in suppressed else count for name, count in counts.items()},
    }
