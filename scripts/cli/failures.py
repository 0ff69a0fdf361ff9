"""What can go wrong with a command, and the exit code that says so.

| code | meaning |
|---|---|
| 0 | done |
| 1 | the service refused it: the reason is shown |
| 2 | the command, a file or a setting is not as it must be; nothing was sent |
| 3 | the service, or the database, cannot be reached |
| 4 | the command itself is at fault |
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from domain.errors import Finding, InvalidInput, Misconfigured, TargetTrackerError


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2
    UNREACHABLE = 3
    FAULTY = 4


class Refused(TargetTrackerError):
    """The service refused, with a problem detail (RFC 9457).

    Args:
        status: The HTTP status.
        problem: The problem detail as it came.
    """

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"The service answered with status {status}"))
        self.status = status
        self.problem = problem

    @property
    def findings(self) -> list[Finding]:
        """Where, what and what would be accepted."""
        return findings_in(self.problem)


class Unreachable(TargetTrackerError):
    """The service did not answer, or is not the one that it should be."""

    title: ClassVar[str] = "The service cannot be reached"


class Misused(InvalidInput):
    """The command cannot be carried out as it was given."""

    title: ClassVar[str] = "This cannot be done like this"


def findings_in(answer: dict[str, Any], among: str = "findings") -> list[Finding]:
    """The findings, or the flags, in a problem detail or a row's report; what is not one is left out."""
    try:
        return msgspec.convert(answer.get(among) or [], list[Finding])
    except msgspec.ValidationError:
        return []


def exit_code_of(error: TargetTrackerError) -> ExitCode:
    """The exit code of an error, whether the service said it or this command."""
    match error:
        case Unreachable():
            return ExitCode.UNREACHABLE
        case InvalidInput() | Misconfigured():
            return ExitCode.MISUSED
        case _:
            return ExitCode.REFUSED
