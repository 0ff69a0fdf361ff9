"""Verifiers of passwords: how they are made, and the threads that make them.

Two kinds: Argon2id, and PBKDF2 where only what FIPS 140-3 approves may be used. Parameters and salt stand in
the verifier itself. Source of the parameters: OWASP Password Storage Cheat Sheet.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import ParamSpec, Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

P = ParamSpec("P")
R = TypeVar("R")

SALT = 16
"""Bytes of salt."""


class Hasher(Protocol):
    """One kind of verifier."""

    def hash(self, password: bytes) -> str:
        """A new verifier of a password."""

    def verifies(self, verifier: str, password: bytes) -> bool:
        """Whether it is the password; false for a verifier of another kind."""

    def is_mine(self, verifier: str) -> bool:
        """Whether the verifier is of this kind, whatever its parameters."""

    def is_outdated(self, verifier: str) -> bool:
        """Whether the verifier is of another kind, or of parameters that are no longer these."""

    def nobodys(self) -> str:
        """A verifier that costs as much as any other, and that no password fits."""


class Argon2id:
    """Argon2id (RFC 9106), unless told otherwise with the parameters that OWASP names first.

    Args:
        passes: How often the memory is gone over.
        kibibytes: How much memory one verifier takes.
    """

    def __init__(self, *, passes: int = 2, kibibytes: int = 19 * 1024) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=kibibytes, parallelism=1, salt_len=SALT, hash_len=32
        )
        self._start = f"$argon2id$v=19$m={kibibytes},t={passes},p=1$"

    def hash(self, password: bytes) -> str:
        """A new verifier of a password."""
        return self._hasher.hash(password)

    def verifies(self, verifier: str, password: bytes) -> bool:
        """Whether it is the password; false for a verifier of another kind."""
        try:
            return self._hasher.verify(verifier, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_mine(self, verifier: str) -> bool:
        """Whether the verifier is of this kind, whatever its parameters."""
        return verifier.startswith("$argon2id$")

    def is_outdated(self, verifier: str) -> bool:
        """Whether the verifier is of another kind, or of parameters that are no longer these."""
        try:
            return not self.is_mine(verifier) or self._hasher.check_needs_rehash(verifier)
        except InvalidHashError:
            return True

    def nobodys(self) -> str:
        """A verifier that costs as much as any other, and that no password fits."""
        return f"{self._start}{_text(secrets.token_bytes(SALT))}${_text(secrets.token_bytes(32))}"


_PBKDF2 = re.compile(r"\$pbkdf2-sha512\$i=([1-9][0-9]{0,7})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{86})")


class Pbkdf2:
    """PBKDF2-HMAC-SHA-512 (NIST SP 800-132), as `$pbkdf2-sha512$i=<iterations>$<salt>$<hash>`.

    Args:
        iterations: How often the hash is taken.
    """

    def __init__(self, *, iterations: int = 210_000) -> None:
        self._iterations = iterations

    def hash(self, password: bytes) -> str:
        """A new verifier of a password."""
        salt = secrets.token_bytes(SALT)
        return self._verifier(salt, hashlib.pbkdf2_hmac("sha512", password, salt, self._iterations))

    def verifies(self, verifier: str, password: bytes) -> bool:
        """Whether it is the password; false for a verifier of another kind."""
        if not (parts := _PBKDF2.fullmatch(verifier)):
            return False
        derived = hashlib.pbkdf2_hmac("sha512", password, _octets(parts[2]), int(parts[1]))
        return hmac.compare_digest(derived, _octets(parts[3]))

    def is_mine(self, verifier: str) -> bool:
        """Whether the verifier is of this kind, whatever its parameters."""
        return verifier.startswith("$pbkdf2-sha512$")

    def is_outdated(self, verifier: str) -> bool:
        """Whether the verifier is of another kind, or of parameters that are no longer these."""
        parts = _PBKDF2.fullmatch(verifier)
        return parts is None or int(parts[1]) != self._iterations

    def nobodys(self) -> str:
        """A verifier that costs as much as any other, and that no password fits."""
        return self._verifier(secrets.token_bytes(SALT), secrets.token_bytes(64))

    def _verifier(self, salt: bytes, derived: bytes) -> str:
        return f"$pbkdf2-sha512$i={self._iterations}${_text(salt)}${_text(derived)}"


def _text(octets: bytes) -> str:
    """Base64 as verifiers are written: without padding (the PHC string format)."""
    return base64.b64encode(octets).decode().rstrip("=")


def _octets(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


NICENESS = 10
"""How far the threads that hash stand back behind all others, as `nice` counts."""


def in_background(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Calls the function on one of the few threads that hash, and waits for what it returns.

    There are as many as the processor has cores, less one, and they stand back behind all other threads:
    however many people log in at once, the rest of the service goes on.
    """
    return _pool().submit(function, *args, **kwargs).result()


@cache
def _pool() -> ThreadPoolExecutor:
    """Made at the first password, and so after a server has started its processes."""
    return ThreadPoolExecutor(max(1, _cores() - 1), "hashing", initializer=_stand_back)


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stand_back() -> None:
    """Lowers the priority of this thread: on Linux alone each thread has one of its own."""
    if hasattr(os, "sched_getaffinity"):
        thread = threading.get_native_id()
        with suppress(OSError):  # A sandbox may forbid it; then hashing is merely less polite.
            lowered = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
            os.setpriority(os.PRIO_PROCESS, thread, lowered)
