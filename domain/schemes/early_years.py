"""A good level of development: what the Early Years Foundation Stage Profile is summed up in."""

from __future__ import annotations

from collections.abc import Mapping

from domain.schemes.scheme import SchemeVersion


def good_level_of_development(version: SchemeVersion, outcomes: Mapping[str, str]) -> bool | None:
    """Whether a child reached the expected level in every goal that counts.

    Those are the goals of the prime areas, of literacy and of mathematics (the Department for Education's
    *Early Years Foundation Stage Profile handbook*).

    Args:
        version: A version of `eyfs-profile`.
        outcomes: By goal: `{"E01": "2", ...}`.

    Returns:
        `False` as soon as one of the goals is not reached; `None` while none is missed, and some are not
        known yet.

    Raises:
        ValueError: An outcome is not one of the profile's.
    """
    reached = [
        None if outcome is None else (version.ordinal(outcome) or 0) >= 2
        for measure in version.measures.values()
        if measure.in_gld
        for outcome in [outcomes.get(measure.code)]
    ]
    if False in reached:
        return False
    return None if None in reached else True
