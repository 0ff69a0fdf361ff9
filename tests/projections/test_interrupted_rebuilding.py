"""What cannot be made, or is killed, changes nothing that is live."""

from __future__ import annotations

import os
import signal
from multiprocessing import active_children, get_context

import pytest
from msgspec.structs import replace

import projections.rebuilding.pool
from domain.ledger.database import Database
from domain.vault.key_ring import KeyRing
from projections.rebuilding import rebuild as rebuilding
from projections.rebuilding.beside import CannotRebuild
from projections.rebuilding.pool import Progress
from projections.rebuilding.rebuild import rebuild
from projections.runner import Worker, status
from scripts.embedded import OWNER
from tests.keys import SERVICE_KEYS
from tests.projections.lively import BY_NAME, WORKER, Lively


def test_an_event_that_cannot_be_read_is_told_by_its_kind(lively: Lively) -> None:
    school = lively.schools[0]
    with lively.database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE ledger.events SET type = 'pupil.unheard-of.1' WHERE ctid = (SELECT ctid FROM "
            "ledger.events WHERE school_id = %s AND type LIKE 'pupil.changed%%' "
            "AND originator_id IN (SELECT pupil_id FROM projections.pupils) LIMIT 1)",
            [school.school_id],
        )
    [first, second] = lively.differences(BY_NAME["pupils"])
    assert first.failure
    assert second.failure is None
    with pytest.raises(CannotRebuild, match="cannot be made") as error:
        rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["pupils"], workers=1)
    assert error.value.details == {"schools": {str(school.school_id): first.failure}}
    with lively.database.connect("postgres") as superuser:
        assert superuser.execute("SELECT to_regclass('projections_next.pupils')").fetchone() == (None,)


def test_a_school_that_has_stopped_is_compared_where_it_stands(lively: Lively) -> None:
    school = lively.schools[0]
    for each in lively.schools:
        each.happen(60)
    with lively.database.connect("postgres") as superuser:
        superuser.execute(
            "UPDATE ledger.events SET type = 'pupil.unheard-of.1' WHERE ctid = (SELECT ctid FROM "
            "ledger.events WHERE school_id = %s AND type LIKE 'pupil.admitted%%' AND position > 500 "
            "AND originator_id IN (SELECT subject_id FROM vault.subject_keys) LIMIT 1)",
            [school.school_id],
        )
    with Database(lively.database.conninfo(WORKER)) as worker:
        Worker(worker, SERVICE_KEYS).run_until_idle()
        [stop] = [line for line in status(worker) if line.stopped_at and line.projection == "pupils"]
        assert stop.school_id == school.school_id
        first, second = lively.differences(BY_NAME["pupils"])
        assert (first.number, first.position) == (0, stop.position)
        assert (second.number, second.position) == (0, 560)
        assert rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["pupils"], workers=1).switched
        assert replace(stop, seconds=None) in [replace(line, seconds=None) for line in status(worker)]
    assert [made.number for made in lively.differences(BY_NAME["pupils"])] == [0, 0]


def test_a_rebuilding_that_is_killed_changes_nothing(lively: Lively) -> None:
    owner = lively.database.conninfo(OWNER)

    def left() -> bool:
        with lively.database.connect("postgres") as superuser:
            found = superuser.execute("SELECT to_regclass('projections_next.pupils')").fetchone()
        return found != (None,)

    arguments = (owner, SERVICE_KEYS.document())
    process = get_context("spawn").Process(target=killed_while_rebuilding, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert left()
    assert [made.number for made in lively.differences(BY_NAME["pupils"])] == [0, 0]
    assert rebuild(owner, SERVICE_KEYS, BY_NAME["pupils"], workers=1).switched
    assert not left()


def killed_while_rebuilding(owner: str, ring: bytes) -> None:
    """Rebuilds, and is killed when the rows have been made and not been changed over to."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuilding, "_change_over", die)
        rebuild(owner, KeyRing.read(ring), BY_NAME["pupils"], workers=1)


def test_a_process_that_is_killed_is_told(lively: Lively, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(_: Progress) -> None:
        for child in active_children():
            child.kill()

    monkeypatch.setattr(projections.rebuilding.pool, "AHEAD", 1)
    with pytest.raises(CannotRebuild, match="has ended"):
        rebuild(lively.database.conninfo(OWNER), SERVICE_KEYS, BY_NAME["pupils"], workers=1, told=kill)
    assert [made.number for made in lively.differences(BY_NAME["pupils"])] == [0, 0]
