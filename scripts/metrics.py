"""The worker's metrics over HTTP, for a monitoring system on the same host; over HTTPS, for one elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from domain.errors import Misconfigured
from domain.ledger.database import Database
from projections.metrics import LagCollector, Working
from scripts.composition import PREFIX, Settings, is_here


@contextmanager
def metrics_served(settings: Settings, database: Database, worker: Working) -> Iterator[None]:
    """Answers with the metrics of a worker for as long as the context lasts, if that is asked for.

    Args:
        settings: How the process is configured.
        database: Connections of the worker's role.
        worker: The worker.

    Raises:
        Misconfigured: They would cross a network in the clear, the certificate and its key do not fit
            together, or the port is taken.
    """
    if settings.metrics is None:
        yield
        return
    host, port = settings.metrics
    certificate, key = settings.tls_certificate, settings.tls_key
    if not is_here(host) and not (certificate and key):
        raise Misconfigured(
            f"{PREFIX}METRICS can be reached from other machines: {PREFIX}TLS_CERTIFICATE and "
            f"{PREFIX}TLS_KEY must name the files of a certificate and its key"
        )
    registry = CollectorRegistry()
    registry.register(LagCollector(database, worker))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(
            port,
            host,
            registry,
            certfile=str(certificate) if certificate and key else None,
            keyfile=str(key) if certificate and key else None,
        )
    except OSError as error:
        raise Misconfigured(
            f"Metrics cannot be served on {host}:{port} ({type(error).__name__}): is the port taken, "
            "and are the certificate and its key what they should be?"
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
