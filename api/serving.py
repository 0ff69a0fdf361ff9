"""How the API is served: HTTPS and nothing else, TLS 1.2 at least."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI


def configuration(
    app: FastAPI, *, certificate: Path, key: Path, host: str = "127.0.0.1", port: int = 8443
) -> uvicorn.Config:
    """What uvicorn needs to know; its own access log, which would hold query strings, stays off.

    Args:
        app: The application.
        certificate: The server's certificate, in PEM, with those between it and the authority after it.
        key: Its private key, in PEM.
        host: The address to listen on.
        port: The port; 0 for any that is free.
    """
    # It stays silent even where somebody has given it a handler.
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_context_factory=_context,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
    )


def _context(_: uvicorn.Config, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
