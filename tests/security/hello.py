"""A client of TLS that says hello with whatever it is told to, and reads how the server answers.

It needs no TLS library, which would leave out what it does not know or is not allowed. A server says in the
clear what it agrees to: in TLS 1.3 a hello without a key share has it name suite and group at once (RFC 8446,
section 4.1.4), in TLS 1.2 (RFC 5246) with its own key exchange (RFC 8422, section 5.4).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304

P_256, P_384, P_521, X25519, X448 = 23, 24, 25, 29, 30
GROUPS = (X25519, P_256, X448, P_521, P_384)

SIGNATURES = (
    *(0x0403, 0x0503, 0x0603),  # ECDSA with SHA-256, SHA-384, SHA-512
    *(0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B),  # RSA-PSS
    *(0x0401, 0x0501, 0x0601),  # RSA
    *(0x0807, 0x0808),  # EdDSA
    *(0x0203, 0x0201, 0x0303, 0x0301),  # with SHA-1 and SHA-224
)

PROTOCOL_VERSION, HANDSHAKE_FAILURE = 70, 40
"""Alerts (RFC 8446, section 6)."""

_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _SERVER_KEY_EXCHANGE, _SERVER_HELLO_DONE = 2, 12, 14
_SUPPORTED_VERSIONS, _KEY_SHARE = 43, 51
_SESSION_TICKET = 35


@dataclass(frozen=True)
class Agreed:
    """What the server chose, each by its number in IANA's registry."""

    version: int
    suite: int
    group: int | None
    ticket: bool = False


@dataclass(frozen=True)
class Refused:
    """The server sent an alert, and then closed."""

    alert: int


@dataclass(frozen=True)
class Closed:
    """The server closed without a word."""


Answer = Agreed | Refused | Closed


def say_hello(
    port: int,
    suites: Iterable[int],
    *,
    version: int,
    groups: Iterable[int] = GROUPS,
    signatures: Iterable[int] = SIGNATURES,
) -> Answer:
    """Offers this much and nothing else, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(hello(suites, version=version, groups=groups, signatures=signatures))
        try:
            return _answer(connection)
        except ConnectionResetError:
            return Closed()


def _sized(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content


def _numbers(numbers: Iterable[int]) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def hello(
    suites: Iterable[int],
    *,
    version: int,
    groups: Iterable[int] = GROUPS,
    signatures: Iterable[int] = SIGNATURES,
) -> bytes:
    """The bytes of a hello that offers this."""
    extensions = {
        10: _sized(2, _numbers(groups)),
        11: _sized(1, b"\0"),
        13: _sized(2, _numbers(signatures)),
        0xFF01: b"\0",
        23: b"",
        _SESSION_TICKET: b"",
    }
    if version == TLS_1_3:
        extensions |= {_SUPPORTED_VERSIONS: _sized(1, _numbers([TLS_1_3])), _KEY_SHARE: _sized(2, b"")}
    body = (
        _numbers([min(version, TLS_1_2)])
        + os.urandom(32)
        + _sized(1, os.urandom(32))
        + _sized(2, _numbers(suites))
        + _sized(1, b"\0")
        + _sized(2, b"".join(_numbers([kind]) + _sized(2, content) for kind, content in extensions.items()))
    )
    return _records(b"\1" + _sized(3, body))


def _records(message: bytes) -> bytes:
    size = 1 << 14
    return b"".join(
        bytes([_HANDSHAKE, 3, 1]) + _sized(2, message[start : start + size])
        for start in range(0, len(message), size)
    )


def _answer(connection: socket.socket) -> Answer:
    handshake, agreed = b"", None
    for kind, content in _records_of(connection):
        if kind == _ALERT:
            assert content[0] == 2, "the alert is fatal"
            # Nothing may follow, and the server must not leave the connection open once we are done.
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
            return Refused(content[1])
        if kind != _HANDSHAKE:
            break
        handshake += content
        while len(handshake) >= 4 and len(handshake) >= (end := 4 + int.from_bytes(handshake[1:4], "big")):
            message, body, handshake = handshake[0], handshake[4:end], handshake[end:]
            if message == _SERVER_HELLO:
                agreed = _read_server_hello(body)
                if agreed.version == TLS_1_3:
                    return agreed
            elif message == _SERVER_KEY_EXCHANGE and agreed and body[0] == 3:
                group = int.from_bytes(body[1:3], "big")
                return Agreed(agreed.version, agreed.suite, group, agreed.ticket)
            elif message == _SERVER_HELLO_DONE and agreed:
                return agreed
    return Closed()


def _records_of(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    with connection.makefile("rb") as incoming:
        while len(header := incoming.read(5)) == 5:
            yield header[0], incoming.read(int.from_bytes(header[3:5], "big"))


def _read_server_hello(body: bytes) -> Agreed:
    version = int.from_bytes(body[:2], "big")
    at = 35 + body[34]
    suite = int.from_bytes(body[at : at + 2], "big")
    extensions = dict(_extensions_of(body[at + 5 :]))
    if _SUPPORTED_VERSIONS in extensions:
        version = int.from_bytes(extensions[_SUPPORTED_VERSIONS], "big")
    share = extensions.get(_KEY_SHARE)
    group = int.from_bytes(share[:2], "big") if share else None
    return Agreed(version, suite, group, _SESSION_TICKET in extensions)


def _extensions_of(content: bytes) -> Iterator[tuple[int, bytes]]:
    while content:
        end = 4 + int.from_bytes(content[2:4], "big")
        yield int.from_bytes(content[:2], "big"), content[4:end]
        content = content[end:]
