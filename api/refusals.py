"""Handshakes that fail: the client gets the alert, and the log says what it lacked.

Neither asyncio nor uvloop sees to that: when `do_handshake` fails, they drop the connection with the alert
still in its buffer, and take the error for a fault of the network. So the handshake itself reports the error
here, and has the alert sent before it lets the error out.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable

MOST_LINES = 5
"""So many lines with the same reason are logged in a period; the others are counted."""

PERIOD = 60.0
"""Seconds."""

REASONS = {
    # OpenSSL says so, too, of a client of TLS 1.2 whose suites would do, but for its groups or signatures.
    "NO_SHARED_CIPHER": (
        "it offers no cipher suite that is agreed here, or no group or signature to use one with"
    ),
    "UNSUPPORTED_PROTOCOL": "it speaks no version of TLS from 1.2 on",
    "VERSION_TOO_LOW": "it speaks no version of TLS from 1.2 on",
    "UNKNOWN_PROTOCOL": "it speaks no version of TLS from 1.2 on",
    "INAPPROPRIATE_FALLBACK": "it has fallen back to an older version of TLS than both sides speak",
    "NO_SUITABLE_KEY_SHARE": "it offers no group for the key exchange that is agreed here",
    "NO_SHARED_GROUPS": "it offers no group for the key exchange that is agreed here",
    "NO_SUITABLE_GROUPS": "it offers no group for the key exchange that is agreed here",
    "NO_SHARED_SIGNATURE_ALGORITHMS": "it offers no signature algorithm that is agreed here",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "it offers no signature algorithm that is agreed here",
    "HTTP_REQUEST": "it speaks plain HTTP, and only HTTPS is spoken here",
    "HTTPS_PROXY_REQUEST": "it takes this service for a proxy",
    "WRONG_VERSION_NUMBER": "what it sends is not TLS",
    "RECORD_LAYER_FAILURE": "what it sends is not TLS",
    "PACKET_LENGTH_TOO_LONG": "what it sends is not TLS",
}
"""What a client lacked, by OpenSSL's name for the error (`SSL_R_…` in its `sslerr.h`)."""

log = logging.getLogger(__name__)


class Refusals:
    """Says in the log why clients were refused, and never who they were; no more often than a disk can bear.

    Args:
        fips: Whether the service is in FIPS mode, which may be why.
        clock: Seconds, from whenever.
    """

    def __init__(self, *, fips: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._mode = " (this service is in FIPS mode: approved suites and groups only)" if fips else ""
        self._clock = clock
        self._period_ends = clock() + PERIOD
        self._seen: Counter[str] = Counter()

    def refused(self, reason: str) -> None:
        """Logs that a client was refused, unless that has been said often enough."""
        self.catch_up()
        self._seen[reason] += 1
        if self._seen[reason] <= MOST_LINES:
            log.warning("refused a TLS client: %s%s", reason, self._mode)

    def catch_up(self) -> None:
        """Once a period is over, says how many lines were left out in it; to be called every now and then."""
        if self._clock() < self._period_ends:
            return
        for reason, times in self._seen.items():
            if times > MOST_LINES:
                log.warning("refused %d more TLS clients: %s%s", times - MOST_LINES, reason, self._mode)
        self._seen.clear()
        self._period_ends = self._clock() + PERIOD


class AttendedHandshake(ssl.SSLObject):
    """The server's side of a connection, whose handshake does not fail in silence."""

    _outgoing: ssl.MemoryBIO
    _refusals: Refusals
    _error: ssl.SSLError | None = None

    def attend(self, outgoing: ssl.MemoryBIO, refusals: Refusals) -> None:
        """Takes what a failed handshake needs: the buffer that an alert is in, and who is told of it."""
        self._outgoing, self._refusals = outgoing, refusals

    def do_handshake(self) -> None:
        """Goes on with the handshake, as far as it goes with what has come.

        After a failure with an alert it asks for more to read, once, which has the event loop send the alert.
        The client then closes; if anything else comes, or the time for a handshake is over, the loop does.

        Raises:
            SSLWantReadError: More must come from the client, or an alert must go to it.
            SSLError: The handshake has failed.
        """
        if self._error is not None:
            raise self._error
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            self._refusals.refused(self._reason_of(error))
            if not self._outgoing.pending:
                raise
            self._error = error.with_traceback(None)
            raise ssl.SSLWantReadError from None

    def _reason_of(self, error: ssl.SSLError) -> str:
        name = error.reason or "no reason given"
        if "_ALERT_" in name:
            return f"it broke off, with an alert of its own [{name}]"
        return f"{REASONS.get(name, 'the handshake failed')} [{name}]"
