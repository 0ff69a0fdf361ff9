"""Settings come from the environment that was named, and from no other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.errors import Misconfigured
from domain.vault.key_ring import KeyRing, new_ring
from domain.vault.key_sources import EnvironmentSource
from scripts import composition
from scripts.composition import SERVICE_KEY, Settings, build_services
from scripts.mailing.settings import SENDER, SERVER
from tests.conftest import TestDatabase

GIVEN, OF_THE_PROCESS = new_ring(), new_ring()


def document(ring: KeyRing) -> str:
    return ring.document().decode()


@pytest.fixture(autouse=True)
def another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process was started with, and nobody asks for."""
    monkeypatch.setenv(SERVICE_KEY, document(OF_THE_PROCESS))
    monkeypatch.setenv(SERVER, "not a mail server")


def key_of(environment: Mapping[str, str]) -> str:
    """The service's key that the settings of an environment lead to."""
    return Settings.of(environment).service_keys().current


def test_keys_come_from_the_environment_that_was_named() -> None:
    assert key_of({SERVICE_KEY: document(GIVEN)}) == GIVEN.current
    with pytest.raises(Misconfigured, match="must name the file of the service's keys"):
        key_of({})
    assert key_of(os.environ) == Settings.of().service_keys().current == OF_THE_PROCESS.current
    assert Settings().service_keys().current == OF_THE_PROCESS.current


def test_keys_from_elsewhere_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotaged twin: as it once was."""
    monkeypatch.setattr(composition, "EnvironmentSource", lambda variable, _: EnvironmentSource(variable))
    assert key_of({SERVICE_KEY: document(GIVEN)}) == OF_THE_PROCESS.current


def test_mail_settings_come_from_the_environment_that_was_named() -> None:
    assert Settings.of({}).mailer() is None
    with pytest.raises(Misconfigured, match=SERVER):
        Settings.of().mailer()
    with pytest.raises(Misconfigured, match=SENDER):
        Settings.of({SERVER: "smtps://mail.example"}).mailer()


@pytest.mark.parametrize("mail", [{}, {SERVER: "smtps://localhost", SENDER: "tracker@authority.example"}])
def test_services_are_put_together_from_it_alone(
    test_database: TestDatabase, tmp_path: Path, mail: dict[str, str]
) -> None:
    environment = {
        "TARGET_TRACKER_DATABASE": test_database.conninfo(),
        "TARGET_TRACKER_ERASURES": str(tmp_path / "erasures"),
        SERVICE_KEY: document(GIVEN),
    }
    services = build_services(Settings.of(environment | mail))
    try:
        assert services.schools.service_keys.current == GIVEN.current
        assert (services.mailer is not None) == bool(mail)
    finally:
        services.audit.close()
        services.read.close()
        services.schools.database.close()
        composition.close_mailer(services)


def test_the_environment_is_not_shown() -> None:
    settings = Settings.of({SERVICE_KEY: document(GIVEN), "TARGET_TRACKER_REGION": "this machine"})
    assert "this machine" in repr(settings)
    assert GIVEN.current not in repr(settings)
    assert "environment" not in repr(settings)
