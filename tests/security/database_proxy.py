"""A database on another host, played by a proxy: it ends TLS, and passes on what PostgreSQL is sent.

The embedded server listens on a Unix socket alone. With `sslnegotiation=direct` libpq begins with TLS, as an
HTTPS client does (PostgreSQL's documentation, "SSL Session Encryption"), so that an ordinary TLS server can
stand before it.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.security.conftest import Pair
from tests.sockets import end, end_all

HOST = "db.school.example"
"""What the database's host is called. `hostaddr` says where it is, so that nobody is asked for the name."""


class DatabaseProxy:
    """Listens on the loopback address with a certificate, in front of a database on a Unix socket.

    Args:
        conninfo: How the database is reached, with a role and the file of its password.
        pair: The proxy's certificate.
    """

    def __init__(self, conninfo: str, pair: Pair) -> None:
        parameters = conninfo_to_dict(conninfo)
        self._conninfo = conninfo
        self._server = f"{parameters['host']}/.s.PGSQL.{parameters['port']}"
        self._passwords = Path(str(parameters["passfile"]))
        self.received = b""
        """What clients have sent, within TLS."""
        self.versions: list[str | None] = []
        """The versions of TLS that were agreed."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.certificate, pair.key)
        self._context.set_alpn_protocols(["postgresql"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._refuses = False
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        end_all((self._listener, *self._open), self._threads)

    def conninfo(self, authority: Path, passwords: Path, **more: str) -> str:
        """How to connect to it as if it were elsewhere.

        Args:
            authority: The file of the certificates to trust.
            passwords: The password file to write for that.
            more: Other parameters, or other values.
        """
        port = str(self._listener.getsockname()[1])
        # A password file is asked for the host's name, not for its address.
        lines = self._passwords.read_text().splitlines()
        passwords.touch(0o600)
        passwords.write_text("".join(f"*:*:{line.split(':', 2)[2]}\n" for line in lines))
        parameters = {
            "host": HOST,
            "hostaddr": "127.0.0.1",
            "port": port,
            "sslmode": "verify-full",
            "sslnegotiation": "direct",
            "sslrootcert": str(authority),
            "passfile": str(passwords),
            "connect_timeout": "10",
        }
        return make_conninfo(self._conninfo, **(parameters | more))

    def offer_only(self, suite: str) -> None:
        """Agrees to TLS 1.2 and this suite, and to nothing else, from now on."""
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_ciphers(suite)

    def refuse_tls(self) -> None:
        """Answers requests for TLS with a plain no, from now on; what comes after counts as received."""
        self._refuses = True

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        if self._refuses:
            # An SSLRequest has eight bytes (the documentation, "Message Formats").
            client.recv(8)
            client.sendall(b"N")
            self.received += client.recv(1 << 16)
            end(client)
            return
        try:
            secured = self._context.wrap_socket(client, server_side=True)
        except OSError:
            end(client)
            return
        self.versions.append(secured.version())
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        self._open += [secured, server]
        for source, sink in ((secured, server), (server, secured)):
            thread = threading.Thread(target=self._pump, args=(source, sink), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if isinstance(source, ssl.SSLSocket):
                    self.received += data
                sink.sendall(data)
        end(source)
        end(sink)
