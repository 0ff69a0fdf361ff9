"""The files for containers fit each other; without a Docker engine only their form can be checked."""

from __future__ import annotations

import copy
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own
from cryptography import x509

from domain.vault.recovery_pair import read_recovery_private, read_recovery_public
from scripts.composition import Settings
from scripts.demonstration.processes import commands
from scripts.mailing import settings as mail
from tests.documents import ROOT, wrong_with_command

DOCKER = ROOT / "docker"
SCRIPTS = ("start", "make-secrets", "postgresql/start", "postgresql/roles.sh")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets that the script makes."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("docker") / "secrets"
    make_secrets(folder)
    return folder


def make_secrets(folder: Path) -> None:
    """Runs the script with this project's command, as where it is installed."""
    subprocess.run(
        [DOCKER / "make-secrets", folder, folder.parent / "recovery"],
        check=True,
        capture_output=True,
        env={"PATH": f"{commands()}:{os.environ['PATH']}"},
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_shell(name: str) -> None:
    assert (DOCKER / name).stat().st_mode & stat.S_IXUSR
    assert (DOCKER / name).read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", DOCKER / name], check=True)


def test_what_is_not_shell_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("#!/bin/sh\nif true; then\n")
    assert subprocess.run(["sh", "-n", tmp_path / "broken"], check=False, capture_output=True).returncode


def test_what_is_mounted_is_there(compose: dict[str, Any]) -> None:
    mounts = [mount.split(":")[0] for mount in compose["services"]["database"]["volumes"]]
    files = [mount for mount in mounts if mount.startswith(".")]
    assert len(files) == 3
    assert [file for file in files if not (DOCKER / file).is_file()] == []
    build = compose["services"]["api"]["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_every_secret_is_declared_used_and_made(compose: dict[str, Any], secrets: Path) -> None:
    declared = compose["secrets"].keys()
    used = {name for service in compose["services"].values() for name in service.get("secrets", ())}
    assert used == declared
    assert {entry["file"] for entry in compose["secrets"].values()} == {
        f"secrets/{name}" for name in declared
    }
    assert {file.name for file in secrets.iterdir()} == declared


def test_every_secret_that_a_container_reads_is_given_to_it(compose: dict[str, Any]) -> None:
    database = "".join((DOCKER / "postgresql" / name).read_text() for name in ("start", "roles.sh"))
    for name, service in compose["services"].items():
        text = repr(service) + (database if name == "database" else "")
        read = set(re.findall(r"/run/secrets/(\w+)", text))
        if role := service.get("environment", {}).get("DATABASE_ROLE"):
            read |= {role_named(role), "authority"}
        if name == "operator":  # as either role
            read |= {"target_tracker_api", "target_tracker_worker"}
        assert read == set(service["secrets"]), name


def role_named(text: str) -> str:
    """The role that stands there, or the one that does if nobody names another."""
    return re.sub(r"\$\{DATABASE_ROLE:-(\w+)\}", r"\1", text)


def test_commands_and_roles_exist(compose: dict[str, Any]) -> None:
    roles = set(re.findall(r"CREATE ROLE (\w+)", (DOCKER / "postgresql/roles.sh").read_text()))
    ours = {name: service for name, service in compose["services"].items() if name != "database"}
    assert ours.keys() == {"migrate", "api", "worker", "operator"}
    for service in ours.values():
        assert wrong_with_command(" ".join(service["command"])) is None
        assert role_named(service["environment"]["DATABASE_ROLE"]) in roles
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert ours["worker"]["deploy"]["replicas"] == 2
    assert ours["operator"]["profiles"] == ["operator"], "it is not started with the others"


def test_nothing_starts_before_what_it_needs_and_everything_that_stays_is_watched(
    compose: dict[str, Any],
) -> None:
    services = compose["services"]
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("api", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert {name for name, service in services.items() if "healthcheck" in service} == {
        "database",
        "api",
        "worker",
    }


def test_the_database_takes_passwords_over_tls_only() -> None:
    lines = (DOCKER / "postgresql/pg_hba.conf").read_text().splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    assert {rule[0] for rule in rules} == {"local", "hostssl"}
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}
    assert "sslmode=verify-full" in (DOCKER / "start").read_text()


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody_special(compose: dict[str, Any]) -> None:
    lines = (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY") and "--from" not in line]
    sources = [word for words in copied for word in words if not word.startswith("--")]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{source}" for source in sources} <= set(ignored)
    [user] = [line.split()[1] for line in lines if line.startswith("USER")]
    assert user == "10001"
    assert f"uid={user}" in compose["services"]["api"]["tmpfs"][0]
    assert any("--require-hashes" in line for line in lines)


def test_certificates_are_for_the_names_that_are_called(secrets: Path) -> None:
    def certificate(name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((secrets / name).read_bytes())

    authority = certificate("authority")
    expected = {"database": {"database"}, "api": {"api", "localhost", "127.0.0.1"}}
    for service, names in expected.items():
        issued = certificate(f"{service}_certificate")
        issued.verify_directly_issued_by(authority)
        found = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert {str(name.value) for name in found} == names


def test_secrets_are_kept_and_nobody_else_reaches_them(secrets: Path) -> None:
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}
    assert all(len(before[name].strip()) == 64 for name in before if name.startswith(("target", "operator")))
    assert len(set(before.values())) == len(before)
    make_secrets(secrets)
    assert {file.name: file.read_bytes() for file in secrets.iterdir()} == before


def unkept(compose: dict[str, Any]) -> list[str]:
    """The files of keys and erasures that would be gone with a container, or lie where the database does."""
    found = []
    for name in ("api", "worker", "operator"):
        service = compose["services"][name]
        mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
        settings = Settings.of(service["environment"])
        for volume, file in (("keys", settings.service_key_file), ("erasures", settings.erasures)):
            if file is None or mounts.get(volume) != str(file.parent) or volume not in compose["volumes"]:
                found.append(f"{name}: {volume}")
    return found


def test_keys_and_erasures_outlive_containers_each_on_a_volume_of_its_own(compose: dict[str, Any]) -> None:
    assert unkept(compose) == []
    assert {"database", "keys", "erasures"} == compose["volumes"].keys()
    [made] = re.findall(
        r"install -d -o 10001 -m 700 (.*)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE
    )
    services = compose["services"]
    assert set(made.split()) == {mount.split(":")[1] for mount in services["operator"]["volumes"]}
    for name in ("api", "worker"):
        [keys] = [mount for mount in services[name]["volumes"] if mount.startswith("keys:")]
        assert keys.endswith(":ro"), "keys are changed by the operator alone"
    assert "keys" not in str(services["database"]["volumes"]) + str(services["migrate"].get("volumes"))


def test_an_erasure_that_is_not_kept_would_be_noticed(compose: dict[str, Any]) -> None:
    broken = copy.deepcopy(compose)
    broken["services"]["api"]["environment"]["TARGET_TRACKER_ERASURES"] = "/tmp/erasures"
    broken["services"]["worker"]["volumes"].pop(0)
    assert unkept(broken) == ["api: erasures", "worker: keys"]


def test_the_private_half_of_the_recovery_pair_reaches_no_container(
    compose: dict[str, Any], secrets: Path
) -> None:
    recovery = secrets.parent / "recovery"
    [private] = recovery.iterdir()
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(recovery.stat().st_mode) == 0o700
    public = secrets / "recovery_public_key"
    assert read_recovery_private(private).public_bytes() == read_recovery_public(public)
    assert "recovery/" in (DOCKER / ".gitignore").read_text().splitlines()
    assert "recovery-private" not in (DOCKER / "compose.yaml").read_text()
    mounted = Settings.of(compose["services"]["api"]["environment"]).recovery_key
    assert mounted == Path("/run/secrets") / public.name
    private.rename(secrets.parent / "safe")
    try:
        make_secrets(secrets)  # once it is offline, no other pair is made
        assert list(recovery.iterdir()) == []
    finally:
        (secrets.parent / "safe").rename(private)


def test_the_page_names_settings_of_mail_that_there_are(compose: dict[str, Any]) -> None:
    [block] = re.findall(r"```yaml\n(.*?)```", (DOCKER / "README.md").read_text(), re.DOTALL)
    more = yaml.safe_load(block)
    environment = dict(more["services"]["api"]["environment"])
    [secret] = more["services"]["api"]["secrets"]
    assert environment.pop(mail.PASSWORD_FILE) == f"/run/secrets/{secret}"
    assert more["secrets"].keys() == {secret}
    assert environment.keys() == {mail.SERVER, mail.SENDER, mail.USER}
    mail.smtp_mailer_from({name: value for name, value in environment.items() if name != mail.USER})
    assert not [
        name for name in compose["services"]["api"]["environment"] if "SMTP" in name or "MAIL" in name
    ]
