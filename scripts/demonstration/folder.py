"""The demo's folder: everything that it makes, its secrets readable by nobody else."""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import msgspec

from domain.errors import Conflict, Misconfigured
from domain.vault import private_files
from domain.vault.key_ring import new_ring
from domain.vault.key_sources import write
from domain.vault.login_key import laid_out
from domain.vault.recovery_pair import write_recovery_pair

LONGEST_STOP = 30.0
"""Seconds that an earlier demo has for stopping."""


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a later run has to know of the first.

    Attributes:
        day: The day that the schools were made up for.
        seed: What they were made up with.
    """

    day: date
    seed: int


class DemoFolder:
    """The folder of one demo.

    Args:
        path: Where it is, or goes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgresql = path / "postgresql"
        self.certificates = path / "certificates"
        self.files = path / "files"
        self.logs = path / "logs"
        self.client = path / "client"
        self.password_file = path / "password"
        self.operator_token_file = path / "operator-token"
        self.service_key_file = path / "service-keys.json"
        self.recovery = path / "recovery"
        self.login_keys = path / "login-keys"
        self.erasures = path / "erasures"
        self.environment_file = path / "environment"
        self._state_file = path / "state.json"
        self._lock_file = path / "lock"

    @contextmanager
    def held(self, *, take_over: bool) -> Iterator[None]:
        """Makes sure that nobody else runs this demo meanwhile.

        Args:
            take_over: Stop another one that runs, instead of refusing.

        Raises:
            Conflict: Another one runs.
        """
        self.path.mkdir(exist_ok=True)
        with self._lock_file.open("a+") as lock:
            if not _taken(lock.fileno()):
                lock.seek(0)
                process = lock.read().strip()
                if not take_over:
                    raise Conflict(
                        f"This demo runs already, as process {process}: "
                        "stop it there with Ctrl-C, or start again with --fresh"
                    )
                with suppress(ValueError, ProcessLookupError):
                    os.kill(int(process), signal.SIGTERM)
                deadline = time.monotonic() + LONGEST_STOP
                while not _taken(lock.fileno()):
                    if time.monotonic() > deadline:
                        raise Conflict(f"The demo that runs as process {process} does not stop")
                    time.sleep(0.1)
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def prepare(self, today: date) -> State:
        """Makes what is not there yet, and reads what is.

        Raises:
            Misconfigured: The folder is damaged.
        """
        # The user that root's database server runs as has to pass through, and can see nothing.
        self.path.chmod(0o711)
        for folder in (self.files, self.logs, self.client, self.recovery, self.login_keys):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not self.service_key_file.exists():
            write(self.service_key_file, new_ring())
        if not self.recovery_public.exists():
            write_recovery_pair(self.recovery)
        _write_once(self.password_file, f"demo-{secrets.token_urlsafe(16)}\n")
        _write_once(self.operator_token_file, f"{secrets.token_urlsafe(32)}\n")
        _write_once(self._state_file, msgspec.json.encode(State(day=today, seed=1)).decode())
        try:
            return msgspec.json.decode(self._state_file.read_bytes(), type=State)
        except msgspec.MsgspecError:
            raise Misconfigured(f"{self._state_file} is damaged: start again with --fresh") from None

    @property
    def recovery_public(self) -> Path:
        """The public half of the recovery pair, which the service knows."""
        return self.recovery / "recovery-public.key"

    @property
    def recovery_private(self) -> Path:
        """The private half, which would be kept offline."""
        return self.recovery / "recovery-private.key"

    def login_key_file(self, urn: str) -> Path:
        """The file of a school's login key."""
        return self.login_keys / f"{urn}.key"

    def login_key(self, urn: str) -> str:
        """A school's login key."""
        return self.login_key_file(urn).read_text(encoding="ascii")

    def keep_login_key(self, urn: str, login_key: str) -> None:
        """Writes a school's login key into its file."""
        _write_once(self.login_key_file(urn), laid_out(login_key) + "\n")

    def password(self) -> str:
        """The password of every account of the demo."""
        return self.password_file.read_text().strip()

    def operator_token(self) -> str:
        """The operator's token."""
        return self.operator_token_file.read_text().strip()

    def write_environment(self, variables: Mapping[str, str], commands: Path) -> None:
        """Writes the file that a shell reads to use the demo.

        Args:
            variables: What to set.
            commands: The folder of the `target-tracker` command.
        """
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        lines.append(f'export PATH={shlex.quote(str(commands))}:"$PATH"')
        private_files.write(self.environment_file, ("\n".join(lines) + "\n").encode())

    def remove(self) -> None:
        """Removes everything but the lock."""
        for entry in self.path.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry != self._lock_file:
                entry.unlink()


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_once(path: Path, content: str) -> None:
    """Writes a file whole, unless it is there."""
    if not path.exists():
        private_files.write(path, content.encode())
