"""HTTPS with certificates of one's own: nothing else is spoken, and nobody else is believed."""

from __future__ import annotations

import socket
import ssl
import stat
import warnings
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

import api.tls
from api.tls import LocalCertificates, make_local_certificates
from api.transport import server_context
from tests.api.conftest import Served


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_what_the_certificates_say(certificates: LocalCertificates) -> None:
    ca, server = load(certificates.ca), load(certificates.certificate)
    server.verify_directly_issued_by(ca)
    for certificate in (ca, server):
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < timedelta(days=825)
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_their_owner_can_read_keys(certificates: LocalCertificates) -> None:
    folder = certificates.key.parent
    keys = [path for path in folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert keys == [certificates.key], "the authority's key is kept nowhere"
    assert stat.S_IMODE(certificates.key.stat().st_mode) == 0o600


def test_good_certificates_are_kept_and_others_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tls"
    first = make_local_certificates(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert make_local_certificates(folder) == first
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    first.key.unlink()
    make_local_certificates(folder)
    assert first.certificate.read_bytes() != before[first.certificate]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(api.tls, "RENEW_BEFORE", timedelta(days=366))
    make_local_certificates(folder)
    assert first.certificate.read_bytes() != before[first.certificate]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_that_are_spoken(served: Served, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=served.certificates.ca)
    context.minimum_version = context.maximum_version = version
    with httpx.Client(verify=context, base_url=served.url) as client:
        assert client.get("/v1/health").status_code == 200


def old_client(ca: Path) -> ssl.SSLContext:
    """A client that speaks nothing newer than TLS 1.1."""
    context = ssl.create_default_context(cafile=ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_older_versions_are_refused(served: Served, certificates: LocalCertificates) -> None:
    context = server_context(certificates.certificate, certificates.key)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.maximum_version == ssl.TLSVersion.TLSv1_3
    url = httpx.URL(served.url)
    with (
        socket.create_connection((url.host, url.port)) as connection,
        pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"),
    ):
        old_client(certificates.ca).wrap_socket(connection, server_hostname=url.host)


def test_without_tls_there_is_no_answer(served: Served) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(served.url.replace("https", "http") + "/v1/health")


def test_whoever_does_not_know_the_authority_does_not_believe(served: Served, tmp_path: Path) -> None:
    for context in (
        ssl.create_default_context(),
        ssl.create_default_context(cafile=make_local_certificates(tmp_path).ca),
    ):
        with (
            httpx.Client(verify=context, base_url=served.url) as client,
            pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            client.get("/v1/health")


def test_it_speaks_for_this_machine_alone(served: Served) -> None:
    context = ssl.create_default_context(cafile=served.certificates.ca)
    url = httpx.URL(served.url)
    with (
        socket.create_connection((url.host, url.port)) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(connection, server_hostname="school.example")
    with (
        socket.create_connection((url.host, url.port)) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        assert secured.version() == "TLSv1.3"
