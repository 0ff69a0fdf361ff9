"""Passwords: only a verifier is ever kept.

What is asked of a password is its length, and that an attacker would not try it first (NIST SP 800-63B,
section 3.1.1.2). Verifiers are made by one hasher; raising its parameters, or choosing another, makes each
password's anew at its next login.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from domain.access import AccessLevel
from domain.errors import Finding, InvalidInput
from domain.vault.common_passwords import is_common, is_made_of
from domain.vault.hashing import Argon2id, Hasher, Pbkdf2, in_background

LEAST = 8
LEAST_FOR_ADMINISTRATORS = 15
MOST = 1000
"""Lengths in characters, counted after NFKC, which makes the same of every way to type a character."""

MOST_TYPED = 4 * MOST
"""Whatever is longer is too long after NFKC, too: that makes one character of four at the most."""


class Passwords:
    """How passwords are checked and kept.

    Args:
        hasher: Makes new verifiers.
        others: Those that made verifiers before, which are still accepted, but outdated.
    """

    def __init__(self, hasher: Hasher, *others: Hasher) -> None:
        self._hasher = hasher
        self._hashers = (hasher, *others)
        self._nobodys = hasher.nobodys()

    def verifier_of(self, password: str, level: AccessLevel, *, context: Iterable[str] = ()) -> str:
        """What is kept of a new password.

        Args:
            password: The password.
            level: The access level of its owner.
            context: Names that an attacker would try: the username, the school's.

        Raises:
            InvalidInput: It is too short, too long or common, or made of the context.
        """
        _check(_normal(password), level, context)
        return self.rehashed(password)

    def rehashed(self, password: str) -> str:
        """What is kept from now on of a password that has just been verified."""
        return in_background(self._hasher.hash, _octets(password))

    def verify(self, verifier: str | None, password: str) -> bool:
        """Whether it is the password; costs as much when there is nobody to have one.

        Args:
            verifier: What was kept, or nothing for a user whom nobody knows.
            password: What was typed.
        """
        kept = verifier or self._nobodys
        hasher = next((each for each in self._hashers if each.is_mine(kept)), self._hasher)
        return in_background(hasher.verifies, kept, _octets(password)) and verifier is not None

    def is_outdated(self, verifier: str) -> bool:
        """Whether a new verifier of the same password would be another kind, or of other parameters."""
        return self._hasher.is_outdated(verifier)


ARGON2ID = Passwords(Argon2id(), Pbkdf2())
"""What is used, unless FIPS 140-3 binds the service."""

PBKDF2 = Passwords(Pbkdf2(), Argon2id())
"""What is used in FIPS mode."""

_chosen = ARGON2ID


def use(passwords: Passwords) -> None:
    """Chooses for the whole process, when it starts: what the functions below do from now on."""
    global _chosen
    _chosen = passwords


def chosen() -> Passwords:
    """What was chosen for this process."""
    return _chosen


def verifier_of(password: str, level: AccessLevel, *, context: Iterable[str] = ()) -> str:
    """:meth:`Passwords.verifier_of` of what was chosen."""
    return _chosen.verifier_of(password, level, context=context)


def rehashed(password: str) -> str:
    """:meth:`Passwords.rehashed` of what was chosen."""
    return _chosen.rehashed(password)


def verify(verifier: str | None, password: str) -> bool:
    """:meth:`Passwords.verify` of what was chosen."""
    return _chosen.verify(verifier, password)


def is_outdated(verifier: str) -> bool:
    """:meth:`Passwords.is_outdated` of what was chosen."""
    return _chosen.is_outdated(verifier)


def least_for(level: AccessLevel) -> int:
    """The shortest password that this access level may have, in characters."""
    return LEAST_FOR_ADMINISTRATORS if level is AccessLevel.ADMIN else LEAST


def long_enough_for(level: AccessLevel, password: str) -> bool:
    """Whether the password is as long as this access level asks."""
    return len(_normal(password)) >= least_for(level)


def _check(password: str, level: AccessLevel, context: Iterable[str]) -> None:
    """Raises :class:`InvalidInput`, with a finding that does not repeat the password."""
    if not least_for(level) <= len(password) <= MOST:
        found = f"{len(password)} characters"
        accepted = f"{least_for(level)} to {MOST} characters, whichever you like"
    elif is_common(password):
        found = "one of the most common passwords, or little more than one"
        accepted = "one that nobody would guess: several words that have nothing to do with each other"
    elif is_made_of(password, context):
        found = "little more than the username, or the name of the school or of this service"
        accepted = "one that does not say whose it is, nor what it is for"
    else:
        return
    raise InvalidInput(
        "The password cannot be used", [Finding(field="password", found=found, accepted=accepted)]
    )


def _normal(password: str) -> str:
    """The same for every way to type it; cut where it is too long in any case."""
    return unicodedata.normalize("NFKC", password[: MOST_TYPED + 1])


def _octets(password: str) -> bytes:
    """Something for what no keyboard types, too: that is no error here."""
    return _normal(password).encode(errors="surrogatepass")
