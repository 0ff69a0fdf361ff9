"""Which suites, groups and versions are agreed: every one that there is is tried, in both modes.

The clients are independent of the server's library: a hello of the tests' own that can offer anything, and
`openssl s_client`, which completes the handshake.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterable
from functools import cache

import httpx
import pytest

from tests.conftest import TestDatabase
from tests.security.conftest import (
    KINDS,
    MODES,
    SABOTAGED,
    Pair,
    Serving,
    environment,
    needs_openssl,
    s_client,
    serving,
)
from tests.security.hello import (
    HANDSHAKE_FAILURE,
    P_256,
    P_384,
    PROTOCOL_VERSION,
    SIGNATURES,
    TLS_1_0,
    TLS_1_1,
    TLS_1_2,
    TLS_1_3,
    X25519,
    Agreed,
    Refused,
    say_hello,
)

AES_128_GCM, AES_256_GCM, CHACHA20 = 0x1301, 0x1302, 0x1303
OF_1_3 = range(0x1301, 0x1308)
"""What there is in TLS 1.3, in IANA's registry."""

EXPECTED: dict[tuple[str, str], dict[int, set[int]]] = {
    ("ordinary", "ECDSA"): {
        TLS_1_3: {AES_128_GCM, AES_256_GCM, CHACHA20},
        TLS_1_2: {0xC02B, 0xC02C, 0xCCA9},
    },
    ("ordinary", "RSA"): {
        TLS_1_3: {AES_128_GCM, AES_256_GCM, CHACHA20},
        TLS_1_2: {0xC02F, 0xC030, 0xCCA8},
    },
    ("FIPS", "ECDSA"): {TLS_1_3: {AES_128_GCM, AES_256_GCM}, TLS_1_2: {0xC02B, 0xC02C}},
    ("FIPS", "RSA"): {TLS_1_3: {AES_128_GCM, AES_256_GCM}, TLS_1_2: {0xC02F, 0xC030}},
}
"""The suites that are agreed, by their numbers in IANA's registry."""

EVERY_GROUP = (*range(1, 42), *range(256, 261), *range(4587, 4590))
"""Every group in IANA's registry: curves, finite fields, hybrids with ML-KEM."""

every_service = pytest.mark.parametrize(("mode", "kind"), [(mode, kind) for mode in MODES for kind in KINDS])

Services = dict[tuple[str, str], Serving]


@cache
def known_suites() -> frozenset[int]:
    """Every suite that the local OpenSSL knows, weak ones too, and all of TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return frozenset(suite["id"] & 0xFFFF for suite in context.get_ciphers()) | frozenset(OF_1_3)


def agreed_suites(port: int, version: int) -> set[int]:
    """Those that are agreed when a client offers one at a time."""
    agreed = set()
    for suite in known_suites():
        match say_hello(port, [suite], version=version):
            case Agreed() as answer:
                assert (answer.version, answer.suite) == (version, suite)
                agreed.add(suite)
            case answer:
                assert answer == Refused(HANDSHAKE_FAILURE)
    return agreed


def walk(port: int) -> dict[int, set[int]]:
    return {version: agreed_suites(port, version) for version in (TLS_1_2, TLS_1_3)}


def in_parts(suites: Iterable[int], size: int = 10_000) -> list[list[int]]:
    listed = sorted(suites)
    return [listed[start : start + size] for start in range(0, len(listed), size)]


@every_service
def test_every_suite_that_openssl_knows_is_tried(services: Services, mode: str, kind: str) -> None:
    assert len(known_suites()) > 100
    assert walk(services[mode, kind].port) == EXPECTED[mode, kind]


@every_service
def test_no_other_number_is_agreed(services: Services, mode: str, kind: str) -> None:
    port = services[mode, kind].port
    expected = EXPECTED[mode, kind][TLS_1_2] | EXPECTED[mode, kind][TLS_1_3]
    # Two are not suites but signals: of a fallback, and of secure renegotiation (RFC 7507, RFC 5746).
    others = set(range(1, 0x10000)) - expected - {0x5600, 0x00FF}
    for version in (TLS_1_2, TLS_1_3):
        for part in in_parts(others):
            assert say_hello(port, part, version=version) == Refused(HANDSHAKE_FAILURE)
            with_one = [*part, min(EXPECTED[mode, kind][version])]
            assert isinstance(say_hello(port, with_one, version=version), Agreed)


@every_service
def test_groups(services: Services, mode: str, kind: str) -> None:
    for version, suites in EXPECTED[mode, kind].items():
        agreed = set()
        for group in EVERY_GROUP:
            match say_hello(services[mode, kind].port, suites, version=version, groups=[group]):
                case Agreed() as answer:
                    assert answer.group == group
                    agreed.add(group)
                case answer:
                    assert answer == Refused(HANDSHAKE_FAILURE)
        if version == TLS_1_2 and kind == "ECDSA":
            # There the client's groups are also the curves of certificates that it takes (RFC 8422, 5.1.1).
            assert agreed == {P_256}
        elif mode == "FIPS":
            assert agreed == {P_256, P_384}
        else:
            assert agreed >= {P_256, P_384, X25519}


@every_service
def test_no_signature_rests_on_sha_1(services: Services, mode: str, kind: str) -> None:
    port = services[mode, kind].port
    weak = [0x0203, 0x0201] if mode == "ordinary" else [0x0203, 0x0201, 0x0303, 0x0301]
    for version, suites in EXPECTED[mode, kind].items():
        assert say_hello(port, suites, version=version, signatures=weak) == Refused(HANDSHAKE_FAILURE)
        fitting = [each for each in SIGNATURES if each not in weak]
        assert isinstance(say_hello(port, suites, version=version, signatures=fitting), Agreed)


@every_service
def test_older_versions_are_refused_with_their_alert(services: Services, mode: str, kind: str) -> None:
    for version in (TLS_1_0, TLS_1_1):
        for part in in_parts(known_suites()):
            answer = say_hello(services[mode, kind].port, part, version=version)
            assert answer == Refused(PROTOCOL_VERSION)


@every_service
def test_the_server_chooses_and_hands_out_no_tickets(services: Services, mode: str, kind: str) -> None:
    port, suites = services[mode, kind].port, EXPECTED[mode, kind][TLS_1_2]
    choices = {say_hello(port, order, version=TLS_1_2) for order in (sorted(suites), sorted(suites)[::-1])}
    [choice] = choices
    assert isinstance(choice, Agreed)
    assert choice.suite in {0xC02C, 0xC030}
    assert not choice.ticket


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_not_resumed_by_a_ticket(ordinary: Serving, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=ordinary.pair.certificate)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", ordinary.port)) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while secured.recv(1 << 16):
            pass
        assert secured.session is None or not secured.session.has_ticket
        assert secured.compression() is None


def test_fips_mode_without_its_configuration_fails_the_walk(
    security_database: TestDatabase, pairs: dict[str, Pair], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The sabotaged twin."""
    pair = pairs["ECDSA"]
    settings = environment(security_database, pair)
    with serving(SABOTAGED, settings, pair, tmp_path_factory.mktemp("sabotaged")) as sabotaged:
        assert "FIPS mode" in sabotaged.said()
        found = walk(sabotaged.port)
        assert found != EXPECTED["FIPS", "ECDSA"]
        assert CHACHA20 in found[TLS_1_3]
        assert isinstance(say_hello(sabotaged.port, [AES_128_GCM], version=TLS_1_3, groups=[X25519]), Agreed)


@needs_openssl
@every_service
@pytest.mark.parametrize("suite", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"])
def test_a_client_with_an_approved_suite_is_served(
    services: Services, mode: str, kind: str, suite: str
) -> None:
    result = s_client(services[mode, kind], "-tls1_3", "-ciphersuites", suite)
    assert f"Cipher is {suite}" in result.stdout, result
    assert "HTTP/1.1 200 OK" in result.stdout
    of_1_2 = f"ECDHE-{kind}-{'AES128-GCM-SHA256' if '128' in suite else 'AES256-GCM-SHA384'}"
    result = s_client(services[mode, kind], "-tls1_2", "-cipher", of_1_2)
    assert f"Cipher is {of_1_2}" in result.stdout, result
    assert "HTTP/1.1 200 OK" in result.stdout


def test_a_python_client_is_served_in_both_modes(services: Services) -> None:
    for service in services.values():
        context = ssl.create_default_context(cafile=service.pair.certificate)
        with httpx.Client(verify=context) as client:
            assert client.get(f"https://localhost:{service.port}/v1/health").status_code == 200


@needs_openssl
def test_a_client_cannot_renegotiate(services: Services) -> None:
    result = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{services['ordinary', 'ECDSA'].port}", "-tls1_2"],
        input="R\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "RENEGOTIATING" in result.stdout + result.stderr
    assert "no renegotiation" in result.stderr
