"""Which groups for the key exchange a server's context agrees to, found by asking it.

Python cannot list them before 3.15, and the `set_ecdh_curve` of early releases of 3.11 cannot offer X25519.
So a hello is written here byte for byte, and put to the context in memory. In TLS 1.3 a server that agrees to
a group that comes without a key share asks for one (RFC 8446, section 4.1.4), and any other one refuses; no
key is needed to find out. The groups of TLS 1.2 are confined by the same setting.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from typing import Final

GROUPS: Final = {
    "P-256": 23,
    "P-384": 24,
    "X25519": 29,
    "X448": 30,
    "P-521": 25,
    "ffdhe2048": 256,
    "ffdhe3072": 257,
    "ffdhe4096": 258,
    "ffdhe6144": 259,
    "ffdhe8192": 260,
    "brainpoolP256r1": 31,
    "brainpoolP384r1": 32,
    "brainpoolP512r1": 33,
    "MLKEM512": 512,
    "MLKEM768": 513,
    "MLKEM1024": 514,
    "SecP256r1MLKEM768": 4587,
    "X25519MLKEM768": 4588,
    "SecP384r1MLKEM1024": 4589,
    "curveSM2": 41,
}
"""The groups of TLS 1.3, by number in IANA's registry "TLS Supported Groups"."""

_SUITES: Final = (0x1301, 0x1302)
_SIGNATURES: Final = (0x0403, 0x0503, 0x0804, 0x0805, 0x0806)
_HANDSHAKE: Final = 22


def agreed_groups(context: ssl.SSLContext) -> list[str]:
    """The names of the groups in :data:`GROUPS` that the context agrees to.

    Args:
        context: A server's, with its certificate, in which TLS 1.3 with AES-GCM is on.
    """
    return [name for name, number in GROUPS.items() if _agrees(context, number)]


def _agrees(context: ssl.SSLContext, group: int) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    to_server.write(_hello(group))
    try:
        context.wrap_bio(to_server, to_client, server_side=True).do_handshake()
    except ssl.SSLWantReadError:
        return to_client.read(1) == bytes([_HANDSHAKE])
    except ssl.SSLError:
        return False
    return False


def _hello(group: int) -> bytes:
    """The record of a client's hello that offers TLS 1.3 and this group only (RFC 8446, section 4.1.2)."""
    extensions = {
        10: _sized(2, _numbers([group])),  # supported_groups
        13: _sized(2, _numbers(_SIGNATURES)),  # signature_algorithms
        43: _sized(1, _numbers([0x0304])),  # supported_versions
        51: _sized(2, b""),  # key_share: none yet
    }
    listed = b"".join(_numbers([kind]) + _sized(2, content) for kind, content in extensions.items())
    body = (
        _numbers([0x0303])
        + os.urandom(32)
        + _sized(1, os.urandom(32))
        + _sized(2, _numbers(_SUITES))
        + _sized(1, b"\0")
        + _sized(2, listed)
    )
    return bytes([_HANDSHAKE, 3, 1]) + _sized(2, b"\1" + _sized(3, body))


def _numbers(numbers: Iterable[int]) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def _sized(width: int, content: bytes) -> bytes:
    return len(content).to_bytes(width, "big") + content
