"""The service's processes: the API over HTTPS, and the worker that keeps projections up with the streams."""

from __future__ import annotations

import logging
import signal
import threading

import uvicorn

from api.app import create_app
from api.certificates import ReloadingContext
from api.serving import configuration
from domain.application.erasing import check_erased, replay
from domain.errors import Misconfigured
from domain.ledger.database import Database
from domain.ledger.persistence import close_shared_database
from domain.vault import passwords
from domain.vault.rewrapping import keep_rewrapping
from projections.definitions import check
from projections.runner import Worker
from scripts.composition import PREFIX, Settings, build_services, close_mailer
from scripts.metrics import metrics_served

STOPPING = (signal.SIGTERM, signal.SIGINT)
"""The signals that tell a process to stop."""

log = logging.getLogger(__name__)


def serve(settings: Settings, *, fips: bool = False) -> None:
    """Serves the API until it is told to stop; requests that have begun are answered first.

    Args:
        settings: How the process is configured.
        fips: Whether TLS agrees to what is approved, and nothing else. The process must have been started
            with the OpenSSL configuration for that: :func:`scripts.fips.start_anew` sees to it.

    Raises:
        Misconfigured: A setting is missing or wrong, TLS above all: there is no other way to be served.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        raise Misconfigured(
            "The API is served over HTTPS only: "
            f"{PREFIX}TLS_CERTIFICATE and {PREFIX}TLS_KEY must name the files of a certificate and its key"
        )
    if fips:
        passwords.use(passwords.PBKDF2)
    services = build_services(settings)
    log_plainly()
    # Before anything is opened: the database may be a backup from before an erasure.
    replayed = replay(services.schools, services.erasures)
    if replayed.destroyed or replayed.recorded:
        log.warning("children erased again, whom the database still knew: %d", replayed.destroyed)
    config = configuration(
        create_app(services),
        certificate=certificate,
        key=key,
        host=settings.host,
        port=settings.port,
        fips=fips,
    )
    config.timeout_graceful_shutdown = 10
    config.load()
    context = config.ssl
    assert isinstance(context, ReloadingContext)
    signal.signal(signal.SIGHUP, lambda *_: context.ask())
    if fips:
        log.info("FIPS mode: approved suites, groups and signature algorithms are agreed, and no others")
    # uvicorn passes on what stopped it, once it has stopped: then there is nothing left to do.
    for number in STOPPING:
        signal.signal(number, lambda *_: None)
    try:
        uvicorn.Server(config).run()
    except SystemExit:
        raise Misconfigured(
            f"The API cannot listen on {settings.host}:{settings.port}: is the port taken?"
        ) from None
    finally:
        services.audit.close()
        services.read.close()
        close_shared_database(services.schools.conninfo)
        close_mailer(services)


def work(settings: Settings) -> None:
    """Keeps projections up with the streams until it is told to stop; a batch that has begun is finished.

    Raises:
        Misconfigured: The database or the service's keys are not said, somebody who was erased is there
            again, metrics cannot be served as they are to be, or the tables of a projection are not those of
            this version.
    """
    stop = threading.Event()
    for number in STOPPING:
        signal.signal(number, lambda *_: stop.set())
    log_plainly()
    service_keys = settings.service_keys()
    with Database(settings.conninfo()) as database:
        with database.transaction() as connection:
            check(connection)
        if settings.erasures is not None:
            check_erased(database, settings.register_of_erasures())
        rewrapping = threading.Thread(
            target=keep_rewrapping, args=(database, service_keys, stop), name="rewrapping"
        )
        rewrapping.start()
        log.info("the worker is at work")
        try:
            worker = Worker(database, service_keys)
            with metrics_served(settings, database, worker):
                worker.run(stop)
        finally:  # whatever stopped it: a thread that went on would keep the process from ending
            stop.set()
            rewrapping.join()
    log.info("the worker has stopped")


def log_plainly() -> None:
    """Logs onto standard error, a line for each message, with no colours."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # The connection pool repeats connection strings and errors of the database at length.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
