"""How FIPS mode begins: with OpenSSL configured for it, or not at all."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.transport import APPROVED_CONFIGURATION
from tests.conftest import TestDatabase
from tests.security.conftest import COMMAND, Pair, Serving, environment, make_pair, serving


def environment_of(pid: int) -> dict[str, str]:
    content = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in content.split("\0") if "=" in line)


def test_it_is_the_same_process_with_another_environment(fips: Serving, ordinary: Serving) -> None:
    fips.wait_for("FIPS mode: approved suites, groups and signature algorithms are agreed, and no others")
    assert "FIPS mode" not in ordinary.said()
    # The log of the process that answers names the one that was started.
    assert f"Started server process [{fips.process.pid}]" in fips.said()
    assert environment_of(fips.process.pid)["OPENSSL_CONF"] == str(APPROVED_CONFIGURATION)
    assert "OPENSSL_CONF" not in environment_of(ordinary.process.pid)
    *_, command, name, option, end = Path(f"/proc/{fips.process.pid}/cmdline").read_text().split("\0")
    assert (command, name, option, end) == (*COMMAND, "--fips", "")


@pytest.mark.parametrize(("value", "is_on"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_the_setting(
    security_database: TestDatabase, pairs: dict[str, Pair], tmp_path: Path, value: str, is_on: bool
) -> None:
    pair = pairs["ECDSA"]
    settings = environment(security_database, pair, TARGET_TRACKER_FIPS=value)
    with serving(COMMAND, settings, pair, tmp_path) as service:
        assert ("FIPS mode" in service.said()) == is_on
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
    assert "Traceback" not in service.said()


def refusal(settings: dict[str, str]) -> str:
    """What is said when the service does not start."""
    result = subprocess.run(
        [*COMMAND, "--fips"], env=settings, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 2, result
    assert result.stderr.startswith("Not configured: ")
    assert "Traceback" not in result.stderr
    return re.sub(r"\s+", " ", result.stderr)


def changed(tmp_path: Path, old: str, new: str) -> str:
    """A configuration that an operator has spoilt."""
    text = APPROVED_CONFIGURATION.read_text()
    assert re.search(old, text, re.MULTILINE)
    spoilt = tmp_path / "openssl.cnf"
    spoilt.write_text(re.sub(old, new, text, flags=re.MULTILINE))
    return str(spoilt)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"^openssl_conf.*$", "", "would also agree to TLS_CHACHA20_POLY1305_SHA256"),
        (r"^Ciphersuites.*$", "", "would also agree to TLS_CHACHA20_POLY1305_SHA256"),
        (r"^(Ciphersuites.*)$", r"\1:TLS_AES_128_CCM_SHA256", "would also agree to TLS_AES_128_CCM_SHA256"),
        (r"^Groups.*$", "", "would also agree to X25519, X448"),
        (r"^(Groups.*)$", r"\1:X25519", "would also agree to X25519"),
        (r"^Groups.*$", "Groups = X25519", "does not agree to P-256"),
    ],
)
def test_it_does_not_start_with_more_than_is_approved(
    security_database: TestDatabase, pairs: dict[str, Pair], tmp_path: Path, old: str, new: str, said: str
) -> None:
    """The check that can fail, failing."""
    settings = environment(security_database, pairs["ECDSA"], OPENSSL_CONF=changed(tmp_path, old, new))
    assert said in refusal(settings)


def test_a_configuration_of_the_operators_own_is_respected(
    security_database: TestDatabase, pairs: dict[str, Pair], tmp_path: Path
) -> None:
    pair, own = pairs["ECDSA"], changed(tmp_path, r"\A", "# This file is the operator's own.\n")
    settings = environment(security_database, pair, OPENSSL_CONF=own)
    with serving([*COMMAND, "--fips"], settings, pair, tmp_path) as service:
        assert environment_of(service.process.pid)["OPENSSL_CONF"] == own


def test_a_key_on_p_384_will_do(security_database: TestDatabase, tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "pair", ec.generate_private_key(ec.SECP384R1()))
    settings = environment(security_database, pair)
    with serving([*COMMAND, "--fips"], settings, pair, tmp_path) as service:
        context = ssl.create_default_context(cafile=pair.certificate)
        with httpx.Client(verify=context) as client:
            assert client.get(f"https://localhost:{service.port}/v1/health").status_code == 200
