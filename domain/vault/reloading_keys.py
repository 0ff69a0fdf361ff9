"""The service's keys while it runs: a change at their source is noticed without a restart."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable
from threading import Lock

from domain.errors import Misconfigured
from domain.vault.key_ring import KeyRing
from domain.vault.key_sources import KeySource

LOOK_AGAIN = 1.0
"""Seconds until a source is looked at again, unless something is asked for that the ring does not hold."""

_UNREACHABLE = object()
"""The version of a source that cannot be reached."""

log = logging.getLogger(__name__)


class ReloadingKeys:
    """The keys of a source, loaded anew when they have changed there; for any number of threads.

    A changed document that cannot be used is logged, once, and the keys that were held stay: a slip in the
    file does not stop a service that runs.

    Args:
        source: Where they come from.
        now: A clock in seconds that never goes back.

    Raises:
        Misconfigured: They cannot be loaded at the start.
    """

    def __init__(self, source: KeySource, now: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._now = now
        self._lock = Lock()
        self._version = source.version()  # before loading: a change between the two is seen at the next look
        self._ring = source.load()
        self._looked = now()

    @property
    def current(self) -> str:
        """The id of the key that wraps and signs now."""
        return self.held().current

    def held(self) -> KeyRing:
        """The keys as they are at this moment, which no change of the source reaches."""
        if self._now() - self._looked >= LOOK_AGAIN:
            self._look()
        return self._ring

    def wrap(self, key: bytes, place: bytes) -> bytes:
        """Wraps a key under the current one; see :meth:`held` for storing its id beside the result."""
        return self.held().wrap(key, place)

    def unwrap(self, key_id: str, wrapped: bytes, place: bytes) -> bytes:
        """The key that was wrapped; an id that is not known is looked for in the source at once.

        Raises:
            KeyNotHeld: There is no key of that id, or there is none any more.
            DoesNotOpen: It was wrapped under another key or for another place, or it was damaged.
        """
        if not self.held().holds(key_id):
            self._look()
        return self._ring.unwrap(key_id, wrapped, place)

    def sign(self, message: bytes) -> bytes:
        """The id of the issuer and its signature over the message."""
        return self.held().sign(message)

    def is_signed(self, signed: bytes, message: bytes) -> bool:
        """Whether one of the keys signed the message.

        The source is looked at each time, not only for an unknown issuer, so that it costs the same for all.
        """
        self._look()
        return self._ring.is_signed(signed, message)

    def digest(self, purpose: str, value: bytes) -> bytes:
        """A keyed digest of the value for one purpose."""
        return self.held().digest(purpose, value)

    def _look(self) -> None:
        """Loads the ring if the source has changed since it was last tried."""
        with self._lock:
            self._looked = self._now()
            version: Hashable = _UNREACHABLE
            try:
                version = self._source.version()
                if version != self._version:
                    self._ring = self._source.load()
            except Misconfigured as error:
                if version != self._version:
                    log.warning(
                        "the service keys cannot be loaded anew, so the old ones stay: %s", error.message
                    )
            self._version = version
