"""What a school contributes to benchmarks, counted from its rows as a release counts it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg

from domain.vault.keyring import Keyring
from projections.benchmarks.reading import points_of, results_at

Standings = tuple[int, str, str, str, str]
"""Academic year, term, subject, NC year and standing."""

EVERYTHING = 2**62


def counted(connection: psycopg.Connection[Any], keyring: Keyring) -> dict[Standings, int]:
    """Pupils on the steps scale, by :data:`Standings`; no zeros."""
    counts: Counter[Standings] = Counter()
    points = points_of(connection, keyring.school_id)
    for courses in results_at(connection, keyring, EVERYTHING, points, {}).values():
        for point, entries in courses.items():
            for (scheme, subject), entry in entries.items():
                if scheme == "steps" and entry.standing and entry.nc_year:
                    counts[point.academic_year, point.name, subject, entry.nc_year, entry.standing] += 1
    return dict(counts)
