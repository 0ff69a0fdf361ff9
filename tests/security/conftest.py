"""The service as it is run, as a process of its own, in the ordinary mode and in FIPS mode."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from api.tls import HOSTS
from domain.vault.key_ring import new_ring
from domain.vault.key_sources import write
from scripts.demonstration.processes import commands
from scripts.embedded import EmbeddedPostgres
from tests.conftest import TestDatabase, fresh_database

COMMAND = (str(commands() / "target-tracker"), "serve")

_LISTENING = re.compile(r"Uvicorn running on https://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Pair:
    """A certificate that signs itself, so that clients can trust it and nothing else, and its key."""

    certificate: Path
    key: Path

    @property
    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).serial_number


def make_pair(
    folder: Path,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    names: Sequence[x509.GeneralName] = HOSTS,
) -> Pair:
    """Makes one for this machine, or other names, with a key on P-256 or another."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now, name = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-up")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    pair = Pair(folder / "certificate.pem", folder / "key.pem")
    folder.mkdir(exist_ok=True)
    pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair


@dataclass
class Serving:
    """A running service.

    Attributes:
        process: Its process.
        pair: Its certificate.
        log: The file that it logs to.
        port: Where it listens, on 127.0.0.1.
    """

    process: subprocess.Popen[bytes]
    pair: Pair
    log: Path
    port: int = 0

    def said(self) -> str:
        """The whole log."""
        return self.log.read_text()

    def wait_for(self, pattern: str, after: int = 0) -> re.Match[str]:
        """Waits until the log says something, from a place in it on."""
        deadline = time.monotonic() + 30
        while not (found := re.search(pattern, self.said()[after:])):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)
        return found


def service_key_file(folder: Path) -> Path:
    """The file of the service's own keys, made if it is not there."""
    file = folder / "service-keys.json"
    if not file.exists():
        write(file, new_ring())
    return file


def environment(database: TestDatabase, pair: Pair, **more: str) -> dict[str, str]:
    """The settings of a service that listens wherever there is room."""
    return {
        "PATH": os.environ["PATH"],
        "TARGET_TRACKER_DATABASE": database.conninfo(),
        "TARGET_TRACKER_TLS_CERTIFICATE": str(pair.certificate),
        "TARGET_TRACKER_TLS_KEY": str(pair.key),
        "TARGET_TRACKER_LISTEN": "127.0.0.1:0",
        "TARGET_TRACKER_SERVICE_KEY_FILE": str(service_key_file(pair.key.parent)),
        "TARGET_TRACKER_ERASURES": str(pair.key.parent / "erasures"),
    } | more


@contextmanager
def serving(
    command: Sequence[str], settings: Mapping[str, str], pair: Pair, folder: Path
) -> Iterator[Serving]:
    """Runs a service for a while; its log is left in the folder."""
    log = folder / f"log-{time.monotonic_ns()}"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=dict(settings), stdout=output, stderr=output)
    service = Serving(process, pair, log)
    try:
        service.port = int(service.wait_for(_LISTENING.pattern)[1])
        yield service
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def security_database(server: EmbeddedPostgres) -> Iterator[TestDatabase]:
    with fresh_database(server) as database:
        yield database


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pair]:
    """A certificate of each kind."""
    folder = tmp_path_factory.mktemp("pairs")
    return {
        "ECDSA": make_pair(folder / "ecdsa"),
        "RSA": make_pair(folder / "rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    }


MODES = ("ordinary", "FIPS")
KINDS = ("ECDSA", "RSA")


@pytest.fixture(scope="session")
def services(
    security_database: TestDatabase, pairs: dict[str, Pair], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Serving]]:
    """A service in each mode with a certificate of each kind."""
    folder = tmp_path_factory.mktemp("services")
    with ExitStack() as stack:
        yield {
            (mode, kind): stack.enter_context(
                serving(
                    [*COMMAND, *(["--fips"] if mode == "FIPS" else [])],
                    environment(security_database, pairs[kind]),
                    pairs[kind],
                    folder,
                )
            )
            for mode in MODES
            for kind in KINDS
        }


@pytest.fixture(scope="session")
def ordinary(services: dict[tuple[str, str], Serving]) -> Serving:
    return services["ordinary", "ECDSA"]


@pytest.fixture(scope="session")
def fips(services: dict[tuple[str, str], Serving]) -> Serving:
    return services["FIPS", "ECDSA"]


SABOTAGED = (sys.executable, "-m", "tests.security.unconfined")
"""A service that takes itself for one in FIPS mode, and is not."""


needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl command")


def s_client(service: Serving, *options: str) -> subprocess.CompletedProcess[str]:
    """Asks over HTTPS for the service's health, with OpenSSL's own client."""
    return subprocess.run(
        [
            "openssl",
            "s_client",
            *("-connect", f"127.0.0.1:{service.port}", "-CAfile", str(service.pair.certificate)),
            *("-verify_return_error", "-verify_hostname", "localhost", "-ign_eof"),
            *options,
        ],
        input="GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
