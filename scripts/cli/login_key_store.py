"""Where the command keeps a school's login key: in the keyring of the operating system, or in a file.

The keyring is used where one works: Keychain, Credential Manager, the Secret Service or KWallet, by way of
the `keyring` package. Everywhere else, as on a server without a desktop, and where TARGET_TRACKER_KEYRING
is `off`, each key lies in a file that only its owner can read.

When the keyring takes a key, its file is removed. So a file, where there is one, holds the newest key, and is
looked at first.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import keyring
import msgspec
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend

from domain.vault import private_files
from domain.vault.login_key import LENGTH, without_white_space
from scripts.cli.failures import Misused
from scripts.cli.remembered import home

KEYRING = "TARGET_TRACKER_KEYRING"
"""The variable that keeps login keys out of the keyring, if it is `off`."""

PATIENCE = 20.0
"""Seconds that a keyring may take: enough for somebody who sees a prompt, and an end where nobody does."""

LEAST_PRIORITY = 1
"""That of a keyring which its makers recommend. Those below keep nothing, or no better than a file."""

FOLDER_MODE = 0o700

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class _Kept:
    """What a file holds: whose key it is, and the key, which is not shown."""

    server: str
    school: str
    key: str = field(repr=False)


def store(server: str, school: str, key: str) -> str:
    """Keeps a login key, in place of an earlier one.

    Args:
        server: The address of the API.
        school: What the school is known by, such as its URN.
        key: The login key; white space in it and around it is dropped.

    Returns:
        Where it went, in words for people.

    Raises:
        Misused: It is not a login key, a setting is wrong, or the file cannot be written.
    """
    key = without_white_space(key)
    if wrong := _wrong_with(key):
        raise Misused(f"This is not a login key: {wrong}. Copy all of it from its file again")
    service, user, file = _place(server, school)

    def keep(backend: KeyringBackend) -> str | None:
        backend.set_password(service, user, key)
        # There are keyrings that accept a secret and do not keep it.
        return backend.name if backend.get_password(service, user) == key else None

    try:
        name = _ask_keyring(keep)
    except _KeyringFailed:
        name = None
    if name is None:
        _write(file, _Kept(server.rstrip("/"), user, key))
        return f"the file {file}, which only you can read"
    _remove(file)
    return f"the keyring of the operating system ({name})"


def recall(server: str, school: str) -> str | None:
    """The login key that was stored, without white space; nothing, if there is none.

    Args:
        server: The address of the API.
        school: What the school is known by, as it was stored.

    Raises:
        Misused: What was stored is damaged, or the keyring does not hand it out.
    """
    service, user, file = _place(server, school)
    if kept := _read(file):
        if (kept.server, kept.school) != (server.rstrip("/"), user) or _wrong_with(kept.key):
            raise _damaged(file)
        return kept.key
    key = _ask_keyring(lambda backend: backend.get_password(service, user))
    if key is not None and (wrong := _wrong_with(key)):
        raise Misused(f"What the keyring holds as {service!r} is not a login key: {wrong}. Store it again")
    return key


def forget(server: str, school: str) -> None:
    """Removes a login key from the file and the keyring, if it is there.

    With TARGET_TRACKER_KEYRING `off` the keyring is left alone, as it always is then.

    Args:
        server: The address of the API.
        school: What the school is known by, as it was stored.

    Raises:
        Misused: The file cannot be removed, or the keyring may still hold the key.
    """
    service, user, file = _place(server, school)
    _remove(file)

    def drop(backend: KeyringBackend) -> None:
        if backend.get_password(service, user) is not None:
            backend.delete_password(service, user)

    try:
        _ask_keyring(drop)
    except _KeyringFailed as failed:
        raise Misused(
            f"The login key may still be in the keyring, as {service!r}. {failed.message}"
        ) from None


class _KeyringFailed(Misused):
    """A keyring that should work does not."""


def _ask_keyring(ask: Callable[[KeyringBackend], _Answer]) -> _Answer | None:
    """What the keyring answers; nothing, if none works here or none is wanted.

    It is asked, and chosen, in a thread of its own, which is left behind when a prompt is never answered.

    Raises:
        Misused: The setting is not `off`.
        _KeyringFailed: It fails, or does not answer in time.
    """
    setting = os.environ.get(KEYRING)
    if setting == "off":
        return None
    if setting:
        raise Misused(f"{KEYRING} must be off, so that login keys are kept in files, or not be set")
    answers: list[_Answer | None] = []
    failures: list[str] = []

    def work() -> None:
        try:
            backend = keyring.get_keyring()
            answers.append(ask(backend) if _works(backend) else None)
        except Exception as error:  # noqa: BLE001 - keyrings raise what they like, and its text may say anything
            failures.append(type(error).__name__)

    thread = threading.Thread(target=work, name="keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if answers:
        return answers[0]
    reason = failures[0] if failures else f"no answer within {PATIENCE:g} seconds"
    raise _KeyringFailed(
        f"The keyring of the operating system cannot be used ({reason}): unlock it, "
        f"or set {KEYRING}=off, and login keys are kept in files"
    )


def _works(backend: KeyringBackend) -> bool:
    """Whether a keyring keeps anything, and better than a file does."""
    chained = backend.backends if isinstance(backend, ChainerBackend) else [backend]
    return any(each.priority >= LEAST_PRIORITY for each in chained)


def _place(server: str, school: str) -> tuple[str, str, Path]:
    """The service and the user by which the keyring knows a key, and its file."""
    server, school = server.rstrip("/"), school.strip()
    name = hashlib.sha256(f"{server}\n{school}".encode()).hexdigest()[:32]
    return f"Target Tracker at {server}", school, home() / "login-keys" / f"{name}.json"


def _wrong_with(key: str) -> str | None:
    """Why this cannot be a login key, without repeating any of it; nothing, if it can."""
    if not (key.isascii() and key.isprintable()) or " " in key:
        return "it has characters other than letters, numbers and symbols"
    return None if len(key) == LENGTH else f"it has {len(key)} characters instead of {LENGTH}"


def _read(file: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeError):
        raise _damaged(file) from None
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None


def _damaged(file: Path) -> Misused:
    return Misused(f"{file} is damaged, and holds no login key: remove it and store the key again")


def _write(file: Path, kept: _Kept) -> None:
    """Writes a file whole or not at all, and never readable by anybody else."""
    try:
        for folder in (file.parent.parent, file.parent):
            folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        private_files.write(file, msgspec.json.encode(kept))
    except OSError as error:
        raise Misused(f"{file} cannot be written: {error.strerror}") from None


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise Misused(f"{file} cannot be removed: {error.strerror}") from None
