"""Releases of benchmarks, as the operator's own stream records them.

Nothing in these events is personal: what was released, under which rules, and how far each school's stream
was counted. So all of it is open, and there are no keys to lose.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.events import Event, Open, event


class CountedUpTo(msgspec.Struct, frozen=True, array_like=True):
    """A school, and the last position of its stream that was counted.

    Attributes:
        school_id: The school.
        position: The position.
    """

    school_id: UUID
    position: int


@event("benchmarks.released")
class BenchmarksReleased(Event, frozen=True, kw_only=True):
    """A release was published.

    Attributes:
        release: Its number.
        proposal: The proposal that it was made of.
        points: The academic years and assessment points in it, as in `2025/26:autumn`.
        rules: The rules of disclosure control, by name.
        schools: Every school that was counted, and how far.
        proposal_digest: SHA-256 of the stored proposal, in hexadecimal.
        figures_digest: SHA-256 of all figures, in hexadecimal, as `projections.benchmarks.rows` computes it:
            whoever has the tables can hold them against this.
    """

    release: Open[int]
    proposal: Open[UUID]
    points: Open[tuple[str, ...]]
    rules: Open[dict[str, int]]
    schools: Open[tuple[CountedUpTo, ...]]
    proposal_digest: Open[str]
    figures_digest: Open[str]


@event("benchmarks.withdrawn")
class BenchmarksWithdrawn(Event, frozen=True, kw_only=True):
    """A release should not be used any more.

    The reason is published with it. Unlike other free text it is therefore no name: nobody may be named in
    what everybody reads.
    """

    release: Open[int]
    because: Open[str]
