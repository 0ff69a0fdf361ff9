"""Certificates for the loopback address, so that the service speaks HTTPS from its first minute."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from domain.vault import private_files

HOSTS: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)
"""What the certificate is for."""

PERMITTED: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_network("127.0.0.1/32")),
    x509.IPAddress(ipaddress.ip_network("::1/128")),
)
"""What the authority can speak for: whoever trusts it trusts it with nothing else."""

LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class LocalCertificates:
    """The files of a server's certificate.

    Attributes:
        ca: The certificate of the authority, which clients verify with.
        certificate: The server's certificate.
        key: The server's private key; only its owner can read it.
    """

    ca: Path
    certificate: Path
    key: Path


def make_local_certificates(folder: Path) -> LocalCertificates:
    """Makes an authority and a server's certificate for this machine alone, unless good ones are there.

    The authority's private key is forgotten as soon as it has signed, so that nobody can sign with it again.

    Args:
        folder: Where they are, or go; made if it is not there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = LocalCertificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    now = datetime.now(UTC)
    if _are_good(files, now):
        return files
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _authority(ca_key, now)
    certificate = _server(key, ca, ca_key, now)
    private_files.write(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private_files.write(files.certificate, certificate.public_bytes(Encoding.PEM), private_files.READABLE)
    private_files.write(files.ca, ca.public_bytes(Encoding.PEM), private_files.READABLE)
    return files


def _are_good(files: LocalCertificates, now: datetime) -> bool:
    """Whether the three files belong together and are valid for a while yet."""
    if not all(path.exists() for path in (files.ca, files.certificate, files.key)):
        return False
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return (
        certificate.issuer == ca.subject
        and min(ca.not_valid_after_utc, certificate.not_valid_after_utc) > now + RENEW_BEFORE
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Target Tracker on this machine"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    # A name of its own each time: clients tell authorities apart by their names.
    name = _name(f"Authority {now:%Y-%m-%d %H:%M:%S.%f}")
    return (
        _builder(name, name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(PERMITTED, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.Certificate:
    return (
        _builder(_name("localhost"), ca.subject, key.public_key(), now)
        .add_extension(x509.SubjectAlternativeName(HOSTS), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
