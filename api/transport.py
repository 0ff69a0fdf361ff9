"""The TLS that the service speaks: versions, suites and groups, in the ordinary mode and in FIPS mode."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.groups import agreed_groups
from domain.errors import Misconfigured

APPROVED_SUITES: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
"""What FIPS mode agrees to in TLS 1.2, the preferred first: NIST SP 800-52 Rev. 2, section 3.3.1."""

APPROVED_SUITES_OF_1_3: Final = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")
"""What FIPS mode agrees to in TLS 1.3; chosen by :data:`APPROVED_CONFIGURATION`."""

ORDINARY_SUITES: Final = (*APPROVED_SUITES, "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305")
"""What the ordinary mode agrees to in TLS 1.2, the preferred first; in 1.3 it has OpenSSL's own three."""

APPROVED_CONFIGURATION: Final = Path(__file__).with_name("fips.cnf")
"""The OpenSSL configuration of FIPS mode. OPENSSL_CONF must name it before OpenSSL is loaded."""

APPROVED_CURVES: Final = ("secp256r1", "secp384r1")
"""The curves that FIPS mode takes a certificate's key on (NIST SP 800-186), as SEC 2 names them."""

LEAST_RSA: Final = 2048
"""Bits of an RSA key that FIPS mode takes (NIST SP 800-131A Rev. 2, table 2)."""

APPROVED_GROUPS: Final = ("P-256", "P-384")
"""The groups that FIPS mode exchanges keys in (NIST SP 800-186)."""

_OPTIONS: Final = (
    ssl.OP_CIPHER_SERVER_PREFERENCE
    | ssl.OP_NO_COMPRESSION
    | ssl.OP_NO_RENEGOTIATION
    # A ticket holds a session's secret under a key that Python cannot change while the context lives.
    | ssl.OP_NO_TICKET
)


def server_context(certificate: Path, key: Path, *, fips: bool = False) -> ssl.SSLContext:
    """A context for the server's side: TLS 1.2 and 1.3, suites with forward secrecy, no session tickets.

    Args:
        certificate: The server's certificate, in PEM, with those between it and the authority after it.
        key: Its private key, in PEM, without a passphrase.
        fips: Whether to agree to approved suites, groups and signature algorithms only, and to check that.

    Raises:
        Misconfigured: The files are not a certificate and its key; or, in FIPS mode, OpenSSL or the
            certificate would have the service agree to what is not approved.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    context.options |= _OPTIONS
    context.num_tickets = 0
    context.set_ciphers("@SECLEVEL=2:" + ":".join(APPROVED_SUITES if fips else ORDINARY_SUITES))
    _load(context, certificate, key)
    if fips:
        _check_key(certificate)
        _check_suites(context)
        _check_groups(context)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # An empty passphrase, lest OpenSSL ask for one at a terminal.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:
        # What OpenSSL says names its own source lines, unless it has a reason.
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise Misconfigured(
            f"{certificate} and {key} are not a certificate and its private key, both in PEM and without a "
            f"passphrase{f' ({reason})' if reason else ''}"
        ) from None


def _check_key(certificate: Path) -> None:
    try:
        key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise Misconfigured(f"FIPS mode: the key of {certificate} cannot be read") from None
    match key:
        case ec.EllipticCurvePublicKey(curve=curve) if curve.name in APPROVED_CURVES:
            return
        case rsa.RSAPublicKey(key_size=size) if size >= LEAST_RSA:
            return
    raise Misconfigured(
        f"FIPS mode: the key of {certificate} must be on P-256 or P-384, or RSA of {LEAST_RSA} bits or more"
    )


def _check_suites(context: ssl.SSLContext) -> None:
    allowed = {*APPROVED_SUITES, *APPROVED_SUITES_OF_1_3}
    _refuse(sorted({suite["name"] for suite in context.get_ciphers()} - allowed))


def _check_groups(context: ssl.SSLContext) -> None:
    if ssl.OPENSSL_VERSION_INFO < (3,):
        raise Misconfigured(f"FIPS mode needs OpenSSL 3 or later, and this is {ssl.OPENSSL_VERSION}")
    agreed = agreed_groups(context)
    if "P-256" not in agreed:
        raise Misconfigured("FIPS mode: OpenSSL does not agree to P-256, as it is configured by OPENSSL_CONF")
    _refuse([group for group in agreed if group not in APPROVED_GROUPS])


def _refuse(others: list[str]) -> None:
    if others:
        raise Misconfigured(
            f"FIPS mode: OpenSSL would also agree to {', '.join(others)}. When the process starts, "
            f"OPENSSL_CONF must name {APPROVED_CONFIGURATION}, or a file that confines TLS as that one does"
        )
