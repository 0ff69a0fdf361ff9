"""Imports: a file of pupils, tried out or taken in."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import Depends

from api.callers import Caller, signed_in
from api.encoding import Answer, RawBody, RawQuestion, Sent, body, query
from api.middleware import MEBIBYTE, too_long
from api.routing import Routes
from domain.access import Permission
from domain.application.importing import ImportReport, Leavers, import_file
from domain.errors import Finding, InvalidInput
from domain.files.mapping import Mapping
from domain.files.mapping_guess import MappingGuess
from domain.files.reader import guess_mapping_of
from domain.school_time import today

routes = Routes("imports")

PATH = "/v1/imports"
MAPPED = "/v1/imports/mapped"
MAPPING = "/v1/imports/mapping"

LARGEST_FILE = 32 * MEBIBYTE
"""Octets. A file of 50,000 pupils has about 10 MiB."""

LARGEST_BODIES = {
    PATH: LARGEST_FILE,
    MAPPING: LARGEST_FILE,
    # In base64 four octets stand for three of the file; the mapping stands beside it.
    MAPPED: LARGEST_FILE // 3 * 4 + MEBIBYTE,
}
"""The octets that a body may have."""


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to import.

    Attributes:
        dry_run: Only report what would happen.
        whole_roll: The file has everybody on the roll: who is not in it has left.
        allow_leavers: With `whole_roll`: so many may leave, where they are more than a tenth of the roll.
        joined_on: The date of entry of new pupils to whom the file gives none: joiners, whose Common Transfer
            File comes from the school before.
        other_destination: Take a Common Transfer File that is meant for another school.
    """

    dry_run: bool = False
    whole_roll: bool = False
    allow_leavers: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    joined_on: date | None = None
    other_destination: bool = False

    @property
    def leavers(self) -> Leavers | None:
        """Who may leave by the import.

        Raises:
            InvalidInput: Leavers are allowed by a file that makes nobody leave.
        """
        if self.allow_leavers is not None and not self.whole_roll:
            accepted = "whole_roll=true with it: only a file of the whole roll takes anybody off it"
            found = str(self.allow_leavers)
            raise InvalidInput(
                "The query is not as it must be",
                [Finding(field="allow_leavers", found=found, accepted=accepted)],
            )
        return Leavers(self.allow_leavers or 0) if self.whole_roll else None


@routes.post(PATH, status_code=201, responses={200: {"description": "What a dry run found"}})
def import_pupils(
    caller: Annotated[Caller, signed_in(Permission.IMPORT_PUPILS, operator=True)],
    asked: Annotated[ImportQuery, query(ImportQuery)],
    sent: Annotated[Sent[bytes], Depends(RawBody())],
) -> Answer[ImportReport]:
    """Import a Target Tracker import file or a Common Transfer File: all of it, or nothing.

    The operator may do it on a school's behalf, with a login key that the school gave for it, in the
    `Target-Tracker-Login-Key` header.
    """
    return _imported(caller, asked, sent, sent.value)


class MappedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CSV file that is not Target Tracker's own, and how to read it.

    Attributes:
        mapping: Which column fills which field.
        file: The file, its octets in base64.
    """

    mapping: Mapping
    file: bytes


@routes.post(MAPPED, status_code=201, responses={200: {"description": "What a dry run found"}})
def import_mapped(
    caller: Annotated[Caller, signed_in(Permission.IMPORT_PUPILS, operator=True)],
    asked: Annotated[ImportQuery, query(ImportQuery)],
    sent: Annotated[Sent[MappedFile], body(MappedFile)],
) -> Answer[ImportReport]:
    """Import any CSV file of pupils, by a mapping of its columns: all of it, or nothing.

    The same as the import of Target Tracker's own file in everything else.
    """
    if len(sent.value.file) > LARGEST_FILE:
        raise too_long(LARGEST_FILE, len(sent.value.file))
    return _imported(caller, asked, sent, sent.value.file, sent.value.mapping)


@routes.post(MAPPING)
def guess_mapping(
    caller: Annotated[Caller, signed_in(Permission.IMPORT_PUPILS, operator=True)],  # noqa: ARG001 - a guard
    sent: Annotated[Sent[bytes], Depends(RawQuestion())],
) -> Answer[MappingGuess]:
    """Guess the mapping of a CSV file from its headings and values; nothing is written."""
    return Answer(guess_mapping_of(sent.value, today()))


def _imported(
    caller: Caller, asked: ImportQuery, sent: Sent[Any], content: bytes, mapping: Mapping | None = None
) -> Answer[ImportReport]:
    report = import_file(
        caller.school,
        content,
        caller.actor,
        dry_run=asked.dry_run,
        command_key=sent.command.key if sent.command else None,
        leavers=asked.leavers,
        mapping=mapping,
        joined_on=asked.joined_on,
        any_destination=asked.other_destination,
    )
    return Answer(report, 200 if report.dry_run else 201, position=report.position, repeated=report.repeated)
