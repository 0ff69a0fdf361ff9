"""A certificate that changes under a running service: new connections get it, once it is good."""

from __future__ import annotations

import asyncio
import http.client
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from api.certificates import ReloadingContext
from domain.errors import Misconfigured
from tests.conftest import TestDatabase
from tests.logs import said_by
from tests.security.conftest import COMMAND, Pair, Serving, environment, make_pair, serving

REQUEST = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def service(test_database: TestDatabase, tmp_path: Path) -> Iterator[Serving]:
    pair = make_pair(tmp_path / "live")
    with serving(COMMAND, environment(test_database, pair), pair, tmp_path) as running:
        yield running


@contextmanager
def connected(service: Serving) -> Iterator[ssl.SSLSocket]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection,
        context.wrap_socket(connection) as secured,
    ):
        yield secured


def serial_of(connection: ssl.SSLSocket) -> int:
    certificate = connection.getpeercert(binary_form=True)
    assert certificate
    return x509.load_der_x509_certificate(certificate).serial_number


def serial_now(service: Serving) -> int:
    """What a new handshake shows."""
    with connected(service) as connection:
        return serial_of(connection)


def answers(connection: ssl.SSLSocket) -> bool:
    connection.sendall(REQUEST)
    response = http.client.HTTPResponse(connection)
    response.begin()
    return bool(response.read()) and response.status == 200


def put(new: Pair, live: Pair) -> None:
    """Replaces both files, one after the other, as tools do."""
    new.certificate.replace(live.certificate)
    new.key.replace(live.key)


def wait_until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_files_are_swapped_under_a_running_service(service: Serving, tmp_path: Path) -> None:
    old, new = service.pair.serial, make_pair(tmp_path / "new")
    serial = new.serial
    with connected(service) as before:
        assert serial_of(before) == old
        assert answers(before)
        put(new, service.pair)
        # A connection that was open lives on.
        wait_until(lambda: answers(before) and serial_now(service) == serial)
        assert answers(before)
        assert serial_of(before) == old
    assert "INFO api.certificates the certificate was reloaded" in service.said()
    assert "not reloaded" not in service.said()


def test_a_signal_has_it_read_at_once(service: Serving, tmp_path: Path) -> None:
    before = len(service.said())
    os.kill(service.process.pid, signal.SIGHUP)
    service.wait_for("the certificate was reloaded", before)
    assert serial_now(service) == service.pair.serial


def test_a_bad_pair_is_refused_and_the_old_one_stays(service: Serving, tmp_path: Path) -> None:
    old, before = service.pair.serial, len(service.said())
    new = make_pair(tmp_path / "new")
    new.certificate.replace(service.pair.certificate)
    service.wait_for(r"not reloaded, .* are not a certificate and its private key.*MISMATCH", before)
    assert serial_now(service) == old
    before = len(service.said())
    service.pair.certificate.write_text("-----BEGIN CERTIFICATE-----\nbroken")
    service.wait_for("not reloaded, and the old one stays in use", before)
    assert serial_now(service) == old
    before = len(service.said())
    service.pair.certificate.unlink()
    service.wait_for("not reloaded, .*No such file", before)
    assert serial_now(service) == old
    # And then a good one.
    new = make_pair(tmp_path / "new")
    serial = new.serial
    put(new, service.pair)
    wait_until(lambda: serial_now(service) == serial)
    assert "PRIVATE" not in service.said()
    assert "Traceback" not in service.said()


class Looking(ReloadingContext):
    """One that is looked at by hand."""

    def look_now(self) -> ssl.SSLContext:
        asyncio.run(self.look())
        return self.current


def test_a_change_is_taken_up_once_it_has_settled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    live, new = make_pair(tmp_path / "live"), make_pair(tmp_path / "new")
    context = Looking(live.certificate, live.key)
    first = context.current
    assert context.look_now() is first
    new.certificate.replace(live.certificate)
    assert context.look_now() is first
    new.key.replace(live.key)
    assert context.look_now() is first
    with caplog.at_level(logging.INFO, "api.certificates"):
        second = context.look_now()
        assert second is not first
        assert context.look_now() is second
        assert len(said_by("api.certificates", caplog)) == 1
        context.ask()
        assert context.look_now() is not second
        assert len(said_by("api.certificates", caplog)) == 2


def test_a_link_that_leads_elsewhere_is_a_change(tmp_path: Path) -> None:
    """As secrets are mounted into containers."""
    folders = [make_pair(tmp_path / name).certificate.parent for name in ("one", "two")]
    link = tmp_path / "current"
    link.symlink_to(folders[0])
    context = Looking(link / "certificate.pem", link / "key.pem")
    first = context.current
    (tmp_path / "next").symlink_to(folders[1])
    (tmp_path / "next").replace(link)
    context.look_now()
    assert context.look_now() is not first


def test_a_context_that_does_not_look_would_be_noticed(tmp_path: Path) -> None:
    """The sabotaged twin: without a state to compare, nothing is ever taken up."""

    class Blind(Looking):
        def _state(self) -> tuple[None, None]:
            return None, None

    live, new = make_pair(tmp_path / "live"), make_pair(tmp_path / "new")
    context = Blind(live.certificate, live.key)
    first = context.current
    put(new, live)
    context.look_now()
    assert context.look_now() is first


def test_files_that_are_no_pair(tmp_path: Path) -> None:
    one, other = make_pair(tmp_path / "one"), make_pair(tmp_path / "other")
    text = tmp_path / "text"
    text.write_text("nothing of the kind")
    for certificate, key in (
        (one.certificate, other.key),
        (one.certificate, one.certificate),
        (text, one.key),
        (one.certificate, tmp_path / "nowhere"),
        (tmp_path, one.key),
    ):
        with pytest.raises(Misconfigured, match="are not a certificate and its private key"):
            ReloadingContext(certificate, key)


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    pair = make_pair(tmp_path / "pair")
    key = load_pem_private_key(pair.key.read_bytes(), None)
    pair.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase"))
    )
    with pytest.raises(Misconfigured, match="without a passphrase"):
        ReloadingContext(pair.certificate, pair.key)


def test_keys_that_fips_mode_does_not_take(tmp_path: Path) -> None:
    edwards = make_pair(tmp_path / "edwards", ed25519.Ed25519PrivateKey.generate())
    other = make_pair(tmp_path / "curve", ec.generate_private_key(ec.SECP521R1()))
    for pair in (edwards, other):
        ReloadingContext(pair.certificate, pair.key)
        with pytest.raises(Misconfigured, match=r"FIPS mode: the key of .* must be on P-256"):
            ReloadingContext(pair.certificate, pair.key, fips=True)
    small = make_pair(tmp_path / "small", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    with pytest.raises(Misconfigured):
        ReloadingContext(small.certificate, small.key)
