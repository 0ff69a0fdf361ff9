"""Exports: files of pupils that a school takes away."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec

from api.callers import Caller, signed_in
from api.encoding import ReadQuery, query
from api.reading import see
from api.routing import Routes
from api.showing import ShownFile
from domain.access import Permission
from domain.application.exporting import Selection, export_csv, export_ctf
from domain.codes.school_number import read_school_number
from domain.errors import Finding, InvalidInput
from domain.files.ctf_writer import Destination
from domain.usage import ReadKind

routes = Routes("exports")

XML = "application/xml"
CSV = "text/csv; charset=utf-8"


def _file(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What the description says of an answer that is a file."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": "The file", "content": content}, 404: {}}


class ExportQuery(ReadQuery, frozen=True, kw_only=True):
    """Whom a file is about; everybody on the roll, if neither is given.

    Attributes:
        pupil_id: One pupil, who may have left.
        class_id: A class.
    """

    pupil_id: UUID | None = None
    class_id: UUID | None = None

    @property
    def selection(self) -> Selection:
        """The same for the application.

        Raises:
            InvalidInput: Both are given.
        """
        if self.pupil_id and self.class_id:
            raise InvalidInput(
                "The query is not as it must be",
                [Finding(field="class_id", found="pupil_id, too", accepted="one of the two, or neither")],
            )
        return Selection(pupil_id=self.pupil_id, class_id=self.class_id)


class CtfQuery(ExportQuery, frozen=True, kw_only=True):
    """Whom a Common Transfer File is about, and which school it is for.

    Attributes:
        destination: The seven digits of its local authority and establishment. If it is not given, where a
            leaver went; else it is not known.
    """

    destination: Annotated[str, msgspec.Meta(max_length=20)] | None = None

    @property
    def going_to(self) -> Destination | None:
        """The same for the application.

        Raises:
            InvalidInput: It is no school's number.
        """
        if self.destination is None:
            return None
        try:
            return Destination(*read_school_number(self.destination))
        except ValueError as error:
            raise InvalidInput(
                "The query is not as it must be",
                [Finding(field="destination", found=self.destination, accepted=str(error))],
            ) from None


@routes.get("/v1/exports/ctf", responses=_file(XML))
def take_ctf(
    caller: Annotated[Caller, signed_in(Permission.EXPORT_PUPILS)],
    asked: Annotated[CtfQuery, query(CtfQuery)],
) -> ShownFile:
    """Take away the Common Transfer File of a pupil, a class, or the whole roll.

    It is made of everything that was recorded by now. Its name is the one that DfE prescribes.
    """
    see(caller, asked.min_position)
    export = export_ctf(caller.school, asked.selection, asked.going_to)
    return ShownFile(
        caller, ReadKind.EXPORT, export.pupil_ids, export.content, name=export.name, media_type=XML
    )


@routes.get("/v1/exports/pupils.csv", responses=_file(CSV))
def take_csv(
    caller: Annotated[Caller, signed_in(Permission.EXPORT_PUPILS)],
    asked: Annotated[ExportQuery, query(ExportQuery)],
) -> ShownFile:
    """Take away Target Tracker's own import file (CSV, 18 columns) of a pupil, a class, or the whole roll."""
    see(caller, asked.min_position)
    export = export_csv(caller.school, asked.selection)
    return ShownFile(
        caller, ReadKind.EXPORT, export.pupil_ids, export.content, name=export.name, media_type=CSV
    )
