"""Sends mail in the background, so that how long a request takes says nothing about whether mail was sent."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from domain.mail import Mailer, MailNotSent

ROOM = 100
"""Mails that wait at most: a school asks for a new password now and then."""

WAITS = (1.0, 5.0, 25.0)
"""Seconds before each further try."""

LONGEST_CLOSING = 10.0
"""Seconds that closing takes at most."""

log = logging.getLogger(__name__)

_Mail = tuple[str, str, str]


class QueuedMailer:
    """A mailer that hands mail to another one in a thread of its own, and tries again what may yet pass.

    What fails is logged by its class: never an address, a text or what a server said.
    """

    def __init__(self, mailer: Mailer, *, room: int = ROOM, waits: Sequence[float] = WAITS) -> None:
        """Starts the thread.

        Args:
            mailer: What sends.
            room: How many mails may wait; further ones are dropped.
            waits: Seconds before each further try of a mail that may yet pass.
        """
        self._mailer = mailer
        self._waits = tuple(waits)
        self._mails: queue.Queue[_Mail | None] = queue.Queue(room)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="mail", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, to: str, subject: str, text: str) -> None:
        """Has a mail sent soon; returns at once, and raises nothing, whatever becomes of it."""
        with self._lock:
            if self._closing.is_set():
                log.error("a mail was not sent: the service is stopping")
                return
            try:
                self._mails.put_nowait((to, subject, text))
            except queue.Full:
                log.error(  # noqa: TRY400 - a traceback would say no more
                    "a mail was not sent: %d are waiting already", self._mails.maxsize
                )

    def close(self, within: float = LONGEST_CLOSING) -> None:
        """Sends what is waiting, with no pause before further tries, and stops.

        Args:
            within: Seconds; what has not been sent by then is dropped.
        """
        deadline = time.monotonic() + within
        with self._lock:
            self._closing.set()
        with suppress(queue.Full):
            self._mails.put(None, timeout=within)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        dropped = 0
        with suppress(queue.Empty):
            while True:
                dropped += self._mails.get_nowait() is not None
        if self._thread.is_alive():
            # It ends after the mail that it is at.
            self._mails.put(None)
            log.error("the service stops while %d mails are still to be sent", dropped + 1)

    def _work(self) -> None:
        while (mail := self._mails.get()) is not None:
            self._deliver(mail)

    def _deliver(self, mail: _Mail) -> None:
        for wait in (*self._waits, None):
            try:
                self._mailer.send(*mail)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next mail must go out
                # The class alone: a message or a traceback might say who gets mail.
                log.warning("a mail was not sent: %s", type(error).__name__)
                if wait is None or not (isinstance(error, MailNotSent) and error.may_pass):
                    return
                self._closing.wait(wait)
            else:
                log.info("a mail was sent")
                return
