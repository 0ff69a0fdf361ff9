"""The PostgreSQL that Target Tracker starts itself: behind a password, on a socket alone, and durable."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from domain.identifiers import new_id
from domain.ledger.database import Database
from domain.ledger.migrate import LEDGER_MIGRATIONS, migrate
from domain.ledger.stream import Stream, register_school
from scripts.embedded import OWNER, ROLES, EmbeddedPostgres
from tests.conftest import BINARIES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pg")


@pytest.fixture(scope="module")
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server with the settings that it has in earnest."""
    postgres = EmbeddedPostgres(folder / "server", binaries=BINARIES)
    try:
        postgres.start()
        postgres.create_database()
        list(migrate(postgres.conninfo(), [LEDGER_MIGRATIONS]))
        yield postgres
    finally:
        postgres.destroy()
        assert not postgres.home.exists()


@pytest.fixture
def running(postgres: EmbeddedPostgres) -> EmbeddedPostgres:
    """The server, running whatever the test before did to it."""
    postgres.start()
    return postgres


def append(postgres: EmbeddedPostgres, urn: str) -> Stream:
    """A new school's stream of three events; the connections are closed again."""
    school_id = new_id()
    with Database(postgres.conninfo("target_tracker_api")) as database:
        with database.bound_to(school_id) as connection:
            register_school(connection, school_id, urn)
        stream = Stream(database, school_id)
        stream.append([StoredEvent(new_id(), 1, "pupil.left.1", b"state") for _ in range(3)])
    return stream


def count(postgres: EmbeddedPostgres, stream: Stream) -> int:
    with Database(postgres.conninfo("target_tracker_api")) as database:
        return len(Stream(database, stream.school_id).events_between(1, limit=100))


@pytest.mark.parametrize("role", ["postgres", *ROLES])
def test_a_wrong_password_is_refused(running: EmbeddedPostgres, role: str) -> None:
    with psycopg.connect(running.conninfo(role)) as connection:
        assert connection.execute("SELECT current_user::text").fetchone() == (role,)
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no password supplied"):
            psycopg.connect(running.conninfo(role), passfile="/dev/null", password=password)


def test_each_role_has_a_password_of_its_own(running: EmbeddedPostgres) -> None:
    words = [line.rpartition(":")[2] for line in running.passwords.read_text().splitlines()]
    assert len(set(words)) == len(words) == len(ROLES) + 1
    assert all(len(word) >= 32 for word in words)
    with psycopg.connect(running.conninfo("postgres")) as connection:
        rows = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolcanlogin").fetchall()
        assert all(row[0].startswith("SCRAM-SHA-256$") for row in rows)
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("scram-sha-256",)]


def test_nobody_else_can_read_the_passwords(running: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(running.passwords.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    assert "password" not in running.conninfo().replace(str(running.passwords), "").lower()
    assert not (running.home / "first-password").exists()
    assert not (running.home / "new-passwords").exists()


def listening_inodes() -> set[str]:
    """The sockets of this machine that listen on TCP."""
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if table.exists():
            fields = [line.split() for line in table.read_text().splitlines()[1:]]
            inodes |= {line[9] for line in fields if line[3] == "0A"}
    return inodes


def test_it_listens_on_a_socket_only(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.conninfo("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        row = connection.execute("SHOW unix_socket_directories").fetchone()
    assert row is not None
    directory = Path(row[0])
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / ".s.PGSQL.5432").stat().st_mode) == 0o700

    process = (running.data / "postmaster.pid").read_text().splitlines()[0]
    sockets = {
        target.removeprefix("socket:[").removesuffix("]")
        for file in Path(f"/proc/{process}/fd").iterdir()
        if (target := str(file.readlink())).startswith("socket:[")
    }
    assert sockets
    assert not sockets & listening_inodes()


def test_the_server_is_nobody_special(running: EmbeddedPostgres) -> None:
    process = (running.data / "postmaster.pid").read_text().splitlines()[0]
    assert Path(f"/proc/{process}").stat().st_uid != 0


def test_the_environment_does_not_lead_astray(
    running: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGUSER", "nobody")
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    with psycopg.connect(running.conninfo()) as connection:
        assert connection.execute("SELECT current_user::text").fetchone() == (OWNER,)


def test_nothing_that_was_sent_is_logged(running: EmbeddedPostgres) -> None:
    with psycopg.connect(running.conninfo("target_tracker_api"), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT %s::text::uuid", ["Zoë Exempel"])
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0, %s::text", ["Zoë Exempel"])
        with pytest.raises(psycopg.errors.SyntaxError):
            connection.execute("SELECTED 'Zoë Exempel'")
    log = (running.home / "server.log").read_text(encoding="utf-8")
    assert "ready to accept connections" in log
    assert "Exempel" not in log
    assert "SELECT" not in log


def test_data_survives_a_restart(running: EmbeddedPostgres, folder: Path) -> None:
    stream = append(running, "100001")
    running.stop()
    assert not running.is_running()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(running.conninfo())
    again = EmbeddedPostgres(folder / "server", binaries=BINARIES)
    again.start()
    assert again.is_running()
    assert again.conninfo() == running.conninfo()
    assert count(again, stream) == 3


def test_starting_twice_is_starting_once(running: EmbeddedPostgres) -> None:
    before = (running.data / "postmaster.pid").read_text()
    running.start()
    running.create_database()
    assert (running.data / "postmaster.pid").read_text() == before


def test_it_recovers_from_a_crash(running: EmbeddedPostgres) -> None:
    """What was committed is there, what was not is not, and appending goes on without a gap."""
    stream = append(running, "100002")
    open_transaction = psycopg.connect(running.conninfo("target_tracker_api"))
    open_transaction.execute(f"SET LOCAL target_tracker.school_id = '{stream.school_id}'".encode())
    open_transaction.execute(
        "SELECT ledger.append(%s, ARRAY[%s], ARRAY[1::bigint], ARRAY['pupil.left.1'], ARRAY[''::bytea])",
        [stream.school_id, new_id()],
    )
    running.kill()
    assert not running.is_running()
    open_transaction.close()

    running.start()
    with Database(running.conninfo("target_tracker_api")) as database:
        recovered = Stream(database, stream.school_id)
        assert [event.id for event in recovered.events_between(1, limit=10)] == [1, 2, 3]
        assert recovered.head().position == 3
        assert recovered.append([StoredEvent(new_id(), 1, "pupil.left.1", b"")]).first == 4
    log = (running.home / "server.log").read_text()
    assert "not properly shut down" in log


def test_half_a_server_is_made_anew(folder: Path) -> None:
    """Killed while it was being made, it has no password file yet, and starts from nothing."""
    postgres = EmbeddedPostgres(folder / "half", binaries=BINARIES)
    try:
        postgres.start()
        postgres.kill()
        postgres.passwords.unlink()
        postgres.start()
        with psycopg.connect(postgres.conninfo(database="postgres")) as connection:
            assert connection.execute("SELECT current_user::text").fetchone() == (OWNER,)
    finally:
        postgres.destroy()


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    home = folder / ("long" * 20)
    postgres = EmbeddedPostgres(home, binaries=BINARIES)
    try:
        postgres.start()
        with psycopg.connect(postgres.conninfo(database="postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        postgres.destroy()
