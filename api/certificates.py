"""The server's certificate, which may change under a running service."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any, Self

from api.refusals import AttendedHandshake, Refusals
from api.transport import server_context
from domain.errors import Misconfigured

log = logging.getLogger(__name__)

State = tuple[tuple[int, int, int, int] | None, ...]
"""What is compared to see whether files have changed; nothing for a file that is not there."""


class ReloadingContext(ssl.SSLContext):
    """What a server is given as its context: each new connection gets that of the newest good certificate.

    Connections keep the context that they began with. A changed pair of files is tried as a whole before it
    is used; one that does not fit is refused, and the old one stays.

    Args:
        certificate: The server's certificate, in PEM, with those between it and the authority after it.
        key: Its private key, in PEM, without a passphrase.
        fips: Whether to agree to what is approved, and nothing else.

    Raises:
        Misconfigured: See :func:`api.transport.server_context`.
    """

    _certificate: Path
    _key: Path
    _fips: bool
    _current: ssl.SSLContext
    _refusals: Refusals
    _used: State
    _seen: State
    _asked: bool

    def __new__(cls, certificate: Path, key: Path, *, fips: bool = False) -> Self:
        """Reads the files for the first time."""
        self = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        self._certificate, self._key, self._fips = certificate, key, fips
        self._refusals = Refusals(fips=fips)
        self._asked = False
        self._used = self._seen = self._state()
        self._current = self._read()
        return self

    @property
    def current(self) -> ssl.SSLContext:
        """The context of the connections that begin now."""
        return self._current

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begins a connection; this is what event loops call."""
        made = self._current.wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(made, AttendedHandshake):
            made.attend(outgoing, self._refusals)
        return made

    def ask(self) -> None:
        """Has the next :meth:`look` read the files, changed or not. Safe in a signal's handler."""
        self._asked = True

    async def look(self) -> None:
        """Reads the files again if they have changed, or if that was asked for; to be called every second.

        A change is taken up at the second look, so that a pair that is being replaced is seen whole.
        """
        self._refusals.catch_up()
        state, self._seen = self._seen, self._state()
        if self._asked or self._seen == state != self._used:
            self._asked = False
            self._used = self._seen
            self._reload()

    def _reload(self) -> None:
        try:
            self._current = self._read()
        except Misconfigured as error:
            log.warning("the certificate was not reloaded, and the old one stays in use: %s", error)
        else:
            log.info("the certificate was reloaded: new connections get it")

    def _read(self) -> ssl.SSLContext:
        context: Any = server_context(self._certificate, self._key, fips=self._fips)
        context.sslobject_class = AttendedHandshake
        read: ssl.SSLContext = context
        return read

    def _state(self) -> State:
        return tuple(map(_state_of, (self._certificate, self._key)))


def _state_of(path: Path) -> tuple[int, int, int, int] | None:
    """What changes when a file does, whether it is written to or replaced, itself or by its link."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
