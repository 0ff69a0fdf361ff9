"""A proxy between an application and PostgreSQL that cuts connections at the worst of moments."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.sockets import end, end_all

READY = b"Z\x00\x00\x00\x05I"
"""ReadyForQuery outside any transaction: what the statement did is committed."""


class Cut(Enum):
    """When the connection breaks."""

    BEFORE_IT_ARRIVES = "the server never sees the statement"
    AFTER_THE_COMMIT = "the server has committed, and its answer gets lost"
    NOT_YET = "nothing breaks: what comes next is looked for behind this statement"


class Proxy:
    """Listens on a Unix socket of its own, and passes everything on until it is told to cut."""

    def __init__(self, conninfo: str) -> None:
        parameters = conninfo_to_dict(conninfo)
        name = f".s.PGSQL.{parameters['port']}"
        self._folder = Path(tempfile.mkdtemp(prefix="tt-proxy-"))
        self._server = f"{parameters['host']}/{name}"
        self.conninfo = make_conninfo(conninfo, host=str(self._folder))
        self.cuts: list[tuple[Cut, bytes]] = []
        """What to do next: when to cut, and the text of the statement to do it at. Done ones are removed."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._folder / name))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end_all((self._listener, *self._open), self._threads)
        shutil.rmtree(self._folder)

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._open += [client, server]
            mute = threading.Event()
            for pump in (self._to_server, self._to_client):
                thread = threading.Thread(target=pump, args=(client, server, mute), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _to_server(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 20):
                while self.cuts and self.cuts[0][0] is Cut.NOT_YET and self.cuts[0][1] in data:
                    self.cuts.pop(0)
                if self.cuts and self.cuts[0][0] is not Cut.NOT_YET and self.cuts[0][1] in data:
                    cut, _ = self.cuts.pop(0)
                    if cut is Cut.BEFORE_IT_ARRIVES:
                        break
                    mute.set()
                server.sendall(data)
        end(client)
        end(server)

    def _to_client(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 20):
                if not mute.is_set():
                    client.sendall(data)
                elif data.endswith(READY):
                    break
        end(client)
        end(server)
