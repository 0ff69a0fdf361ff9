"""The register of erasures: kept apart from the database, so that a restored backup can be told of them.

A backup that was taken before a child was erased holds the child's keys. Restoring it would bring the child
back, and the erasure would not even be known. So each erasure is also noted here, in a file that belongs on
other storage than the database and its backups. It holds ids and times, and nothing of anybody.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from domain.errors import Misconfigured
from domain.pupil import ErasureReason


class Erasure(msgspec.Struct, frozen=True):
    """One erasure.

    Attributes:
        school_id: The school.
        subject: Whose keys were destroyed.
        reason: Why.
        erased_at: When.
    """

    school_id: UUID
    subject: UUID
    reason: ErasureReason
    erased_at: datetime


class ErasureRegister(Protocol):
    """Where erasures are kept apart from the database."""

    def add(self, erasure: Erasure) -> None:
        """Notes an erasure, for good, before it is committed.

        Raises:
            Misconfigured: It cannot be noted; then nobody is erased.
        """

    def erasures(self) -> list[Erasure]:
        """Every erasure that was noted, in that order.

        Raises:
            Misconfigured: The register cannot be read.
        """


class FileRegister:
    """A register in a file, a line of JSON for each erasure; any number of processes may add to it.

    Args:
        path: The file; made if it is not there.

    Raises:
        Misconfigured: The file can be neither read nor made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"The register of erasures, {path}, cannot be written: {error.strerror}"
            ) from None

    def add(self, erasure: Erasure) -> None:
        """Notes an erasure; it is on disk when this returns.

        Raises:
            Misconfigured: The file cannot be written.
        """
        line = msgspec.json.encode(erasure) + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.write(descriptor, line) != len(line):
                    raise OSError(None, "the disk is full")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Misconfigured(
                f"The register of erasures, {self.path}, cannot be written: {error.strerror}"
            ) from None

    def erasures(self) -> list[Erasure]:
        """Every erasure that was noted.

        Raises:
            Misconfigured: The file cannot be read, or is damaged. What is damaged may be an erasure, so
            nothing
                is passed over.
        """
        try:
            lines = self.path.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=Erasure) for line in lines if line]
        except OSError as error:
            raise Misconfigured(
                f"The register of erasures, {self.path}, cannot be read: {error.strerror}"
            ) from None
        except (msgspec.MsgspecError, UnicodeError):
            raise Misconfigured(f"The register of erasures, {self.path}, is damaged") from None
