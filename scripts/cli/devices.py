"""What this device shows when somebody logs in again, kept in a file that only its owner can read.

It opens nothing. The service gives it out after a login, and whoever guesses the password meanwhile, from
anywhere else, cannot keep this device waiting.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec

from domain.staff import same_username
from domain.vault import private_files
from scripts.cli.remembered import home


def _path() -> Path:
    return home() / "devices.json"


def _account(server: str, urn: str, username: str) -> str:
    text = "\n".join((server.rstrip("/"), urn, same_username(username)))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _read() -> dict[str, str]:
    try:
        return msgspec.json.decode(_path().read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return {}  # It is only ever an advantage to have it.


def recall(server: str, urn: str, username: str) -> str | None:
    """What the service gave this device for an account, if it has ever logged in to it."""
    return _read().get(_account(server, urn, username))


def remember(server: str, urn: str, username: str, token: str) -> None:
    """Keeps it for the next login; whole, or not at all."""
    content = msgspec.json.encode(_read() | {_account(server, urn, username): token})
    with suppress(OSError):
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        private_files.write(_path(), content)
