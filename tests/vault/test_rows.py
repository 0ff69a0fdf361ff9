"""What a projection shows opens in its row alone: the record sealed for it, and the names as they came."""

from __future__ import annotations

from contextlib import suppress

import pytest

import domain.ledger.mapper
import projections.pupils
from domain.errors import DoesNotOpen
from domain.ledger.database import Database
from projections.pupils import PupilsProjection, PupilView
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, children
from tests.conftest import TestDatabase
from tests.projections.catching_up import caught_up

MOVES = {
    "another version": "UPDATE projections.pupils SET version = 2 WHERE pupil_id = %(one)s",
    "another pupil": (
        "UPDATE projections.pupils p SET record = o.record FROM projections.pupils o"
        " WHERE p.pupil_id = %(one)s AND o.pupil_id = %(other)s"
    ),
    "the names of another pupil": (
        "UPDATE projections.pupils p SET names = o.names FROM projections.pupils o"
        " WHERE p.pupil_id = %(one)s AND o.pupil_id = %(other)s"
    ),
    "names of another version": "UPDATE projections.pupils SET names_version = 2 WHERE pupil_id = %(one)s",
    "names of another type": (
        "UPDATE projections.pupils SET names_type = 'pupil.snapshot.1' WHERE pupil_id = %(one)s"
    ),
    "the other column": "UPDATE projections.pupils SET record = names WHERE pupil_id = %(one)s",
    "damage": (
        "UPDATE projections.pupils SET record = set_byte(record, 20, get_byte(record, 20) # 1)"
        " WHERE pupil_id = %(one)s"
    ),
}
"""What somebody who may write the table could do to a row."""


def check_a_moved_part_does_not_open(
    registered: RegisteredSchool, worker: Database, test_database: TestDatabase, statement: str
) -> None:
    """Changes the row of a child by hand and reads it.

    Raises:
        AssertionError: It opens.
    """
    school = registered.application
    one, other = admitted(school, registered.administrator, *children(2))
    caught_up(worker, [PupilsProjection()])

    def shown() -> PupilView | None:
        keys = school.opened_with(school.keys.school).keys
        with school.database.bound_to(school.school_id) as connection:
            return projections.pupils.get(connection, keys, one)

    before = shown()
    assert before is not None
    assert before.names.surname == "Surname000"
    parameters = {"one": one, "other": other} if "other" in statement else {"one": one}
    with test_database.connect("postgres") as connection:
        assert connection.execute(statement.encode(), parameters).rowcount == 1
    opens = False
    with suppress(DoesNotOpen):
        shown()
        opens = True
    assert not opens, "it opens in another place"


@pytest.mark.parametrize("statement", MOVES.values(), ids=MOVES)
def test_a_part_that_was_moved_does_not_open(
    registered: RegisteredSchool, worker: Database, module_database: TestDatabase, statement: str
) -> None:
    check_a_moved_part_does_not_open(registered, worker, module_database, statement)


@pytest.mark.parametrize("move", ["another version", "names of another version", "names of another type"])
def test_without_its_place_it_would(
    registered: RegisteredSchool,
    worker: Database,
    module_database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    move: str,
) -> None:
    """The sabotaged twin: rows and events that are sealed for no place."""
    monkeypatch.setattr(projections.pupils, "place_of_row", lambda *_: b"")
    monkeypatch.setattr(domain.ledger.mapper, "place_of_event", lambda *_: b"")
    with pytest.raises(AssertionError, match="in another place"):
        check_a_moved_part_does_not_open(registered, worker, module_database, MOVES[move])
