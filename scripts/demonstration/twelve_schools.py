"""The demo's schools: one of 420 pupils, and eleven smaller ones, so that a benchmark can compare.

They do not exist: no school has a URN from 900101 on, nor an establishment number from 9901 on.
"""

from __future__ import annotations

import msgspec

from domain.school import SchoolFacts


class PlannedSchool(msgspec.Struct, frozen=True, kw_only=True):
    """A school to make up.

    Attributes:
        facts: What would be publicly known of it.
        classes_in_year: Two classes of 30 a year, or one of 12 to 30.
        file_name: What its files are called.
    """

    facts: SchoolFacts
    classes_in_year: int
    file_name: str


_REGIONS = {
    "881": "East of England",
    "212": "London",
    "332": "West Midlands",
    "382": "Yorkshire and The Humber",
}
"""Local authorities and the regions that they are in."""

_NAMES = (
    ("Larkfield Primary School", "881"),
    ("Saltmarsh Primary School", "881"),
    ("Heronsgate Community School", "881"),
    ("St Botolph’s in the Fen Primary School", "881"),
    ("Lamplighter Lane Primary School", "212"),
    ("Osier Wharf Primary School", "212"),
    ("Tollgate Common School", "212"),
    ("Nailmakers’ Row Primary School", "332"),
    ("Fernhollow Primary School", "332"),
    ("Weavers’ Bridge Primary School", "382"),
    ("High Cragside Primary School", "382"),
    ("St Oda’s Beckside Primary School", "382"),
)

SCHOOLS = tuple(
    PlannedSchool(
        facts=SchoolFacts(
            name=name,
            urn=str(900101 + number),
            local_authority=authority,
            establishment=str(9901 + number),
            region=_REGIONS[authority],
            school_type="primary",
        ),
        classes_in_year=2 if number == 0 else 1,
        file_name=name.replace("’", "").replace(" ", "-").lower(),
    )
    for number, (name, authority) in enumerate(_NAMES)
)
"""The schools; the first is the one of 420 pupils."""
