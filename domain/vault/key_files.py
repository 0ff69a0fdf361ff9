"""Files of keys: for their owner's eyes only, whole or not there, never by chance in place of another."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from domain.errors import AlreadyExists, Misconfigured
from domain.vault import private_files
from domain.vault.private_files import PRIVATE

_LARGEST = 1_000_000
"""Bytes: no file of keys comes near it, so what is larger is something else."""


def create(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Writes a file that must not be there yet.

    Raises:
        AlreadyExists: A file of that name is there; it is left as it is.
        Misconfigured: The folder is not there or cannot be written to.
    """
    try:
        with private_files.creating(path, mode) as file:
            file.write(content)
        _settle(path.parent)
    except FileExistsError:
        raise AlreadyExists(
            f"{path} exists, and a file of keys is never overwritten:"
            " move it away first, or choose another folder"
        ) from None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror}") from None


def replace(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Writes a file in place of the one that is there: whoever reads it finds the old or the new one, whole.

    Raises:
        Misconfigured: The folder is not there or cannot be written to.
    """
    try:
        private_files.write(path, content, mode)
        _settle(path.parent)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be written: {error.strerror}") from None


def read(path: Path, *, private: bool) -> bytes:
    """Reads a file.

    Args:
        path: The file.
        private: Whether it is refused when anybody but its owner may read or change it.

    Raises:
        Misconfigured: It cannot be read, is far too large, or is open to others.
    """
    try:
        with path.open("rb") as file:
            if private and (mode := stat.S_IMODE(os.fstat(file.fileno()).st_mode)) & 0o077:
                raise Misconfigured(
                    f"{path} is open to others (its mode is {mode:03o}):"
                    f" nobody but its owner may read it (chmod {PRIVATE:03o})"
                )
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > _LARGEST:
        raise Misconfigured(f"{path} is too large to be a file of keys")
    return content


def _settle(folder: Path) -> None:
    """Makes the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
