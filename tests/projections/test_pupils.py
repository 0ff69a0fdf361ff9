"""The current pupils, as queries show them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from domain.application import pupils
from domain.application.school_application import SchoolApplication, Schools
from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.mapper import split
from domain.particulars import PupilParticulars
from projections import pupils as views
from projections.pupils import ClassView, PupilView
from tests.application.conftest import RegisteredSchool, registered_school
from tests.application.examples import TODAY, admitted, child
from tests.conftest import TestDatabase
from tests.projections.catching_up import caught_up


def shown(school: SchoolApplication, **filters: object) -> list[PupilView]:
    with school.database.bound_to(school.school_id) as connection:
        return views.find(connection, school.keys, **filters)  # type: ignore[arg-type]


def ids(school: SchoolApplication, **filters: object) -> set[UUID]:
    return {view.pupil_id for view in shown(school, **filters)}


def test_a_pupil_is_shown_as_the_events_left_them(registered: RegisteredSchool, worker: Database) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1, postcode="CM1 1QH"))
    changes = (
        PupilParticulars(surname="New"),
        PupilParticulars(class_name="Blue", gifted=True),
        PupilParticulars(gifted=None, upn=None, nc_year="5"),
    )
    for version, particulars in enumerate(changes, start=1):
        caught_up(worker)
        pupils.change(school, pupil_id, particulars, version, actor)
    pupils.leave(school, pupil_id, TODAY, 4, actor)
    caught_up(worker)
    with school.database.bound_to(school.school_id) as connection:
        view = views.get(connection, school.keys, pupil_id)
    pupil = school.pupil(pupil_id)
    assert view == PupilView(
        pupil_id=pupil_id,
        version=5,
        names=pupil.names,
        record=pupil.record,
        left_on=TODAY,
        class_id=school.class_id_of("Blue"),
    )
    assert pupil.names.former_upns


def test_names_are_copied_unopened(
    registered: RegisteredSchool, worker: Database, module_database: TestDatabase
) -> None:
    """The column holds the very bytes of the newest event with names: a worker needs no key for it."""
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    pupils.change(school, pupil_id, PupilParticulars(surname="New"), 1, actor)
    pupils.change(school, pupil_id, PupilParticulars(class_name="Blue"), 2, actor)
    pupils.leave(school, pupil_id, TODAY, 3, actor, destination="Elsewhere Primary")
    caught_up(worker)
    newest = school.stream.events_of(pupil_id)[1]
    with module_database.connect("postgres") as superuser:
        row = superuser.execute(
            "SELECT names, names_type, names_version FROM projections.pupils WHERE pupil_id = %s", [pupil_id]
        ).fetchone()
    assert row == (split(newest.state).names, "pupil.changed.1", 2)


def test_pupils_are_found_by_class_year_and_whether_they_are_here(
    registered: RegisteredSchool, worker: Database
) -> None:
    school, actor = registered.application, registered.teacher
    red, blue, old, none = admitted(
        school,
        actor,
        child(1),
        child(2, class_name="Blue", nc_year="5"),
        child(3, nc_year="5"),
        child(4, class_name=None, nc_year=None),
    )
    pupils.leave(school, old, TODAY, 1, actor)
    caught_up(worker)
    red_class = school.class_id_of(" RED ")
    assert ids(school) == {red, blue, none}
    assert ids(school, on_roll=None) == {red, blue, old, none}
    assert ids(school, on_roll=False) == {old}
    assert ids(school, nc_year="5") == {blue}
    assert ids(school, nc_year="5", on_roll=None) == {blue, old}
    assert ids(school, class_id=red_class) == {red}
    assert ids(school, class_id=red_class, nc_year="5", on_roll=None) == {old}
    assert ids(school, class_id=new_id()) == set()
    pupils.take_back(school, old, TODAY, 2, actor)
    caught_up(worker)
    assert ids(school, on_roll=False) == set()
    assert shown(school, nc_year="5", class_id=red_class)[0].left_on is None


def test_pages_follow_on_each_other(registered: RegisteredSchool, worker: Database) -> None:
    school = registered.application
    everybody = sorted(admitted(school, registered.teacher, *(child(n) for n in range(7))))
    caught_up(worker)
    found: list[UUID] = []
    while page := shown(school, limit=3, after=found[-1] if found else None):
        assert len(page) <= 3
        found += [view.pupil_id for view in page]
    assert found == everybody
    assert len(shown(school, limit=None)) == 7


def test_classes_are_those_of_pupils_on_the_roll(registered: RegisteredSchool, worker: Database) -> None:
    school, actor = registered.application, registered.teacher
    *_, last = admitted(
        school,
        actor,
        child(1),
        child(2),
        child(3, class_name="red"),
        child(4, class_name=None),
        child(5, class_name="Oak"),
    )
    caught_up(worker)

    def classes() -> list[ClassView]:
        with school.database.bound_to(school.school_id) as connection:
            return views.classes(connection, school.keys)

    oak, red = classes()
    assert (oak.class_name, oak.pupils, oak.class_id) == ("Oak", 1, school.class_id_of("Oak"))
    assert (red.class_name.casefold(), red.pupils) == ("red", 3)
    pupils.leave(school, last, TODAY, 1, actor)
    caught_up(worker)
    assert [each.class_name.casefold() for each in classes()] == ["red"]


def test_a_school_sees_its_own_pupils_only(
    registered: RegisteredSchool, schools: Schools, worker: Database
) -> None:
    elsewhere = registered_school(schools)
    [theirs] = admitted(elsewhere.application, elsewhere.teacher, child(1))
    caught_up(worker)
    school = registered.application
    assert shown(school, on_roll=None) == []
    with school.database.bound_to(school.school_id) as connection:
        assert views.get(connection, school.keys, theirs) is None
        # Not even by asking for the other school in so many words.
        assert views.get(connection, elsewhere.application.keys, theirs) is None
        assert views.find(connection, elsewhere.application.keys) == []


def test_dates_come_back_as_dates(registered: RegisteredSchool, worker: Database) -> None:
    school = registered.application
    born = date(2018, 2, 28)
    admitted(school, registered.teacher, child(1, date_of_birth=born))
    caught_up(worker)
    [view] = shown(school)
    assert view.names.date_of_birth == born
