"""A database on another host must prove who it is, before anything is sent to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from cryptography import x509

from api.transport import APPROVED_CONFIGURATION
from domain.errors import Misconfigured
from domain.ledger.database import Database
from scripts.composition import Settings
from tests.conftest import TestDatabase
from tests.security.conftest import Pair, make_pair
from tests.security.database_proxy import HOST, DatabaseProxy

NAMES = (x509.DNSName(HOST),)


@contextmanager
def proxy(database: TestDatabase, pair: Pair) -> Iterator[DatabaseProxy]:
    with DatabaseProxy(database.conninfo(), pair) as running:
        yield running


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """The certificate of the right host, which is also its own authority."""
    return make_pair(tmp_path / "right", names=NAMES)


def test_the_right_host_is_accepted(test_database: TestDatabase, pair: Pair, tmp_path: Path) -> None:
    with proxy(test_database, pair) as there:
        settings = Settings(database=there.conninfo(pair.certificate, tmp_path / "passwords"))
        with Database(settings.conninfo()) as database, database.transaction() as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("target_tracker_api",)
        assert b"target_tracker_api" in there.received
        assert there.versions == ["TLSv1.3"]


def demand_refusal(conninfo: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"SSL|certificate|handshake"):
        psycopg.connect(conninfo)


def test_another_name_is_refused(test_database: TestDatabase, tmp_path: Path) -> None:
    other = make_pair(tmp_path / "other", names=[x509.DNSName("other.school.example")])
    with proxy(test_database, other) as there:
        demand_refusal(there.conninfo(other.certificate, tmp_path / "passwords"))
        assert there.received == b""


def test_an_address_is_no_name(test_database: TestDatabase, tmp_path: Path) -> None:
    """The certificate is good for where the connection leads, which is not what was asked for."""
    here = make_pair(tmp_path / "here")
    with proxy(test_database, here) as there:
        demand_refusal(there.conninfo(here.certificate, tmp_path / "passwords"))
        assert there.received == b""


def test_another_authority_is_refused(test_database: TestDatabase, pair: Pair, tmp_path: Path) -> None:
    """Whether it is its own, or somebody else's whom nobody trusts here."""
    other = make_pair(tmp_path / "other", names=NAMES)
    with proxy(test_database, other) as there:
        demand_refusal(there.conninfo(pair.certificate, tmp_path / "passwords"))
        demand_refusal(there.conninfo(Path("system"), tmp_path / "passwords"))
        assert there.received == b""


def test_what_is_not_encrypted_is_refused(test_database: TestDatabase, pair: Pair, tmp_path: Path) -> None:
    """A server that says it speaks no TLS, as one that was put in between might."""
    with proxy(test_database, pair) as there:
        there.refuse_tls()
        demand_refusal(there.conninfo(pair.certificate, tmp_path / "passwords", sslnegotiation="postgres"))
        assert there.received == b""


def test_less_than_verification_lets_anybody_listen(
    test_database: TestDatabase, pair: Pair, tmp_path: Path
) -> None:
    """The sabotaged twin: with `sslmode=require` the same proxy sees what is sent. No service starts so."""
    other = make_pair(tmp_path / "other", names=NAMES)
    with proxy(test_database, other) as there:
        for mode in ("require", "verify-ca"):
            authority = other.certificate if mode == "verify-ca" else tmp_path / "none"
            conninfo = there.conninfo(
                authority, tmp_path / "passwords", sslmode=mode, host="elsewhere.example"
            )
            psycopg.connect(conninfo).close()
            assert b"target_tracker_api" in there.received
            with pytest.raises(Misconfigured, match="sslmode=verify-full"):
                Settings(database=conninfo).conninfo()


def test_fips_mode_confines_the_connection_to_the_database(
    test_database: TestDatabase, pair: Pair, tmp_path: Path
) -> None:
    with proxy(test_database, pair) as there:
        there.offer_only("ECDHE-ECDSA-CHACHA20-POLY1305")
        conninfo = there.conninfo(pair.certificate, tmp_path / "passwords")
        program = "import psycopg, sys; psycopg.connect(sys.argv[1]).close()"
        connect = [sys.executable, "-c", program, conninfo]
        ordinary = subprocess.run(connect, env={}, capture_output=True, text=True, timeout=30, check=False)
        assert ordinary.returncode == 0, ordinary
        there.received = b""
        settings = {"OPENSSL_CONF": str(APPROVED_CONFIGURATION)}
        confined = subprocess.run(
            connect, env=settings, capture_output=True, text=True, timeout=30, check=False
        )
        assert confined.returncode == 1
        assert "handshake failure" in confined.stderr
        assert there.received == b""
