"""What wakes a worker: the notification that something was appended, or else that it is time to look.

Nothing depends on being woken. A connection that listens can die, unnoticed for a while, and what was said
meanwhile is never said again; so a worker looks from time to time whatever it hears, more often while nobody
listens, and at once when the connection is there again.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

import psycopg

from domain.ledger.announcing import CHANNEL
from domain.ledger.database import Connection, Database

POLL_INTERVAL = 0.05
"""Seconds between looks when there is nothing to do, and nothing would be heard."""

LISTENING_INTERVAL = 1.0
"""Seconds between looks when there is nothing to do, and something would be heard."""

FIRST_BACK_OFF = 0.05
"""Seconds to wait before trying to listen again; twice as long after each further failure."""

LONGEST_BACK_OFF = 10.0
"""Seconds to wait at most between tries to listen again."""

TICK = 0.25
"""Seconds after which it is looked, at the latest, whether it is time to stop."""

TEST_INTERVAL = 10.0
"""Seconds without a notification after which the server is asked whether it is still there."""

log = logging.getLogger(__name__)


class Listener:
    """Listens, in a thread of its own, for as long as its context lasts."""

    def __init__(self, database: Database) -> None:
        """Makes a listener that does not listen yet.

        Args:
            database: Connections of the worker's role.
        """
        self._database = database
        self._heard = threading.Event()
        self._listening = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listening", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()

    @property
    def listening(self) -> bool:
        """Whether there is a connection that hears of appends."""
        return self._listening.is_set()

    def about_to_look(self) -> None:
        """What has been heard so far will be seen: only what is heard from now on counts."""
        self._heard.clear()

    def wait(self, stop: threading.Event) -> None:
        """Returns when something was heard, when it is time to look anyway, or when told to stop."""
        began = time.monotonic()
        while not stop.is_set():
            left = began + (LISTENING_INTERVAL if self.listening else POLL_INTERVAL) - time.monotonic()
            if left <= 0 or self._heard.wait(min(left, TICK)):
                return

    def _run(self) -> None:
        back_off = FIRST_BACK_OFF
        while not self._closed.is_set():
            try:
                with self._database.connect_to_listen() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listening.set()
                    self._heard.set()  # perhaps something was said while nobody listened
                    back_off = FIRST_BACK_OFF
                    self._listen(connection)
            except psycopg.Error as error:
                log.warning("notifications are not heard (%s): looking more often", type(error).__name__)
            finally:
                self._listening.clear()
            self._closed.wait(back_off)
            back_off = min(back_off * 2, LONGEST_BACK_OFF)

    def _listen(self, connection: Connection) -> None:
        test_at = time.monotonic() + TEST_INTERVAL
        while not self._closed.is_set():
            for _ in connection.notifies(timeout=TICK, stop_after=1):
                self._heard.set()
                test_at = time.monotonic() + TEST_INTERVAL
            if time.monotonic() > test_at:
                connection.execute("SELECT 1")
                test_at = time.monotonic() + TEST_INTERVAL
