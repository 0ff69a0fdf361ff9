"""How the API is served: HTTPS and nothing else, in the TLS that :mod:`api.transport` describes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI

from api.certificates import ReloadingContext

LONGEST_HANDSHAKE = 10.0
"""Seconds that a client has for its handshake, and for closing once it was refused."""


class Loop(uvloop.Loop):
    """The event loop of the service, which does not wait for handshakes as long as uvloop's own minute."""

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Listens, as the loop that it is made from."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", LONGEST_HANDSHAKE)
        server: asyncio.AbstractServer = await super().create_server(*arguments, **options)
        return server


def configuration(
    app: FastAPI,
    *,
    certificate: Path,
    key: Path,
    host: str = "127.0.0.1",
    port: int = 8443,
    fips: bool = False,
) -> uvicorn.Config:
    """What uvicorn needs to know; its own access log, which would hold query strings, stays off.

    Args:
        app: The application.
        certificate: The server's certificate, in PEM, with those between it and the authority after it. It is
            read again when it changes.
        key: Its private key, in PEM, without a passphrase.
        host: The address to listen on.
        port: The port; 0 for any that is free.
        fips: Whether to agree to approved suites, groups and signature algorithms only.

    Raises:
        Misconfigured: The files are not a certificate and its key; or, in FIPS mode, more would be agreed to
            than what is approved.
    """
    # It stays silent even where somebody has given it a handler.
    logging.getLogger("uvicorn.access").disabled = True
    context = ReloadingContext(certificate, key, fips=fips)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_context_factory=lambda *_: context,
        # uvicorn looks about once a second.
        callback_notify=context.look,
        timeout_notify=0,
        loop=f"{__name__}:Loop",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
    )
