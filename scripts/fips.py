"""FIPS mode begins before OpenSSL is loaded: a process that asks for it late is executed anew."""

from __future__ import annotations

import os
import sys

from api.transport import APPROVED_CONFIGURATION


def start_anew() -> None:
    """Executes this process anew with the OpenSSL configuration of FIPS mode, unless it has one already.

    It stays the same process: its id, parent, arguments, files and ignored signals are kept. A configuration
    that OPENSSL_CONF names already is left alone, since it may choose a validated module; whether it confines
    TLS as it must is checked when the service starts (:func:`api.transport.server_context`).
    """
    if os.environ.get("OPENSSL_CONF"):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(  # noqa: S606 - it is this very command
        sys.executable,
        [sys.executable, *sys.orig_argv[1:]],
        os.environ | {"OPENSSL_CONF": str(APPROVED_CONFIGURATION)},
    )
