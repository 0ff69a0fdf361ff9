"""Ports of the tests, and how their proxies end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress


def free_port() -> int:
    """A port that nobody listens on, chosen by the kernel: tests that run beside each other get others."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


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
