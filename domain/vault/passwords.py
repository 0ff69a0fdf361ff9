"""Passwords: only a verifier is ever kept.

Argon2id with the parameters that the OWASP Password Storage Cheat Sheet names first (19 MiB, two passes, one
lane). They stand in the verifier itself, so raising them re-hashes each password at its next login.
"""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.access import AccessLevel
from domain.errors import Finding, InvalidInput

LEAST = 8
LEAST_FOR_ADMINISTRATORS = 15
MOST = 1000
"""Lengths in characters; nothing else is asked of a password (NIST SP 800-63B, section 3.1.1)."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS = _hasher.hash("nobody's password")


def verifier_of(password: str, level: AccessLevel) -> str:
    """What is kept of a new password.

    Raises:
        InvalidInput: It is too short or too long.
    """
    least = LEAST_FOR_ADMINISTRATORS if level is AccessLevel.ADMIN else LEAST
    if not least <= len(password) <= MOST:
        raise InvalidInput(
            "The password cannot be used",
            [
                Finding(
                    field="password",
                    found=f"{len(password)} characters",
                    accepted=f"{least} to {MOST} characters, whichever you like",
                )
            ],
        )
    return _hasher.hash(_octets(password))


def rehashed(password: str) -> str:
    """What is kept from now on of a password that has just been verified."""
    return _hasher.hash(_octets(password))


def verify(verifier: str | None, password: str) -> bool:
    """Whether it is the password; takes as long when there is nobody to have one.

    Args:
        verifier: What was kept, or nothing for a user whom nobody knows.
        password: What was typed.
    """
    try:
        _hasher.verify(verifier or _NOBODYS, _octets(password[: MOST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return verifier is not None


def _octets(password: str) -> bytes:
    """The same for every way to type it; and something for what no keyboard types, which is no error here."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")


def is_outdated(verifier: str) -> bool:
    """Whether the parameters have risen since this verifier was made."""
    return _hasher.check_needs_rehash(verifier)
