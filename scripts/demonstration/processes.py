"""The demo's child processes: the API and the worker, which end when the demo does."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from domain.errors import Misconfigured
from scripts.cli.client import Client
from scripts.cli.failures import Refused, Unreachable

FIRST_PORT = 8443
PORTS = range(FIRST_PORT, FIRST_PORT + 100)

LONGEST_START = 30.0
"""Seconds that the API has to answer for the first time."""

LONGEST_STOP = 15.0
"""Seconds that a process has for stopping by itself."""

_SET_DEATH_SIGNAL = 1


class Processes:
    """Commands that run beside this one.

    Args:
        logs: The folder that their output goes to.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, settings: Mapping[str, str]) -> None:
        """Starts a subcommand of `target-tracker`.

        Args:
            name: The subcommand.
            settings: The environment variables that it needs.
        """
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **settings}
        with self._log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                [commands() / "target-tracker", name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # Ctrl-C is for the demo, which then stops them in their order.
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def check(self) -> None:
        """Makes sure that all of them still run.

        Raises:
            Misconfigured: One has ended; the message holds the last lines that it wrote.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                said = self._log(name).read_text(errors="replace").splitlines()[-10:]
                raise Misconfigured(f"target-tracker {name} has ended:\n" + "\n".join(said))

    def stop(self) -> None:
        """Stops all of them, the first started first."""
        for process in self._running.values():
            process.terminate()
            try:
                process.wait(LONGEST_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def wait_until_it_answers(client: Client, processes: Processes, longest: float = LONGEST_START) -> None:
    """Returns when the API answers that it is well.

    Args:
        client: What asks it.
        processes: What it runs among; if one of them ends, there is nothing to wait for.
        longest: Seconds that it has.

    Raises:
        Misconfigured: A process has ended, or the time is over; the message holds what was said last.
    """
    deadline = time.monotonic() + longest
    while True:
        processes.check()
        try:
            client.query("/v1/health")
        except (Unreachable, Refused) as error:
            if time.monotonic() > deadline:
                raise Misconfigured(
                    f"The service at {client.server} has not answered as it should for {longest:g} seconds: "
                    f"{error.message}"
                ) from None
            time.sleep(0.05)
        else:
            return


def commands() -> Path:
    """The folder of the commands that are installed with this Python."""
    return Path(sys.executable).parent


def _end_with_parent() -> None:
    """Has the kernel end this process when the demo is killed and cannot."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)


def free_port() -> int:
    """The first port from 8443 on that nobody listens on.

    Raises:
        Misconfigured: They are all taken.
    """
    for port in PORTS:
        with socket.socket() as trial, suppress(OSError):
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
            return port
    raise Misconfigured(f"The ports {PORTS.start} to {PORTS.stop - 1} are all taken")
