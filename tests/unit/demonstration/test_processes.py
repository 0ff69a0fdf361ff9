"""Waiting for a service that has been started: it ends, whether the service answers or not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import Misconfigured
from scripts.cli.client import Client
from scripts.demonstration.processes import Processes, wait_until_it_answers


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a port that somebody holds, and at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with Client(f"https://127.0.0.1:{taken.getsockname()[1]}") as client:
            yield client


def test_a_service_that_never_answers_is_said_to_be_one(client: Client, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"127.* has not answered .* for 0\.2 seconds: nothing answers"):
        wait_until_it_answers(client, Processes(tmp_path), longest=0.2)


def test_a_process_that_has_ended_is_not_waited_for(client: Client, tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    began = time.monotonic()
    processes.start("serve", {})
    try:
        with pytest.raises(Misconfigured, match=r"target-tracker serve has ended:\n.*TARGET_TRACKER_"):
            wait_until_it_answers(client, processes, longest=60)
    finally:
        processes.stop()
    assert time.monotonic() - began < 50
