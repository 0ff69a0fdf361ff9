"""What the command remembers between calls: the session, in a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import platformdirs

from domain.vault import private_files
from scripts.cli.failures import Misused

HOME = "TARGET_TRACKER_HOME"
"""The variable that names another folder to remember things in."""


class Remembered(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An open session, and what is needed to use it.

    Attributes:
        server: The address of the API.
        token: The session's token.
        school_id: The school.
        staff_id: Who logged in.
        urn: The school's Unique Reference Number.
        username: What they logged in with.
        display_name: What colleagues call them.
        level: The access level.
        ca: The file of the authority that the server's certificate comes from.
        position: The position of the newest change made here, so that queries show it.
    """

    server: str
    token: str
    school_id: str
    staff_id: str
    urn: str
    username: str
    display_name: str
    level: str
    ca: str | None = None
    position: int = 0


def home() -> Path:
    """The folder that the session is remembered in."""
    if chosen := os.environ.get(HOME):
        return Path(chosen)
    return platformdirs.user_config_path("target-tracker", appauthor=False)


def path() -> Path:
    """The file that the session is remembered in."""
    return home() / "session.json"


def recall() -> Remembered | None:
    """The session, if there is one.

    Raises:
        Misused: The file is damaged.
    """
    try:
        return msgspec.json.decode(path().read_bytes(), type=Remembered)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeError):
        raise Misused(f"{path()} is damaged: remove it and log in again") from None
    except OSError as error:
        raise Misused(f"{path()} cannot be read: {error.strerror}") from None


def remember(session: Remembered) -> None:
    """Keeps a session for the next command; whole or not at all, and never readable by anybody else.

    Raises:
        Misused: The file cannot be written.
    """
    try:
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        private_files.write(path(), msgspec.json.encode(session))
    except OSError as error:
        raise Misused(f"{path()} cannot be written: {error.strerror}") from None


def forget() -> None:
    """Forgets the session."""
    path().unlink(missing_ok=True)
