"""Erasing children as the application does."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from domain.application import erasing
from domain.pupil import ErasureReason
from domain.vault.erasures import FileRegister
from tests.application.conftest import RegisteredSchool


def erase(folder: Path, school: RegisteredSchool, *pupil_ids: UUID) -> None:
    """Erases some of a school's children, and notes it in a register in the folder."""
    register = FileRegister(folder / "erasures")
    actor, reason = school.administrator, ErasureReason.REQUEST
    for pupil_id in pupil_ids:
        asked = erasing.ask(school.application, pupil_id, reason, actor)
        erasing.erase(school.application, register, pupil_id, reason, asked.confirmation, actor)
