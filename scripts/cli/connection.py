"""Which server a command talks to, and as whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer

from domain.errors import NotSignedIn
from domain.vault.login_key import without_white_space
from scripts.cli import remembered
from scripts.cli.client import Client
from scripts.cli.failures import Misused

DEFAULT_SERVER = "https://127.0.0.1:8443"


@dataclass
class Chosen:
    """What was chosen with options or the environment, for every command.

    Attributes:
        server: The server's address.
        ca: The file of the authority that its certificate comes from.
    """

    server: str | None = None
    ca: Path | None = None


def chosen(context: typer.Context) -> Chosen:
    """What was chosen for this call."""
    return context.ensure_object(Chosen)


@contextmanager
def anonymous(context: typer.Context) -> Iterator[Client]:
    """A connection without a session."""
    choice = chosen(context)
    with Client(choice.server or DEFAULT_SERVER, ca=choice.ca) as client:
        yield client


@contextmanager
def signed_in(context: typer.Context) -> Iterator[Client]:
    """A connection with the session that is remembered; it shows what was changed through it before.

    Raises:
        NotSignedIn: There is no session.
        Misused: The session is one of another server: its token is nobody else's business.
    """
    session, choice = current(), chosen(context)
    if choice.server and choice.server.rstrip("/") != session.server.rstrip("/"):
        raise Misused(f"You are logged in at {session.server}, not at {choice.server}: log in there first")
    ca = choice.ca or (Path(session.ca) if session.ca else None)
    with Client(session.server, ca=ca, token=session.token, position=session.position) as client:
        try:
            yield client
        finally:
            if client.position != session.position and remembered.recall() == session:
                remembered.remember(msgspec.structs.replace(session, position=client.position))


def current() -> remembered.Remembered:
    """The session that is remembered.

    Raises:
        NotSignedIn: There is none.
    """
    session = remembered.recall()
    if session is None:
        raise NotSignedIn("log in first, with: target-tracker login")
    return session


@contextmanager
def operator(
    context: typer.Context, token_file: Path | None, login_key_file: Path | None = None
) -> Iterator[Client]:
    """A connection as the operator of the service, who needs a login key to act on a school's behalf.

    Raises:
        Misused: No file with the operator's token is named, or it cannot be read.
    """
    if token_file is None:
        raise Misused(
            "Name the file with the operator's token: --operator-token-file, "
            "or TARGET_TRACKER_OPERATOR_TOKEN_FILE"
        )
    choice, token = chosen(context), secret_in(token_file)
    login_key = login_key_in(login_key_file) if login_key_file else None
    with Client(choice.server or DEFAULT_SERVER, ca=choice.ca, token=token, login_key=login_key) as client:
        yield client


def login_key_in(file: Path) -> str:
    """The login key in a file, without its spaces, line breaks and whatever else cannot be seen.

    Raises:
        Misused: The file cannot be read, or holds nothing that could be one.
    """
    try:
        key = without_white_space(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeError:
        key = ""
    if not (key.isascii() and key.isprintable() and key):
        raise Misused(f"{file} does not hold a login key")
    return key


def secret_in(file: Path) -> str:
    """The secret in a file: its first line.

    Raises:
        Misused: The file cannot be read, or holds nothing.
    """
    try:
        secret = file.read_text(encoding="utf-8").removeprefix("\ufeff").split("\n", 1)[0].rstrip("\r")
    except OSError as error:
        raise Misused(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise Misused(f"{file} is not text in UTF-8") from None
    if not secret:
        raise Misused(f"{file} is empty")
    return secret
