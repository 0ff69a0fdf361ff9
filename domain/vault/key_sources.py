"""Where the service's keys come from: a file, the environment, or whatever else holds a ring."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Protocol

from domain.errors import Misconfigured
from domain.vault import key_files
from domain.vault.key_ring import KeyRing


class KeySource(Protocol):
    """A place that holds the document of a ring: a file, a variable, or a secret store."""

    def load(self) -> KeyRing:
        """The ring as it is there now.

        Raises:
            Misconfigured: It cannot be had, or is not as it should be; the message never holds a secret.
        """

    def version(self) -> Hashable:
        """What is another one after the document has changed; cheap to ask for.

        Raises:
            Misconfigured: The place cannot be reached.
        """


class FileSource:
    """A file that only its owner may read.

    Args:
        path: The file, or a link to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> KeyRing:
        """The ring in the file.

        Raises:
            Misconfigured: The file cannot be read, is open to others, or does not hold a ring.
        """
        content = key_files.read(self._path, private=True)
        try:
            return KeyRing.read(content)
        except Misconfigured as error:
            raise Misconfigured(f"{self._path}: {error.message}") from None

    def version(self) -> Hashable:
        """Which file it is, when it was written or its mode changed, and how large it is."""
        try:
            found = self._path.stat()
        except OSError as error:
            raise Misconfigured(f"{self._path} cannot be read: {error.strerror}") from None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_mode, found.st_size


class EnvironmentSource:
    """A variable of the environment, for places that hand secrets over in no other way.

    Args:
        variable: Its name; it holds the document itself.
        environment: The environment; that of the process if not given.
    """

    def __init__(self, variable: str, environment: Mapping[str, str] = os.environ) -> None:
        self._variable = variable
        self._environment = environment

    def load(self) -> KeyRing:
        """The ring in the variable.

        Raises:
            Misconfigured: The variable is not set, or does not hold a ring.
        """
        document = self._environment.get(self._variable)
        if not document:
            raise Misconfigured(f"{self._variable} is not set: it must hold the service keys")
        try:
            return KeyRing.read(os.fsencode(document))
        except Misconfigured as error:
            raise Misconfigured(f"{self._variable}: {error.message}") from None

    def version(self) -> Hashable:
        """Always the same: nobody changes the environment of a running process."""
        return None


def write(path: Path, ring: KeyRing) -> None:
    """Writes the file that :class:`FileSource` reads, whole or not at all, for its owner's eyes only.

    Raises:
        Misconfigured: The folder is not there or cannot be written to.
    """
    key_files.replace(path, ring.document())
