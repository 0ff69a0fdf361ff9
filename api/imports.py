"""Imports: a file of pupils, tried out or taken in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import Depends

from api.callers import Caller, signed_in
from api.encoding import Answer, RawBody, Sent, query
from api.middleware import MEBIBYTE
from api.routing import Routes
from domain.access import Permission
from domain.application.importing import ImportReport, import_file

routes = Routes("imports")

PATH = "/v1/imports"

LARGEST_FILE = 32 * MEBIBYTE
"""Octets. A file of 50,000 pupils has about 10 MiB."""


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to import.

    Attributes:
        dry_run: Only report what would happen.
    """

    dry_run: bool = False


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
    report = import_file(
        caller.school,
        sent.value,
        caller.actor,
        dry_run=asked.dry_run,
        command_key=sent.command.key if sent.command else None,
    )
    return Answer(report, 200 if report.dry_run else 201, position=report.position, repeated=report.repeated)
