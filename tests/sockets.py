"""How proxies of the tests end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress


def end(connection: socket.socket) -> None:
    """Closes a connection, or what listens for them, under whoever is reading from it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def end_all(connections: Iterable[socket.socket], threads: Iterable[threading.Thread]) -> None:
    """Closes them, and waits for the threads that read from them."""
    for connection in connections:
        end(connection)
    for thread in threads:
        thread.join(10)
