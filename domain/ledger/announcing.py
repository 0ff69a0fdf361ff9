"""Telling whoever listens that something was appended: seldom, and never in the transaction of an append.

A transaction that notifies takes a lock when it commits which every database of the server shares, and
appends of all schools would stand in that one queue. So a process that has appended says so a moment later,
in a transaction of its own, and many appends are told of at once. It is a hint and nothing more: whoever
works on what was appended looks for it anyway. The hint says nothing, not even which school it is about,
since every role that may connect can listen.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg

CHANNEL = "target_tracker_appended"
"""What to listen on."""

INTERVAL = 0.025
"""Seconds between notifications of one process, at least."""

PATIENCE = 1.0
"""Seconds to wait for a connection: whoever polls has found it by then."""

log = logging.getLogger(__name__)

Connecting = Callable[[float], AbstractContextManager["psycopg.Connection[tuple[Any, ...]]"]]
"""Lends a connection in autocommit mode, within so many seconds."""


class Announcer:
    """Tells of appends, from a thread of its own that begins with the first; many threads may use it."""

    def __init__(self, connecting: Connecting) -> None:
        """Makes an announcer that does nothing yet.

        Args:
            connecting: Where it borrows a connection for each notification.
        """
        self._connecting = connecting
        self._due = threading.Event()
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def announce(self) -> None:
        """Has others told, soon, that something was appended; costs whoever appended nothing."""
        if self._due.is_set():
            return
        self._due.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None and not self._closed.is_set():
                    self._thread = threading.Thread(target=self._run, name="announcing", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        """Tells of what has not been told of yet, and ends."""
        with self._starting:
            self._closed.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._due.wait()
            self._due.clear()
            try:
                with self._connecting(PATIENCE) as connection:
                    connection.execute(f"NOTIFY {CHANNEL}")
            except psycopg.Error as error:
                log.debug("an append was not announced: %s", type(error).__name__)
            self._closed.wait(INTERVAL)
