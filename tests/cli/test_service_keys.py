"""The service's own keys: made once, changed while everything runs, and forgotten when nothing needs them."""

from __future__ import annotations

import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.vault import key_files
from domain.vault.key_ring import retired
from domain.vault.key_sources import FileSource, write
from domain.vault.recovery_pair import read_recovery_private, read_recovery_public
from domain.vault.reloading_keys import LOOK_AGAIN
from scripts.cli.client import POSITION
from tests.cli.conftest import PASSWORD, Run, Service, admit, log_in, new_service, running
from tests.conftest import TestDatabase


@pytest.fixture
def service(test_database: TestDatabase, tmp_path: Path) -> Service:
    """A service of the test's own: others' keys must stay."""
    folder = tmp_path / "service"
    folder.mkdir()
    return new_service(test_database, folder)


class Work:
    """Somebody who never stops working, request by request: what is refused is noted, and not tried again.

    Every round logs in, admits a child and reads the roll, which shows the child only once a worker, who
    needs the service's key, has opened and sealed the record.
    """

    def __init__(self, service: Service, urn: str) -> None:
        self.refused: list[str] = []
        self.rounds = 0
        self._stop = threading.Event()
        self._service, self._urn = service, urn
        self._thread = threading.Thread(target=self._go_on)

    @contextmanager
    def going_on(self) -> Iterator[Work]:
        """Works until the end of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()

    def wait_for_rounds(self, number: int) -> None:
        """Waits until that many more rounds are done, or one has failed."""
        wanted, deadline = self.rounds + number, time.monotonic() + 60
        while self.rounds < wanted and not self.refused:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _go_on(self) -> None:
        trust = ssl.create_default_context(cafile=self._service.certificates.ca)
        with httpx.Client(verify=trust, base_url=self._service.url, timeout=60) as http:
            while not (self._stop.is_set() or self.refused):
                try:
                    self._round(http)
                except httpx.HTTPError as error:
                    self.refused.append(repr(error))

    def _round(self, http: httpx.Client) -> None:
        login_key = "".join(self._service.login_key(self._urn).split())
        credentials = {"login_key": login_key, "username": "head", "password": PASSWORD}
        opened = self._noted(http.post("/v1/sessions", json=credentials))
        headers = {"Authorization": f"Bearer {opened.get('token')}"}
        child = {
            "surname": f"Child{self.rounds}",
            "forename": "Robin",
            "date_of_birth": "2018-03-04",
            "sex": "F",
            "date_of_entry": "2022-09-01",
        }
        admitted = http.post("/v1/pupils", json=child, headers=headers)
        self._noted(admitted)
        asked = {"min_position": admitted.headers.get(POSITION, "0"), "limit": "1"}
        self._noted(http.get("/v1/pupils", params=asked, headers=headers))
        self._noted(http.delete("/v1/sessions/current", headers=headers))
        self.rounds += 1

    def _noted(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            self.refused.append(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
        said = answer.json() if answer.content else {}
        return said if isinstance(said, dict) else {}


def keys_in(run: Run) -> dict[str, tuple[str, int]]:
    """What `keys status` shows: whether each key is current, and how many schools need it."""
    heading, *lines = run("keys", "status").out.splitlines()
    assert heading.split() == ["Service", "key", "Current", "Schools"]
    return {key: (current, int(number)) for key, current, number in map(str.split, lines)}


def school(run: Run, service: Service, urn: str) -> str:
    log_in(run, service, urn)
    return admit(run, "Adams")


def test_the_key_is_changed_while_everything_runs_and_not_one_request_fails(
    run: Run, service: Service, request: pytest.FixtureRequest
) -> None:
    with running(service) as processes:
        urn = request.getfixturevalue("urn")
        pupil = school(run, service, urn)
        [first] = keys_in(run)
        with Work(service, urn).going_on() as work:
            work.wait_for_rounds(2)
            said = run("keys", "rotate").out
            second = FileSource(service.service_key_file).load().current
            assert second in said
            assert second != first
            kept = keys_in(run)
            assert kept[second][0] == "yes"
            deadline = time.monotonic() + 60
            while first in keys_in(run):
                assert time.monotonic() < deadline
                time.sleep(0.5)
            assert keys_in(run) == {second: ("yes", 1)}
            said = run("keys", "retire").out
            assert said == f"{service.service_key_file} holds the key {second} and no other.\n"
            work.wait_for_rounds(3)
            time.sleep(LOOK_AGAIN)  # from here on, every process has seen that the first is gone
            work.wait_for_rounds(3)
        processes.check()
        assert work.refused == []
        ring = FileSource(service.service_key_file).load()
        assert ([key.id for key in ring.keys], [issuer.id for issuer in ring.issuers]) == (
            [second],
            [second, first],
        )
        # The login key was signed with the first.
        log_in(run, service, urn)
        assert "Adams" in run("pupils", "show", pupil).out


def test_a_key_that_is_forgotten_too_early_would_be_noticed(
    run: Run, service: Service, request: pytest.FixtureRequest
) -> None:
    """The sabotaged twin: the first key goes before anything is wrapped anew, and the same work fails."""
    with running(service):
        urn = request.getfixturevalue("urn")
        school(run, service, urn)
        with Work(service, urn).going_on() as work:
            work.wait_for_rounds(1)
            run("keys", "rotate")
            write(service.service_key_file, retired(FileSource(service.service_key_file).load(), set()))
            work.wait_for_rounds(1000)
        [refused] = work.refused
        assert "school-stopped" in refused


def test_a_key_that_is_in_use_is_not_forgotten(
    run: Run, service: Service, request: pytest.FixtureRequest
) -> None:
    with running(service, "serve"):  # and no worker, who would wrap everything anew
        school(run, service, request.getfixturevalue("urn"))
        [first] = keys_in(run)
        run("keys", "rotate")
        assert keys_in(run)[first] == ("no", 1)
        before = service.service_key_file.read_bytes()
        assert f"still wrapped under {first}: " in run("keys", "retire", expect=1).error
        assert service.service_key_file.read_bytes() == before


def test_the_services_keys_are_made_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "service-keys.json"
    said = run("keys", "init-service", "--file", file).out
    current = FileSource(file).load().current
    assert said.startswith(f"{file} holds the service's key {current}.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert FileSource(file).load().keys[0].secret.hex() not in said
    assert f"{file} exists" in run("keys", "init-service", "--file", file, expect=1).error
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "nowhere")
    run("keys", "init-service", "--file", dangling, expect=1)
    assert file.read_bytes() == before
    assert dangling.is_symlink()
    assert not (tmp_path / "nowhere").exists()
    elsewhere = tmp_path / "no" / "service-keys.json"
    assert "cannot be written" in run("keys", "init-service", "--file", elsewhere, expect=2).error


def test_a_file_that_was_replaced_would_be_noticed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotaged twin: written as a changed ring is, the keys that were there are gone."""
    file = tmp_path / "service-keys.json"
    run("keys", "init-service", "--file", file)
    before = file.read_bytes()
    monkeypatch.setattr(key_files, "create", key_files.replace)
    run("keys", "init-service", "--file", file)
    assert file.read_bytes() != before


def test_the_recovery_pair_is_made_once(run: Run, tmp_path: Path) -> None:
    said = run("keys", "init-recovery", tmp_path).out.splitlines()
    private, public = tmp_path / "recovery-private.key", tmp_path / "recovery-public.key"
    assert [line.split(": ")[0] for line in said] == [str(private), str(public)]
    assert "offline" in said[0]
    assert "TARGET_TRACKER_RECOVERY_KEY" in said[1]
    assert read_recovery_private(private).public_bytes() == read_recovery_public(public)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before = private.read_bytes(), public.read_bytes()
    assert "never overwritten" in run("keys", "init-recovery", tmp_path, expect=1).error
    assert (private.read_bytes(), public.read_bytes()) == before
    public.unlink()
    run("keys", "init-recovery", tmp_path, expect=1)
    assert private.read_bytes() == before[0]
    assert not public.exists(), "one half of another pair would be taken for this one's"
    assert "cannot be written" in run("keys", "init-recovery", tmp_path / "no", expect=2).error


def test_what_has_to_be_named_is_asked_for(run: Run, service: Service, tmp_path: Path) -> None:
    unset = {"TARGET_TRACKER_SERVICE_KEY_FILE": ""}
    for command in ("rotate", "retire", "init-service"):
        run("keys", command, expect=2, **unset)
    assert "keys init-service" in run("keys", "status", expect=2, **unset).error
    for command in ("rotate", "retire"):
        missing = run("keys", command, "--file", tmp_path / "no", expect=2)
        assert "cannot be read" in missing.error


def test_a_file_that_is_named_needs_no_setting(run: Run, service: Service) -> None:
    first = FileSource(service.service_key_file).load().current
    unset = {"TARGET_TRACKER_SERVICE_KEY_FILE": ""}
    run("keys", "rotate", "--file", service.service_key_file, **unset)
    run("keys", "retire", "--file", service.service_key_file, **unset)
    [kept] = FileSource(service.service_key_file).load().keys
    assert kept.id != first
